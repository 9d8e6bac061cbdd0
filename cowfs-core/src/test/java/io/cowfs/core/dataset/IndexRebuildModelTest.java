package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.MemoryBlocks.Extent;
import io.cowfs.core.scrub.IndexRebuild;
import io.cowfs.core.scrub.ItemReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** An index that is made anew says the same as the one that was lost, after any history. */
@Execution(ExecutionMode.CONCURRENT)
final class IndexRebuildModelTest {
  private static final int RUNS = Boolean.getBoolean("cowfs.soak") ? 300 : 5;
  private static final int STEPS = 2_500;
  private static final int MAX_NODES = 14;
  private static final ItemReader ITEMS =
      new ItemReader() {
        @Override
        public DataExtent extentOf(Key key, byte[] value) {
          Extent extent = Extent.decode(value);
          return DataExtent.plain(
              extent.sector(),
              extent.sectors() * DataExtent.SECTOR_BYTES,
              extent.birthTxg(),
              new int[extent.sectors()]);
        }

        @Override
        public String pathOf(Tree tree, Key key) {
          return key.toString();
        }

        @Override
        public List<String> pathsOf(Tree tree, Key key) {
          return List.of(pathOf(tree, key));
        }
      };

  @TempDir Path directory;

  private int rebuilt;
  private boolean sharedSeen;
  private boolean deadlistsSeen;
  private boolean condemnedSeen;

  static LongStream seeds() {
    Long seed = Long.getLong("cowfs.test.seed");
    return seed != null
        ? LongStream.of(seed)
        : LongStream.concat(
            LongStream.range(1, RUNS), LongStream.of(new Random().nextLong() >>> 16));
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void anyHistoryIsFoundAgain(long seed) throws IOException {
    Random random = new Random(seed);
    BackgroundFrees.Budget budget =
        new BackgroundFrees.Budget(1 + random.nextInt(80), 1 + random.nextInt(4));
    try (SimulatedPool pool = new SimulatedPool(directory, budget)) {
      RandomChanges changes = new RandomChanges(pool, random);
      RandomTasks tasks = new RandomTasks(pool, random, MAX_NODES);
      while (changes.steps() + tasks.steps() < STEPS) {
        pool.clock += 1 + random.nextInt(4);
        pool.begin();
        changes.run(true);
        tasks.run(random.nextInt(4));
        pool.commit();
        HistoryAudit.check(pool);
        if (random.nextInt(12) == 0) {
          loseAndRebuild(pool, random);
        }
      }
      loseAndRebuild(pool, random);
    } catch (AssertionError | IOException | RuntimeException e) {
      throw new AssertionError("-Dcowfs.test.seed=" + seed + ", rebuilt " + rebuilt, e);
    }
    assertTrue(rebuilt > 1 && sharedSeen && deadlistsSeen && condemnedSeen, "all was met");
  }

  private void loseAndRebuild(SimulatedPool pool, Random random) throws IOException {
    CatalogState before = pool.catalog.load();
    pool.catalog.close();
    Path file = directory.resolve("index/data.mdb");
    switch (random.nextInt(3)) {
      case 0 -> Files.delete(file);
      case 1 -> Files.write(file, new byte[random.nextInt(9_000)]);
      default -> {
        byte[] noise = new byte[50_000];
        random.nextBytes(noise);
        Files.write(file, noise);
      }
    }
    byte[] lost = Files.exists(file) ? Files.readAllBytes(file) : null;
    Path kept = rebuild(pool, pool.blocks, before);
    assertEquals(lost == null, kept == null);
    if (kept != null) {
      assertArrayEquals(lost, Files.readAllBytes(kept));
    }
    pool.crash();
    CatalogState after = pool.catalog.load();
    assertEquals(before.pool().directoryRoot(), after.pool().directoryRoot());
    assertEquals(before.pool().directorySectors(), after.pool().directorySectors());
    assertEquals(before.pool().nextNode(), after.pool().nextNode());
    assertTrue(before.pool().nextId() <= after.pool().nextId());
    assertEquals(before.nodes(), after.nodes());
    assertEquals(before.properties(), after.properties());
    assertEquals(List.of(), after.condemned());
    assertEquals(Map.of(), after.deferred());
    assertEquals(before.deadlists().deadlists(), after.deadlists().deadlists());
    HistoryAudit.check(pool);
    rebuilt++;
    sharedSeen |= after.shared().ranges() > 0;
    deadlistsSeen |= !after.deadlists().lists().isEmpty();
    condemnedSeen |= !before.condemned().isEmpty();
  }

  private Path rebuild(SimulatedPool pool, NodeReader reader, CatalogState before)
      throws IOException {
    return IndexRebuild.run(
        new IndexRebuild.Sources(
            directory,
            SimulatedPool.CAPACITY_BYTES,
            SimulatedPool.CAPACITY_BYTES / DataExtent.SECTOR_BYTES,
            reader,
            ITEMS),
        before.pool().directoryRoot().orElseThrow(),
        pool.txg(),
        ".kept-" + rebuilt);
  }

  /** Whichever node cannot be read: nothing is installed, and nothing is left over. */
  @Test
  void aNodeThatCannotBeReadLeavesTheOldIndex() throws IOException {
    Random random = new Random(4);
    try (SimulatedPool pool = new SimulatedPool(directory)) {
      RandomChanges changes = new RandomChanges(pool, random);
      RandomTasks tasks = new RandomTasks(pool, random, MAX_NODES);
      while (tasks.steps() < 40) {
        pool.begin();
        changes.run(true);
        tasks.run(3);
        pool.commit();
      }
      CatalogState before = pool.catalog.load();
      pool.catalog.close();
      byte[] old = Files.readAllBytes(directory.resolve("index/data.mdb"));
      int[] reads = {0};
      for (int failing = 0; failing < 12; failing++) {
        int now = failing;
        reads[0] = 0;
        NodeReader broken =
            pointer -> {
              if (reads[0]++ == now) {
                throw new IOException("the disk is broken");
              }
              return pool.blocks.readNode(pointer);
            };
        CorruptBlockException failure =
            assertThrows(CorruptBlockException.class, () -> rebuild(pool, broken, before));
        assertTrue(failure.getMessage().contains("the disk is broken"), failure.getMessage());
        assertArrayEquals(old, Files.readAllBytes(directory.resolve("index/data.mdb")));
        assertFalse(Files.exists(directory.resolve("index.new")));
      }
      pool.crash();
      HistoryAudit.check(pool);
    }
  }

  /** What a crash can leave: an unfinished index, or the old one under both of its names. */
  @Test
  void aRebuildThatACrashCutShortIsRunAgain() throws IOException {
    Random random = new Random(5);
    try (SimulatedPool pool = new SimulatedPool(directory)) {
      RandomChanges changes = new RandomChanges(pool, random);
      for (int i = 0; i < 5; i++) {
        pool.begin();
        changes.run(true);
        pool.commit();
      }
      CatalogState before = pool.catalog.load();
      pool.catalog.close();
      Path index = directory.resolve("index/data.mdb");
      Path unfinished = Files.createDirectory(directory.resolve("index.new"));
      Files.write(unfinished.resolve("data.mdb"), new byte[5_000]);
      Files.write(unfinished.resolve("lock.mdb"), new byte[100]);
      Files.createLink(directory.resolve("index/data.mdb.damaged"), index);

      rebuild(pool, pool.blocks, before);
      assertFalse(Files.exists(unfinished));
      pool.crash();
      HistoryAudit.check(pool);
    }
  }
}
