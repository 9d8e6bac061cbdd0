package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.pool.Restoration;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random paths of random trees become what they were in a snapshot, and nothing else changes; over
 * commits, restarts, and destructions.
 */
class PathRestoreModelTest {
  private static final long CAPACITY_BYTES = 1L << 30;
  private static final int ROUNDS = Integer.getInteger("cowfs.test.rounds", 3);
  private static final int RESTORES = Integer.getInteger("cowfs.test.restores", 30);
  private static final long SEED = Long.getLong("cowfs.test.seed", 20_261_124);

  @TempDir Path directory;

  @Test
  void plainPathsBecomeWhatTheyWere() throws Exception {
    check(new CompressionSetting(Compression.NONE, 0), 1);
  }

  @Test
  void compressedPathsBecomeWhatTheyWere() throws Exception {
    check(new CompressionSetting(Compression.LZ4, 0), 2);
  }

  private void check(CompressionSetting compression, int salt) throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      long seed = SEED * 31 + salt * 1000L + round;
      System.out.printf("%s: seed %d, %d restores%n", compression, seed, RESTORES);
      try (Run run = new Run(directory.resolve("p" + salt + round), compression, seed)) {
        for (int i = 0; i < RESTORES; i++) {
          try {
            run.step();
          } catch (AssertionError | IOException | RuntimeException | FsException failure) {
            throw new AssertionError(
                "seed %d, restore %d: %s".formatted(seed, i, failure), failure);
          }
        }
      }
    }
  }

  private static final class Run implements AutoCloseable {
    private final Random random;
    private final TestPool pool;
    private final VolumeDriver driver;
    private final TreeMap<String, FileTree> snapshots = new TreeMap<>();
    private int nextSnapshot;

    Run(Path directory, CompressionSetting compression, long seed) throws Exception {
      random = new Random(seed);
      pool = TestPool.create(directory, CAPACITY_BYTES, compression, TestPool.ON_DEMAND);
      FileSystem fs = pool.fileSystem();
      driver = new VolumeDriver(fs, FileTree.read(fs, "").model());
    }

    void step() throws FsException, IOException {
      change(random.nextInt(120));
      if (snapshots.isEmpty() || random.nextInt(3) == 0) {
        snapshot();
        change(random.nextInt(120));
      }
      if (snapshots.size() > 4) {
        String oldest = pick(new ArrayList<>(snapshots.keySet()));
        pool.destroySnapshot(oldest);
        snapshots.remove(oldest);
      }
      if (random.nextInt(8) == 0) {
        pool.reopen();
        driver.reopened(pool.fileSystem(), driver.model());
      }
      if (!snapshots.isEmpty()) {
        restore();
      }
    }

    private void change(int steps) throws FsException, IOException {
      for (int i = 0; i < steps; i++) {
        driver.step(random.nextLong());
        if (random.nextInt(60) == 0) {
          pool.commit();
        }
      }
    }

    private void snapshot() throws FsException, IOException {
      String name = "s" + nextSnapshot++;
      pool.snapshot(name);
      snapshots.put(name, FileTree.read(pool.fileSystem(), ""));
    }

    private <T> T pick(List<T> list) {
      return list.get(random.nextInt(list.size()));
    }

    private void restore() throws FsException, IOException {
      if (random.nextBoolean()) {
        driver.letGo();
      }
      String snapshot = pick(new ArrayList<>(snapshots.keySet()));
      FileTree then = snapshots.get(snapshot);
      FileTree before = FileTree.read(pool.fileSystem(), "");
      List<String> paths = new ArrayList<>(then.entries.keySet());
      paths.addAll(before.entries.keySet());
      String path = random.nextInt(12) == 0 ? "" : pick(paths);
      byte[] argument = Model.bytes(path.isEmpty() ? "." : path.substring(1));
      String label = snapshot + ":" + path;
      if (!then.entries.containsKey(path)) {
        assertEquals(Reason.NOT_FOUND, refused(snapshot, argument), label);
        assertEquals(before.entries, FileTree.read(pool.fileSystem(), "").entries, label);
        return;
      }
      if (isBlocked(path, before)) {
        assertEquals(Reason.EXISTS, refused(snapshot, argument), label);
        assertEquals(before.entries, FileTree.read(pool.fileSystem(), "").entries, label);
        return;
      }
      Restoration done = pool.pool().administration().restorePath("root", snapshot, argument);
      FileTree after = FileTree.read(pool.fileSystem(), "");
      compareInside(path, then, after, label);
      compareOutside(path, before, then, after, label);
      compareKept(path, before, then, after, label);
      compareCounts(path, before, then, done, label);
      assertEquals(
          new Restoration(0, 0, 0),
          pool.pool().administration().restorePath("root", snapshot, argument),
          label + " again");
      driver.letGo();
      driver.reopened(pool.fileSystem(), FileTree.read(pool.fileSystem(), "").model());
      pool.audit();
    }

    private Reason refused(String snapshot, byte[] path) {
      return assertThrows(
              DatasetException.class,
              () -> pool.pool().administration().restorePath("root", snapshot, path))
          .reason();
    }

    private static boolean isBlocked(String path, FileTree live) {
      for (int at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) {
        FileTree.Entry above = live.entries.get(path.substring(0, at));
        if (above != null && above.type() != FileType.DIRECTORY) {
          return true;
        }
      }
      return false;
    }

    /** Everything on the path is as in the snapshot, also what is one file under many names. */
    private static void compareInside(String path, FileTree then, FileTree after, String label) {
      assertEquals(inside(path, then), inside(path, after), label);
    }

    private static Map<String, FileTree.Entry> inside(String path, FileTree tree) {
      Map<Long, String> firsts = new HashMap<>();
      TreeMap<String, FileTree.Entry> inside = new TreeMap<>();
      tree.entries.forEach(
          (at, e) -> {
            if (FileTree.isInside(at, path)) {
              String twin = firsts.computeIfAbsent(tree.attributes.get(at).inode(), n -> at);
              inside.put(
                  at,
                  new FileTree.Entry(
                      e.type(),
                      e.mode(),
                      e.uid(),
                      e.gid(),
                      e.rdev(),
                      e.size(),
                      e.mtime(),
                      e.content(),
                      e.xattrs(),
                      twin));
            }
          });
      return inside;
    }

    private static void compareOutside(
        String path, FileTree before, FileTree then, FileTree after, String label) {
      for (String at : union(before, after)) {
        if (FileTree.isInside(at, path)) {
          continue;
        }
        boolean above = FileTree.isInside(path, at);
        FileTree.Entry expected =
            before.entries.containsKey(at) ? before.entries.get(at) : then.entries.get(at);
        FileTree.Entry found = after.entries.get(at);
        if (above) {
          assertEquals(expected.withoutTimes(), found.withoutTimes(), label + ", above: " + at);
          continue;
        }
        Attributes old = before.attributes.get(at);
        assertEquals(old.inode(), after.attributes.get(at).inode(), label + ", outside: " + at);
        assertEquals(expected.content(), found.content(), label + ", outside: " + at);
        assertEquals(expected.mode(), found.mode(), label + ", outside: " + at);
        assertEquals(expected.uid(), found.uid(), label + ", outside: " + at);
        assertEquals(expected.mtime(), found.mtime(), label + ", outside: " + at);
        assertEquals(expected.xattrs(), found.xattrs(), label + ", outside: " + at);
      }
    }

    private static List<String> union(FileTree a, FileTree b) {
      TreeMap<String, FileTree.Entry> all = new TreeMap<>(a.entries);
      all.putAll(b.entries);
      return new ArrayList<>(all.keySet());
    }

    /** What nobody has changed since the snapshot is the same inode as before. */
    private static void compareKept(
        String path, FileTree before, FileTree then, FileTree after, String label) {
      for (String at : after.entries.keySet()) {
        Attributes old = before.attributes.get(at);
        Attributes was = then.attributes.get(at);
        if (!FileTree.isInside(at, path) || old == null || was == null) {
          continue;
        }
        boolean untouched = old.inode() == was.inode() && old.ctime().equals(was.ctime());
        boolean directories = old.type() == FileType.DIRECTORY && was.type() == FileType.DIRECTORY;
        if (untouched || directories) {
          assertEquals(old.inode(), after.attributes.get(at).inode(), label + ", kept: " + at);
        }
        if (untouched && was.nlink() == 1) {
          assertEquals(old.ctime(), after.attributes.get(at).ctime(), label + ", kept: " + at);
        }
      }
    }

    private static void compareCounts(
        String path, FileTree before, FileTree then, Restoration done, String label) {
      long added = 0;
      long removed = 0;
      for (String at : union(before, then)) {
        if (!FileTree.isInside(at, path) && !FileTree.isInside(path, at)) {
          continue;
        }
        boolean is = before.entries.containsKey(at);
        boolean was = then.entries.containsKey(at);
        added += was && !is ? 1 : 0;
        removed += is && !was && FileTree.isInside(at, path) ? 1 : 0;
      }
      assertEquals(added, done.added(), label + ": added");
      assertEquals(removed, done.removed(), label + ": removed");
    }

    @Override
    public void close() throws IOException {
      pool.close();
    }
  }
}
