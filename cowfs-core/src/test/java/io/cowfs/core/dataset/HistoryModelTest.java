package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.btree.Key;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random histories of a pool: writes, snapshots, rollbacks, destructions, crashes. After each txg
 * everything is walked and compared with a naive model.
 */
final class HistoryModelTest {
  private static final int RUNS = Integer.getInteger("cowfs.test.runs", 6);
  private static final int TXGS = 250;
  private static final int MAX_NODES = 14;
  private static final int KEYS = 160;

  @TempDir Path directory;

  private Random random;
  private SimulatedPool pool;
  private int names;

  /** The nodes of the last two commits before the current one. */
  private final Deque<List<NodeRecord>> earlier = new ArrayDeque<>();

  static LongStream seeds() {
    Long seed = Long.getLong("cowfs.test.seed");
    return seed != null
        ? LongStream.of(seed)
        : LongStream.concat(
            LongStream.rangeClosed(1, RUNS), LongStream.of(new Random().nextLong()));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void everyReachableBlockIsKeptAndEveryOtherIsFreed(long seed) throws IOException {
    random = new Random(seed);
    int step = 0;
    try (SimulatedPool simulated = new SimulatedPool(directory)) {
      pool = simulated;
      for (; step < TXGS; step++) {
        runTxg();
      }
    } catch (AssertionError | IOException | RuntimeException e) {
      throw new AssertionError("-Dcowfs.test.seed=" + seed + ", step " + step, e);
    }
  }

  private void runTxg() throws IOException {
    int kind = random.nextInt(20);
    if (kind == 0) {
      crashSomewhere();
      return;
    }
    List<NodeRecord> before = pool.datasets.nodes();
    pool.begin();
    if (kind < 4 && destroyAloneAndCompareUsed()) {
      return;
    }
    writeAndRunTasks();
    pool.commit();
    afterCommit(before);
  }

  private void afterCommit(List<NodeRecord> before) throws IOException {
    HistoryAudit.check(pool);
    for (List<NodeRecord> nodes : earlier) {
      HistoryAudit.checkWhole(pool, nodes);
    }
    earlier.addLast(before);
    if (earlier.size() > 1) {
      earlier.removeFirst();
    }
  }

  private void crashSomewhere() throws IOException {
    List<NodeRecord> committed = pool.datasets.nodes();
    if (random.nextBoolean()) {
      pool.begin();
      writeAndRunTasks();
      if (random.nextBoolean()) {
        CommitBatch batch = pool.prepareCommit();
        if (random.nextBoolean()) {
          pool.catalog.commit(batch);
          pool.committed();
          committed = pool.datasets.nodes();
        }
      }
    }
    pool.crash();
    assertEquals(committed, pool.datasets.nodes());
    earlier.clear();
    HistoryAudit.check(pool);
  }

  private void writeAndRunTasks() throws IOException {
    for (DatasetHead head : pool.datasets.heads()) {
      if (random.nextInt(3) > 0) {
        pool.change(head.name(), changes(), random.nextInt(400));
      }
    }
    int tasks = random.nextInt(3);
    for (int i = 0; i < tasks; i++) {
      runTask();
    }
  }

  private Map<Key, Integer> changes() {
    Map<Key, Integer> changes = new TreeMap<>();
    int first = random.nextInt(KEYS);
    boolean clustered = random.nextBoolean();
    int deletes = random.nextInt(8) == 0 ? 9 : 2;
    for (int i = random.nextInt(25); i > 0; i--) {
      int inode = clustered ? (first + i) % KEYS : random.nextInt(KEYS);
      int sectors = random.nextInt(10) < deletes ? 0 : 1 + random.nextInt(6);
      if (random.nextInt(5) == 0) {
        sectors = -sectors;
      }
      changes.put(new Key(inode, 1, 0), sectors);
    }
    return changes;
  }

  private void runTask() throws IOException {
    List<DatasetHead> heads = pool.datasets.heads();
    DatasetHead head = heads.get(random.nextInt(heads.size()));
    List<String> snapshots = snapshots(head.name());
    boolean crowded = pool.model.size() >= MAX_NODES;
    switch (random.nextInt(9)) {
      case 0, 1, 2 -> {
        if (!crowded) {
          pool.snapshot(head.name(), "s" + names++);
        }
      }
      case 3, 4 -> {
        if (!snapshots.isEmpty() && !crowded) {
          pool.rollback(head.name(), any(snapshots), "old" + names++);
        }
      }
      case 5, 6, 7 -> {
        if (!snapshots.isEmpty()) {
          pool.destroySnapshot(head.name(), any(snapshots));
        }
      }
      default -> createOrDestroy(head, heads.size(), crowded);
    }
  }

  private void createOrDestroy(DatasetHead head, int heads, boolean crowded) throws IOException {
    if (head.name().equals(Names.ROOT_DATASET)) {
      if (heads < 3 && !crowded) {
        pool.create("d" + names++);
      }
    } else if (random.nextInt(3) == 0) {
      pool.destroyDataset(head.name());
    }
  }

  /** What the list promised to free is freed. */
  private boolean destroyAloneAndCompareUsed() throws IOException {
    List<DatasetInfo> snapshots =
        pool.datasets.list().stream().filter(info -> info.kind() == NodeKind.SNAPSHOT).toList();
    if (snapshots.isEmpty()) {
      return false;
    }
    List<NodeRecord> before = pool.datasets.nodes();
    DatasetInfo victim = snapshots.get(random.nextInt(snapshots.size()));
    long pending = pool.allocator.pendingSectors();
    pool.destroySnapshot(victim.dataset(), victim.snapshot());
    long freed = pool.allocator.pendingSectors() - pending;
    assertEquals(victim.usedBytes(), freed * 4096, () -> "freed by destroying " + victim);
    pool.commit();
    afterCommit(before);
    return true;
  }

  private List<String> snapshots(String dataset) {
    List<String> snapshots = new ArrayList<>();
    for (String name : pool.model.keySet()) {
      if (name.startsWith(dataset + "@")) {
        snapshots.add(name.substring(dataset.length() + 1));
      }
    }
    return snapshots;
  }

  private String any(List<String> choices) {
    return choices.get(random.nextInt(choices.size()));
  }
}
