package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.fs.FileChange.Kind;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What changed between snapshots, and between them and the live dataset, is what changed between
 * the models of those moments, in all directions and over rollbacks.
 */
class TreeComparisonModelTest {
  private static final int ROUNDS = Integer.getInteger("cowfs.test.rounds", 6);

  @TempDir Path directory;

  /** One name of an inode. */
  private record Name(long parent, String name) {}

  /** What there was at a moment. */
  private static final class State {
    final String snapshot;
    final Map<Long, ModelNode> inodes = new HashMap<>();
    final Map<Long, Map<Name, String>> names = new HashMap<>();
    final Map<Long, Attributes> attributes = new HashMap<>();

    State(String snapshot, Model model, FileSystem fs) throws FsException {
      this.snapshot = snapshot;
      collect(model.copy().root, "");
      for (long inode : inodes.keySet()) {
        attributes.put(inode, fs.getAttributes(inode));
      }
    }

    private void collect(ModelNode node, String path) {
      inodes.put(node.inode, node);
      node.entries.forEach(
          (name, child) -> {
            String at = path + "/" + name;
            names
                .computeIfAbsent(child.inode, n -> new HashMap<>())
                .put(new Name(node.inode, name), at);
            collect(child, at);
          });
    }
  }

  @Test
  void changesAreThoseOfTheModel() throws Exception {
    Map<Kind, Integer> met = new EnumMap<>(Kind.class);
    for (int round = 0; round < ROUNDS; round++) {
      long seed = Long.getLong("cowfs.test.seed", System.nanoTime());
      System.out.println("TreeComparisonModelTest seed " + seed);
      Random random = new Random(seed);
      try (TestPool pool =
          TestPool.create(
              directory.resolve("pool" + round),
              1L << 30,
              CompressionSetting.NONE,
              TestPool.ON_DEMAND)) {
        run(pool, random, met);
      }
    }
    for (Kind kind : Kind.values()) {
      assertTrue(met.getOrDefault(kind, 0) > 100, "hardly any " + kind + ": " + met);
    }
  }

  private static void run(TestPool pool, Random random, Map<Kind, Integer> met)
      throws IOException, FsException {
    FileSystem fs = pool.fileSystem();
    Model model = new Model(FileSystem.ROOT_INODE);
    Attributes root = fs.getAttributes(FileSystem.ROOT_INODE);
    model.root.mode = root.mode() & 07777;
    model.root.uid = root.uid();
    model.root.gid = root.gid();
    VolumeDriver driver = new VolumeDriver(fs, model);
    List<State> states = new ArrayList<>();
    Map<String, Model> models = new HashMap<>();
    for (int i = 0; i < 12; i++) {
      int steps = random.nextInt(4) == 0 ? random.nextInt(4) : random.nextInt(250);
      for (int step = 0; step < steps; step++) {
        driver.step(random.nextLong());
      }
      String name = "s" + i;
      states.add(new State(name, driver.model(), fs));
      models.put(name, driver.model().copy());
      pool.snapshot(name);
      if (random.nextInt(4) == 0) {
        String back = "s" + random.nextInt(i + 1);
        pool.rollback(back);
        driver.rolledBack(models.get(back).copy());
      }
      State live = new State(null, driver.model(), fs);
      for (int pair = 0; pair < 6; pair++) {
        State old = states.get(random.nextInt(states.size()));
        State now = random.nextInt(3) == 0 ? live : states.get(random.nextInt(states.size()));
        compare(pool, old, now, met);
        compare(pool, now, old, met);
      }
    }
    driver.letGo();
    comparePages(pool);
    pool.audit();
  }

  /** Pages of any size make up the same list. */
  private static void comparePages(TestPool pool) throws IOException {
    List<FileChange> whole =
        new TreeComparison(pool.tree("s0"), pool.tree("s11")).pageAfter(null).changes();
    for (long bytes : new long[] {1, 500, 3_000}) {
      TreeComparison comparison = new TreeComparison(pool.tree("s0"), pool.tree("s11"), bytes);
      List<FileChange> all = new ArrayList<>();
      TreeComparison.Page page = comparison.pageAfter(null);
      all.addAll(page.changes());
      while (!page.isLast()) {
        assertFalse(page.changes().isEmpty(), "no progress");
        page = comparison.pageAfter(all.get(all.size() - 1));
        all.addAll(page.changes());
      }
      assertEquals(whole, all);
    }
  }

  private static void compare(TestPool pool, State old, State now, Map<Kind, Integer> met)
      throws IOException {
    List<FileChange> found = new ArrayList<>();
    pool.pool().diff("root", old.snapshot, now.snapshot, found::add);
    List<FileChange> sorted = new ArrayList<>(found);
    sorted.sort(null);
    assertEquals(sorted, found, "order");
    Set<String> lines = new TreeSet<>();
    for (FileChange change : found) {
      met.merge(change.kind(), 1, Integer::sum);
      String oldPath = change.oldPath() == null ? "" : Model.text(change.oldPath());
      assertTrue(
          lines.add(
              line(change.kind(), Model.text(change.path()), oldPath)
                  + " "
                  + change.type()
                  + change.inode()),
          "twice");
    }
    Set<String> optional = new HashSet<>();
    Set<String> expected = new TreeSet<>(expected(old, now, optional));
    lines.removeIf(line -> optional.contains(line) && !expected.contains(line));
    assertEquals(expected, lines, old.snapshot + " to " + now.snapshot);
  }

  private static String line(Kind kind, String path, String oldPath) {
    return kind + " " + path + " " + oldPath;
  }

  /** Lines that must be there; {@code optional} gets those that may. */
  private static Set<String> expected(State old, State now, Set<String> optional) {
    Set<String> lines = new HashSet<>();
    Set<Long> inodes = new HashSet<>(old.inodes.keySet());
    inodes.addAll(now.inodes.keySet());
    for (long inode : inodes) {
      Map<Name, String> oldNames = old.names.getOrDefault(inode, Map.of());
      Map<Name, String> newNames = now.names.getOrDefault(inode, Map.of());
      TreeSet<String> removed = new TreeSet<>();
      TreeSet<String> added = new TreeSet<>();
      oldNames.forEach((name, path) -> addIf(!newNames.containsKey(name), path, removed));
      newNames.forEach((name, path) -> addIf(!oldNames.containsKey(name), path, added));
      ModelNode before = old.inodes.get(inode);
      ModelNode after = now.inodes.get(inode);
      boolean same = before != null && after != null;
      if (same) {
        removed.removeIf(added::remove);
      }
      String suffix = " " + (same ? after : before == null ? after : before).type + inode;
      if (same && removed.size() == 1 && added.size() == 1) {
        lines.add(line(Kind.RENAMED, added.first(), removed.first()) + suffix);
        added.clear();
      }
      added.forEach(path -> lines.add(line(Kind.ADDED, path, "") + suffix));
      if (lines.stream().noneMatch(l -> l.startsWith("RENAMED") && l.endsWith(suffix))) {
        removed.forEach(path -> lines.add(line(Kind.REMOVED, path, "") + suffix));
      }
      if (same) {
        List<String> paths = new ArrayList<>(newNames.values());
        paths.removeAll(added);
        addIf(inode == FileSystem.ROOT_INODE, "/", paths);
        Attributes a = old.attributes.get(inode);
        Attributes b = now.attributes.get(inode);
        Set<String> target = isModified(before, after, a, b) ? lines : optional;
        // What was written again with the same bytes, and its time set back, may be mentioned.
        boolean mayBe = !a.ctime().equals(b.ctime()) && (b.isRegular() || !after.xattrs.isEmpty());
        if (target == lines || mayBe) {
          paths.forEach(path -> target.add(line(Kind.MODIFIED, path, "") + suffix));
        }
      }
    }
    return lines;
  }

  private static void addIf(boolean condition, String path, java.util.Collection<String> paths) {
    if (condition) {
      paths.add(path);
    }
  }

  private static boolean isModified(
      ModelNode before, ModelNode after, Attributes old, Attributes now) {
    boolean sameXattrs =
        before.xattrs.keySet().equals(after.xattrs.keySet())
            && before.xattrs.entrySet().stream()
                .allMatch(e -> Arrays.equals(e.getValue(), after.xattrs.get(e.getKey())));
    if (!sameXattrs
        || before.mode != after.mode
        || before.uid != after.uid
        || before.gid != after.gid) {
      return true;
    }
    return !after.isDirectory()
        && (before.size() != after.size()
            || !old.mtime().equals(now.mtime())
            || !Arrays.equals(before.read(0, before.size()), after.read(0, after.size())));
  }
}
