package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.dataset.DatasetTasks.Recursion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random histories of a pool: writes, cloned ranges, snapshots, clones, rollbacks, destructions,
 * freeing piece by piece, crashes. After each commit everything is walked and compared with a naive
 * model, {@link HistoryAudit}. A step is one operation, such as the change of one extent.
 */
@Execution(ExecutionMode.CONCURRENT)
final class HistoryModelTest {
  private static final int RUNS =
      Integer.getInteger("cowfs.test.runs", Boolean.getBoolean("cowfs.soak") ? 400 : 40);
  private static final int STEPS = 5_200;
  private static final int MAX_NODES = 14;

  private static final AtomicLong STEPS_OF_ALL_RUNS = new AtomicLong();

  @TempDir Path directory;

  private Random random;
  private SimulatedPool pool;
  private RandomChanges changes;
  private RandomTasks tasks;

  /** The nodes of the last two commits before the current one. */
  private final Deque<List<NodeRecord>> earlier = new ArrayDeque<>();

  static LongStream seeds() {
    Long seed = Long.getLong("cowfs.test.seed");
    return seed != null
        ? LongStream.of(seed)
        : LongStream.concat(
            LongStream.range(1, RUNS), LongStream.of(new Random().nextLong() >>> 16));
  }

  @AfterAll
  static void enoughStepsWereTaken() {
    System.out.println(STEPS_OF_ALL_RUNS + " steps");
    assertTrue(
        STEPS_OF_ALL_RUNS.get() >= (long) RUNS * STEPS || Long.getLong("cowfs.test.seed") != null,
        "of " + RUNS + " runs");
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void everyReachableBlockIsKeptAndEveryOtherIsFreed(long seed) throws IOException {
    random = new Random(seed);
    BackgroundFrees.Budget budget =
        new BackgroundFrees.Budget(1 + random.nextInt(80), 1 + random.nextInt(4));
    try (SimulatedPool simulated = new SimulatedPool(directory, budget)) {
      pool = simulated;
      changes = new RandomChanges(pool, random);
      tasks = new RandomTasks(pool, random, MAX_NODES);
      if (random.nextBoolean()) {
        keepCheckpoints();
      }
      while (steps() < STEPS) {
        runTxg();
      }
      freeEverything();
    } catch (AssertionError | IOException | RuntimeException e) {
      throw new AssertionError("-Dcowfs.test.seed=" + seed + ", step " + steps(), e);
    }
    STEPS_OF_ALL_RUNS.addAndGet(steps());
  }

  private long steps() {
    return changes.steps() + tasks.steps();
  }

  private void keepCheckpoints() throws IOException {
    pool.begin();
    pool.setProperty(Names.ROOT_DATASET, null, "checkpoints", "2s:8s 8s:30s");
    pool.commit();
    pool.keepsCheckpoints = true;
    pool.datasets.checkpoints().enable(() -> Long.MAX_VALUE);
  }

  private void runTxg() throws IOException {
    pool.clock += 1 + random.nextInt(4);
    int kind = random.nextInt(24);
    if (kind == 0) {
      crashSomewhere();
      return;
    }
    if (kind < 4 && tryDestruction()) {
      return;
    }
    if (pool.keepsCheckpoints && random.nextInt(20) == 0) {
      pool.datasets.checkpoints().giveWay();
    }
    List<NodeRecord> before = pool.datasets.nodes();
    pool.begin();
    changes.run(true);
    tasks.run(random.nextInt(4));
    pool.commit();
    afterCommit(before);
  }

  private void afterCommit(List<NodeRecord> before) throws IOException {
    HistoryAudit.check(pool, earlier);
    earlier.addLast(before);
    if (earlier.size() > 2) {
      earlier.removeFirst();
    }
  }

  private void crashSomewhere() throws IOException {
    List<NodeRecord> committed = pool.datasets.nodes();
    if (random.nextBoolean()) {
      pool.begin();
      changes.run(true);
      tasks.run(random.nextInt(3));
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

  // ---- what a destruction is said to free

  private interface Destruction {
    void run() throws IOException;
  }

  /** What was predicted is condemned, and then freed. False when there is nothing to destroy. */
  private boolean tryDestruction() throws IOException {
    String dataset = tasks.anyDataset();
    List<String> victims = tasks.someSnapshots(dataset);
    boolean whole = !dataset.equals(Names.ROOT_DATASET) && random.nextInt(3) == 0;
    if (whole
        ? tasks.isDatasetHeld(dataset)
        : victims.isEmpty() || tasks.isHeld(dataset, victims)) {
      return false;
    }
    long listed = listedBytes(dataset, victims);
    List<NodeRecord> before = pool.datasets.nodes();
    pool.begin();
    List<Condemned> tried =
        whole
            ? pool.datasets.tasks().tryDestroyDataset(dataset, Recursion.DESCENDANTS)
            : pool.datasets.tasks().tryDestroySnapshots(dataset, victims);
    if (!whole && victims.size() == 1) {
      long sectors = tried.stream().mapToLong(Condemned::sectors).sum();
      assertEquals(listed, sectors * 4096, () -> "listed for " + dataset + "@" + victims);
    }
    if (random.nextInt(4) == 0) {
      pool.commit();
      afterCommit(before);
      assertTrue(pool.keepsCheckpoints || pool.datasets.nodes().equals(before), "only tried");
      return true;
    }
    destroyAndCompare(
        tried,
        before,
        () -> {
          if (whole) {
            pool.destroyDataset(dataset);
          } else {
            pool.destroySnapshots(dataset, victims);
          }
        });
    return true;
  }

  private long listedBytes(String dataset, List<String> victims) {
    return pool.datasets.list().stream()
        .filter(info -> info.dataset().equals(dataset) && victims.contains(info.snapshot()))
        .mapToLong(DatasetInfo::usedBytes)
        .sum();
  }

  private void destroyAndCompare(
      List<Condemned> tried, List<NodeRecord> before, Destruction destruction) throws IOException {
    List<Condemned> old = pool.catalog.load().condemned();
    long used = usedSectors();
    destruction.run();
    pool.commit();
    long predicted = pool.datasets.bytesFreedBy(tried);
    afterCommit(before);
    List<Condemned> made = new ArrayList<>(pool.catalog.load().condemned());
    made.removeAll(old);
    if (pool.keepsCheckpoints) {
      return; // What they gave up is not told apart.
    }
    assertEquals(sectors(tried), sectors(made), "what was tried is done, and nothing else");
    if (!old.isEmpty() || !tried.equals(made)) {
      return; // Short lists were joined: what was tried is in others.
    }
    freeEverything();
    assertEquals(predicted, (used - usedSectors()) * 4096, "freed as predicted");
  }

  private static long sectors(List<Condemned> condemned) {
    return condemned.stream().mapToLong(Condemned::sectors).sum();
  }

  /** Of all nodes, and of what is condemned. */
  private long usedSectors() {
    return pool.allocator.status().allocated()
        - pool.allocator.pendingSectors()
        - pool.datasets.totals().directory();
  }

  private void freeEverything() throws IOException {
    int pieces = 0;
    while (!pool.catalog.load().condemned().isEmpty()) {
      assertTrue(pool.datasets.backgroundFrees().hasBacklog(), "more is to be freed");
      List<NodeRecord> before = pool.datasets.nodes();
      pool.begin();
      pool.free();
      if (random.nextInt(12) == 0) {
        pool.crash();
        earlier.clear();
        HistoryAudit.check(pool);
      } else {
        pool.commit();
        afterCommit(before);
      }
      pieces++;
      assertTrue(pieces < 5_000, "freeing comes to its end");
    }
    assertFalse(pool.datasets.backgroundFrees().hasBacklog(), "nothing is to be freed");
  }
}
