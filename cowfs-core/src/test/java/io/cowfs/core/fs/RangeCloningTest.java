package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Cloned ranges read as their source did, cost nothing, and live on their own. */
class RangeCloningTest {
  private static final long CAPACITY_BYTES = 1L << 30;
  private static final int SECTOR = 4096;
  private static final CompressionSetting NONE = CompressionSetting.NONE;
  private static final CompressionSetting LZ4 = new CompressionSetting(Compression.LZ4, 0);
  private static final int ROUNDS = Integer.getInteger("cowfs.test.rounds", 3);
  private static final int STEPS = Integer.getInteger("cowfs.test.steps", 500);
  private static final long SEED = Long.getLong("cowfs.test.seed", 20_261_124);

  @TempDir Path directory;

  private static FileHandle create(FileSystem fs, String name) throws FsException {
    FileSystem.Created made =
        fs.create(Caller.ROOT, FileSystem.ROOT_INODE, Model.bytes(name), 0644, Set.of());
    fs.forget(made.attributes().inode(), 1);
    return made.handle();
  }

  private static void write(FileSystem fs, FileHandle handle, long offset, byte[] bytes)
      throws FsException {
    fs.write(Caller.ROOT, handle, offset, ByteBuffer.wrap(bytes), false);
  }

  private static byte[] read(FileSystem fs, FileHandle handle) throws FsException {
    return FileTree.read(fs, fs.getAttributes(handle.inode()));
  }

  private static byte[] random(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  @Test
  void aWholeFileIsClonedWithoutSpace() throws Exception {
    try (TestPool pool =
        TestPool.create(directory.resolve("p"), CAPACITY_BYTES, NONE, TestPool.ON_DEMAND)) {
      Volume fs = (Volume) pool.fileSystem();
      byte[] content = random(new Random(1), (16 << 20) + 123);
      FileHandle from = create(fs, "from");
      FileHandle to = create(fs, "to");
      write(fs, from, 0, content);
      fs.syncAll();
      long before = pool.pool().status().allocatedBytes();
      assertEquals(content.length, fs.cloneRange(fs, from, 0, to, 0, Long.MAX_VALUE >> 8));
      long after = pool.pool().status().allocatedBytes();
      assertTrue(after - before < 512 << 10, "took " + (after - before));
      assertArrayEquals(content, read(fs, to));
      pool.audit();
      // Each goes on alone.
      write(fs, from, 100, new byte[50_000]);
      write(fs, to, 9_000_000, new byte[1]);
      byte[] changed = content.clone();
      changed[9_000_000] = 0;
      fs.syncAll();
      assertArrayEquals(changed, read(fs, to));
      fs.unlink(FileSystem.ROOT_INODE, Model.bytes("from"));
      fs.release(from);
      fs.syncAll();
      pool.audit();
      pool.reopen();
      pool.audit();
      FileSystem reopened = pool.fileSystem();
      assertArrayEquals(changed, FileTree.read(reopened, reopened.lookup(1, Model.bytes("to"))));
    }
  }

  @Test
  void whatIsNotCommittedYetOutlivesItsSource() throws Exception {
    try (TestPool pool =
        TestPool.create(directory.resolve("p"), CAPACITY_BYTES, NONE, TestPool.ON_DEMAND)) {
      Volume fs = (Volume) pool.fileSystem();
      byte[] content = random(new Random(5), 2 << 20);
      FileHandle from = create(fs, "from");
      FileHandle a = create(fs, "a");
      FileHandle b = create(fs, "b");
      write(fs, from, 0, content);
      fs.syncAll();
      long durable = pool.pool().status().txg();
      assertEquals(content.length, fs.cloneRange(fs, from, 0, a, 0, content.length));
      assertEquals(content.length, fs.cloneRange(fs, from, 0, b, 0, content.length));
      assertEquals(durable, pool.pool().status().txg(), "cloning waited for a commit");
      assertEquals(content.length, fs.getAttributes(a.inode()).size());
      assertTrue(fs.getAttributes(a.inode()).allocatedBytes() >= content.length);
      write(fs, from, 0, new byte[1 << 20]);
      fs.unlink(FileSystem.ROOT_INODE, Model.bytes("from"));
      fs.release(from);
      fs.syncAll();
      pool.audit();
      assertArrayEquals(content, read(fs, a));
      write(fs, a, 0, new byte[1 << 20]);
      assertArrayEquals(content, read(fs, b));
      fs.syncAll();
      pool.audit();
    }
  }

  @Test
  void whatIsReadBeforeTheCommitIsTheClonedContent() throws Exception {
    try (TestPool pool =
        TestPool.create(directory.resolve("p"), CAPACITY_BYTES, LZ4, TestPool.ON_DEMAND)) {
      Volume fs = (Volume) pool.fileSystem();
      byte[] content = random(new Random(6), 1 << 20);
      FileHandle from = create(fs, "from");
      FileHandle to = create(fs, "to");
      write(fs, from, 0, content);
      write(fs, to, 0, new byte[3 << 20]);
      fs.syncAll();
      fs.cloneRange(fs, from, 0, to, 1 << 20, 1 << 20);
      // In the same txg, over the end of what was cloned.
      write(fs, to, (2 << 20) - 10, new byte[20]);
      byte[] expected = new byte[3 << 20];
      System.arraycopy(content, 0, expected, 1 << 20, (1 << 20) - 10);
      assertArrayEquals(expected, read(fs, to));
      fs.cloneRange(fs, to, 1 << 20, from, 0, 1 << 20);
      assertArrayEquals(Arrays.copyOfRange(expected, 1 << 20, 2 << 20), read(fs, from));
      pool.reopen();
      pool.audit();
    }
  }

  @Test
  void aTargetThatIsGoneBeforeTheCommitLeavesNothing() throws Exception {
    try (TestPool pool =
        TestPool.create(directory.resolve("p"), CAPACITY_BYTES, NONE, TestPool.ON_DEMAND)) {
      Volume fs = (Volume) pool.fileSystem();
      FileHandle from = create(fs, "from");
      write(fs, from, 0, random(new Random(7), 2 << 20));
      fs.syncAll();
      FileHandle to = create(fs, "to");
      fs.cloneRange(fs, from, 0, to, 0, 2 << 20);
      fs.unlink(FileSystem.ROOT_INODE, Model.bytes("to"));
      fs.release(to);
      fs.forget(to.inode(), 1);
      for (int commits = 0; commits < 4; commits++) {
        fs.setXattr(
            FileSystem.ROOT_INODE,
            Model.bytes("user.c"),
            new byte[] {1},
            XattrMode.CREATE_OR_REPLACE);
        fs.syncAll();
        pool.audit();
      }
      assertEquals(2 << 20, read(fs, from).length);
    }
  }

  @Test
  void whatCannotBeClonedIsRefused() throws Exception {
    try (TestPool pool =
        TestPool.create(directory.resolve("p"), CAPACITY_BYTES, NONE, TestPool.ON_DEMAND)) {
      Volume fs = (Volume) pool.fileSystem();
      FileHandle a = create(fs, "a");
      FileHandle b = create(fs, "b");
      write(fs, a, 0, new byte[3 * SECTOR + 5]);
      write(fs, b, 0, new byte[9 * SECTOR]);
      refused(FsError.INVALID, fs, a, 1, b, 0, SECTOR);
      refused(FsError.INVALID, fs, a, 0, b, 1, SECTOR);
      refused(FsError.INVALID, fs, a, 0, b, 0, SECTOR + 1);
      refused(FsError.INVALID, fs, a, 0, b, 0, 1 << 20); // Its end would lie within the target.
      refused(FsError.INVALID, fs, a, -SECTOR, b, 0, SECTOR);
      refused(FsError.INVALID, fs, b, 0, b, SECTOR, 2 * SECTOR);
      refused(FsError.FILE_TOO_LARGE, fs, a, 0, b, Long.MAX_VALUE / SECTOR * SECTOR, SECTOR);
      assertEquals(0, fs.cloneRange(fs, a, 4 * SECTOR, b, 0, SECTOR));
      assertEquals(SECTOR, fs.cloneRange(fs, b, 0, b, SECTOR, SECTOR));
      pool.audit();
    }
  }

  private static void refused(
      FsError error, Volume fs, FileHandle from, long at, FileHandle to, long toAt, long length) {
    FsException thrown =
        assertThrows(FsException.class, () -> fs.cloneRange(fs, from, at, to, toAt, length));
    assertEquals(error, thrown.error());
  }

  @Test
  void rangesComeFromOtherDatasetsAndSnapshots() throws Exception {
    try (TestPool pool =
        TestPool.create(directory.resolve("p"), CAPACITY_BYTES, LZ4, TestPool.ON_DEMAND)) {
      pool.pool().administration().createDataset("root/other", Map.of());
      Volume fs = (Volume) pool.fileSystem();
      Volume other = (Volume) pool.pool().fileSystem("root/other");
      byte[] content = random(new Random(2), 300_000);
      FileHandle from = create(fs, "from");
      write(fs, from, 0, content);
      pool.snapshot("s");
      write(fs, from, 0, new byte[200_000]);
      FileHandle live = create(other, "live");
      assertEquals(300_000, other.cloneRange(fs, from, 0, live, 0, 300_000));
      BlockPointer root = pool.tree("s").root();
      SourceTree snapshot = new SourceTree(root, "s", () -> true);
      FileHandle old = create(other, "old");
      assertEquals(300_000, other.cloneRange(snapshot, from.inode(), 0, old, 0, 300_000));
      assertArrayEquals(content, read(other, old));
      byte[] now = content.clone();
      Arrays.fill(now, 0, 200_000, (byte) 0);
      assertArrayEquals(now, read(other, live));
      pool.audit();
      SourceTree gone = new SourceTree(root, "s", () -> false);
      assertThrows(
          FsException.class, () -> other.cloneRange(gone, from.inode(), 0, old, 0, 300_000));
      pool.destroySnapshot("s");
      fs.unlink(FileSystem.ROOT_INODE, Model.bytes("from"));
      fs.release(from);
      fs.syncAll();
      pool.audit();
      assertArrayEquals(content, read(other, old));
      assertArrayEquals(now, read(other, live));
    }
  }

  /**
   * Each clone doubles the extents of a file of one sector, so that there are more than one call
   * takes, and than one commit of a restored path.
   */
  @Test
  void filesOfMoreExtentsThanACommitTakesAreClonedAndRestoredInParts() throws Exception {
    try (TestPool pool =
        TestPool.create(directory.resolve("p"), CAPACITY_BYTES, NONE, TestPool.ON_DEMAND)) {
      Volume fs = (Volume) pool.fileSystem();
      FileHandle file = create(fs, "file");
      write(fs, file, 0, random(new Random(3), SECTOR));
      fs.setAttributes(
          Caller.ROOT,
          file.inode(),
          null,
          new AttributeChange(null, null, null, 2L * SECTOR, null, null, null, false));
      int extents = 1;
      while (extents < 131_072) {
        long size = fs.getAttributes(file.inode()).size();
        long done = 0;
        while (done < size) {
          long now = fs.cloneRange(fs, file, done, file, size + done, size - done);
          assertTrue(now > 0 && now <= 2L * SECTOR * RangeCloning.EXTENTS_MAX, "cloned " + now);
          done += now;
        }
        extents *= 2;
      }
      byte[] content = Arrays.copyOf(read(fs, file), 64 * SECTOR);
      pool.snapshot("s");
      fs.setAttributes(
          Caller.ROOT,
          file.inode(),
          null,
          new AttributeChange(null, null, null, 0L, null, null, null, false));
      long before = pool.pool().status().txg();
      assertEquals(
          1, pool.pool().administration().restorePath("root", "s", Model.bytes("file")).changed());
      assertTrue(pool.pool().status().txg() - before > 2, "in one commit");
      var restored = fs.lookup(FileSystem.ROOT_INODE, Model.bytes("file"));
      assertEquals(2L * SECTOR * extents, restored.size());
      byte[] now = new byte[content.length];
      FileHandle handle = fs.open(restored.inode(), OpenFlags.READ_ONLY);
      fs.read(handle, restored.size() / 2, now.length, ByteBuffer.wrap(now));
      assertArrayEquals(content, now);
      fs.release(handle);
      pool.audit();
    }
  }

  @Test
  void randomPlainClonesAreWhatArraysSay() throws Exception {
    check(NONE, 1);
  }

  @Test
  void randomCompressedClonesAreWhatArraysSay() throws Exception {
    check(LZ4, 2);
  }

  private void check(CompressionSetting compression, int salt) throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      long seed = SEED * 37 + salt * 1000L + round;
      System.out.printf("%s: seed %d, %d steps%n", compression, seed, STEPS);
      try (Run run = new Run(directory.resolve("c" + salt + round), compression, seed)) {
        for (int i = 0; i < STEPS; i++) {
          try {
            run.step();
          } catch (AssertionError | IOException | RuntimeException | FsException failure) {
            throw new AssertionError("seed %d, step %d: %s".formatted(seed, i, failure), failure);
          }
        }
        run.compare();
        run.pool.audit();
      }
    }
  }

  /** A file by its volume, with what it should hold. */
  private static final class File {
    final int volume;
    FileHandle handle;
    byte[] content = {};

    File(int volume) {
      this.volume = volume;
    }
  }

  /** Files of two datasets, and snapshots of both. */
  private static final class Run implements AutoCloseable {
    private static final String[] DATASETS = {"root", "root/other"};
    private static final int FILE_SECTORS_MAX = 200;

    private final Random random;
    final TestPool pool;
    private final Volume[] volumes = new Volume[2];
    private final List<File> files = new ArrayList<>();
    private final List<String> snapshots = new ArrayList<>();
    private int nextSnapshot;

    Run(Path directory, CompressionSetting compression, long seed) throws Exception {
      random = new Random(seed);
      pool = TestPool.create(directory, CAPACITY_BYTES, compression, TestPool.ON_DEMAND);
      pool.pool().administration().createDataset(DATASETS[1], Map.of());
      for (int i = 0; i < 6; i++) {
        files.add(new File(i % 2));
      }
      open();
    }

    private void open() throws IOException, FsException {
      for (int i = 0; i < 2; i++) {
        volumes[i] = (Volume) pool.pool().fileSystem(DATASETS[i]);
      }
      for (File file : files) {
        String name = "f" + files.indexOf(file);
        Volume volume = volumes[file.volume];
        if (file.handle == null) {
          file.handle = create(volume, name);
        } else {
          file.handle = volume.open(file.handle.inode(), Set.of(OpenFlags.READ, OpenFlags.WRITE));
        }
      }
    }

    private File pick() {
      return files.get(random.nextInt(files.size()));
    }

    void step() throws FsException, IOException {
      int kind = random.nextInt(100);
      File file = pick();
      Volume volume = volumes[file.volume];
      if (kind < 30) {
        int offset = random.nextInt(3) == 0 ? 0 : random.nextInt(file.content.length + 20_000);
        byte[] bytes = bytes(1 + random.nextInt(random.nextBoolean() ? 3000 : 200_000));
        write(volume, file.handle, offset, bytes);
        file.content =
            Arrays.copyOf(file.content, Math.max(file.content.length, offset + bytes.length));
        System.arraycopy(bytes, 0, file.content, offset, bytes.length);
      } else if (kind < 38) {
        int size = random.nextInt(4) == 0 ? random.nextInt(5000) : random.nextInt(500_000);
        volume.setAttributes(
            Caller.ROOT,
            file.handle.inode(),
            null,
            new AttributeChange(null, null, null, (long) size, null, null, null, false));
        file.content = Arrays.copyOf(file.content, size);
      } else if (kind < 75) {
        cloneSome(pick(), file);
      } else if (kind < 80) {
        snapshot();
      } else if (kind < 84 && !snapshots.isEmpty()) {
        String name = snapshots.remove(random.nextInt(snapshots.size()));
        for (String dataset : DATASETS) {
          pool.pool().administration().destroySnapshots(dataset, name, Scope.ONE, Mode.EXECUTE);
        }
      } else if (kind < 88) {
        compare();
      } else if (kind < 91) {
        pool.audit();
      } else if (kind < 93) {
        pool.reopen();
        open();
        compare();
      } else {
        volume.syncAll();
      }
    }

    private byte[] bytes(int length) {
      byte[] bytes = new byte[length];
      if (random.nextBoolean()) {
        random.nextBytes(bytes);
      } else {
        for (int i = 0; i < length; i++) {
          bytes[i] = (byte) ((i >> 6) * 31 + random.nextInt(2));
        }
      }
      return bytes;
    }

    private void snapshot() throws IOException {
      String name = "s" + nextSnapshot++;
      pool.pool().administration().snapshot("root", name, Scope.WITH_DESCENDANTS);
      snapshots.add(name);
    }

    private void cloneSome(File from, File to) throws FsException {
      int fromSectors = from.content.length / SECTOR + 1;
      int at = random.nextInt(fromSectors) * SECTOR;
      int toAt =
          random.nextInt(Math.min(FILE_SECTORS_MAX, to.content.length / SECTOR + 5)) * SECTOR;
      int length = random.nextInt(80) * SECTOR;
      if (random.nextInt(3) == 0) {
        length = Math.max(0, from.content.length - at);
      }
      int count = Math.max(0, Math.min(length, from.content.length - at));
      boolean overlap = from == to && Math.abs(at - toAt) < length;
      boolean tail = count % SECTOR != 0 && toAt + count < to.content.length;
      try {
        long done =
            volumes[to.volume].cloneRange(
                volumes[from.volume], from.handle, at, to.handle, toAt, length);
        assertTrue(!overlap && !tail, "not refused");
        assertEquals(count, done);
      } catch (FsException refused) {
        assertEquals(FsError.INVALID, refused.error());
        assertTrue(overlap || tail, () -> "refused: " + refused.getCause());
        return;
      }
      if (count > 0) {
        to.content = Arrays.copyOf(to.content, Math.max(to.content.length, toAt + count));
        System.arraycopy(from.content, at, to.content, toAt, count);
      }
    }

    void compare() throws FsException {
      for (File file : files) {
        byte[] found = read(volumes[file.volume], file.handle);
        int mismatch = Arrays.mismatch(file.content, found);
        assertEquals(-1, mismatch, "file " + files.indexOf(file) + " differs");
      }
    }

    @Override
    public void close() throws IOException {
      pool.close();
    }
  }
}
