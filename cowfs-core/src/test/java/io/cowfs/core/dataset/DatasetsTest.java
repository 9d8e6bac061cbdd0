package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.btree.Key;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.dataset.DatasetTasks.Recursion;
import io.cowfs.core.dataset.MemoryBlocks.Extent;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

final class DatasetsTest {
  @TempDir Path directory;
  private SimulatedPool pool;

  @BeforeEach
  void open() throws IOException {
    pool = new SimulatedPool(directory);
  }

  @AfterEach
  void close() throws IOException {
    pool.close();
  }

  @Test
  void aNewDatasetNeedsTheOneAboveIt() throws IOException {
    pool.begin();
    assertRefused(
        Reason.NOT_FOUND, () -> pool.datasets.tasks().createDataset("home/anna", Map.of()));
    pool.create("home");
    pool.create("home/anna");
    assertRefused(Reason.EXISTS, () -> pool.datasets.tasks().createDataset("home", Map.of()));
    assertRefused(
        Reason.INVALID_NAME, () -> pool.datasets.tasks().createDataset("home/", Map.of()));
    pool.commit();
    assertEquals(List.of("home", "home/anna", "root"), names());
    assertEquals(CompressionSetting.LZ4, pool.datasets.head("home/anna").compression());
  }

  @Test
  void aRenamedSnapshotIsFoundUnderItsNewNameOnly() throws IOException {
    snapshotAndCommit("a");
    snapshotAndCommit("b");
    SnapshotIndex.OfDataset index = pool.datasets.snapshots(pool.datasets.head("root"));
    int id = index.find(NodeKind.SNAPSHOT, "a").id();
    pool.begin();
    assertRefused(Reason.EXISTS, () -> pool.datasets.tasks().renameSnapshot("root", "a", "b"));
    assertRefused(Reason.NOT_FOUND, () -> pool.datasets.tasks().renameSnapshot("root", "c", "d"));
    assertRefused(
        Reason.INVALID_NAME, () -> pool.datasets.tasks().renameSnapshot("root", "a", "x/y"));
    pool.datasets.tasks().renameSnapshot("root", "a", "c");
    assertEquals(id, index.find(NodeKind.SNAPSHOT, "a").id(), "as of the last commit");
    pool.commit();
    assertEquals(null, index.find(NodeKind.SNAPSHOT, "a"));
    assertEquals(id, index.find(NodeKind.SNAPSHOT, "c").id());
    assertEquals(List.of("root", "root@c", "root@b"), names());
    pool.begin();
    pool.datasets.tasks().destroySnapshots("root", List.of("c"));
    pool.commit();
    assertEquals(null, index.find(NodeKind.SNAPSHOT, "c"));
    assertEquals(1, index.byId().size());
  }

  @Test
  void snapshotsAreListedFromOldToNewWithWhatTheyHold() throws IOException {
    writeAndCommit(Map.of(key(1), 3, key(2), 2));
    snapshotAndCommit("zero");
    writeAndCommit(Map.of(key(1), 4));
    snapshotAndCommit("a");
    assertEquals(List.of("root", "root@zero", "root@a"), names());
    DatasetInfo zero = pool.datasets.list().get(1);
    assertEquals("", zero.parentSnapshot());
    assertEquals("zero", pool.datasets.list().get(2).parentSnapshot());
    long nodes = zero.referencedBytes() / 4096 - 5;
    assertEquals((3 + nodes) * 4096, zero.usedBytes(), "the extent overwritten, and the tree");
    assertEquals(0, pool.datasets.list().get(0).usedBytes(), "nothing since the last snapshot");
  }

  @Test
  void aRollbackCanBeUndone() throws IOException {
    writeAndCommit(Map.of(key(1), 1));
    snapshotAndCommit("before");
    writeAndCommit(Map.of(key(1), 2, key(2), 1));
    Map<Key, byte[]> now = Map.copyOf(pool.model.get("root"));
    pool.begin();
    pool.rollback("root", "before", "undone");
    pool.commit();
    HistoryAudit.check(pool);
    pool.begin();
    pool.rollback("root", "undone", "redone");
    pool.commit();
    HistoryAudit.check(pool);
    assertEquals(now.keySet(), pool.model.get("root").keySet());
    assertEquals(List.of("root", "root@before", "root@undone", "root@redone"), names());
  }

  @Test
  void refusedRequestsChangeNothing() throws IOException {
    writeAndCommit(Map.of(key(1), 1));
    snapshotAndCommit("s");
    List<NodeRecord> before = pool.datasets.nodes();
    DatasetTasks tasks = pool.datasets.tasks();
    pool.begin();
    assertRefused(Reason.EXISTS, () -> tasks.snapshot(List.of("root"), "s", PropertySet.EMPTY));
    assertRefused(
        Reason.INVALID_NAME, () -> tasks.snapshot(List.of("root"), "a/b", PropertySet.EMPTY));
    assertRefused(
        Reason.NOT_FOUND, () -> tasks.snapshot(List.of("root", "other"), "t", PropertySet.EMPTY));
    assertRefused(Reason.NOT_FOUND, () -> tasks.rollback("root", "t", "old"));
    assertRefused(Reason.EXISTS, () -> tasks.rollback("root", "s", "s"));
    assertRefused(Reason.NOT_FOUND, () -> tasks.destroySnapshots("root", List.of("s", "t")));
    assertRefused(Reason.NOT_FOUND, () -> tasks.destroyDataset("other", Recursion.NONE));
    assertRefused(Reason.BUSY, () -> tasks.destroyDataset("root", Recursion.DESCENDANTS));
    pool.commit();
    assertEquals(before, pool.datasets.nodes());
    HistoryAudit.check(pool);
  }

  @Test
  void aDatasetIsDestroyedWithItsSnapshotsOnlyWhenAsked() throws IOException {
    pool.begin();
    pool.create("home");
    pool.create("home/anna");
    pool.change("home", Map.of(key(1), 5), 0);
    pool.snapshot("home", "s");
    pool.commit();
    long allocated = pool.allocator.status().allocated();
    pool.begin();
    DatasetTasks tasks = pool.datasets.tasks();
    assertRefused(Reason.BUSY, () -> tasks.destroyDataset("home", Recursion.NONE));
    pool.destroyDataset("home/anna");
    assertRefused(Reason.BUSY, () -> tasks.destroyDataset("home", Recursion.NONE));
    pool.destroyDataset("home");
    pool.commit();
    HistoryAudit.check(pool);
    assertEquals(List.of("root"), names());
    assertTrue(pool.datasets.totals().condemned() > 5, "of " + allocated);
    freeAll();
    HistoryAudit.check(pool);
    assertTrue(pool.allocator.status().allocated() < allocated);
  }

  @Test
  void clonesOutliveTheDatasetThatTheyCameFrom() throws IOException {
    pool.begin();
    pool.create("base");
    pool.commit();
    pool.begin();
    pool.change("base", Map.of(key(1), 5, key(2), 3), 0);
    pool.snapshot("base", "s");
    pool.commit();
    pool.begin();
    pool.cloneSnapshot("base", "s", "one");
    pool.cloneSnapshot("base", "s", "two");
    pool.commit();
    HistoryAudit.check(pool);
    pool.begin();
    pool.destroyDataset("base");
    pool.commit();
    HistoryAudit.check(pool);
    assertEquals(List.of("one", "root", "two"), names());
    assertEquals(4, pool.datasets.nodes().size(), "the snapshot goes on without a name");
    pool.crash();
    HistoryAudit.check(pool);
    pool.begin();
    pool.destroyDataset("one");
    pool.commit();
    HistoryAudit.check(pool);
    assertEquals(2, pool.datasets.nodes().size(), "until one clone is left");
    assertEquals(0, pool.datasets.totals().condemned(), "which has everything");
  }

  @Test
  void partsOfADeadlistRespectTwoSnapshotsOfOneTxg() throws IOException {
    pool.begin();
    pool.change("root", Map.of(key(1), 5), 0);
    pool.snapshot("root", "a");
    pool.snapshot("root", "b");
    pool.snapshot("root", "c");
    pool.commit();
    writeAndCommit(Map.of(key(1), 2));
    HistoryAudit.check(pool);
    for (String gone : List.of("c", "a", "b")) {
      pool.begin();
      pool.destroySnapshot("root", gone);
      pool.commit();
      HistoryAudit.check(pool);
    }
    freeAll();
    assertEquals(0, pool.datasets.totals().condemned());
    HistoryAudit.check(pool);
  }

  @Test
  void whatIsNamedTwiceIsMeantOnce() throws IOException {
    writeAndCommit(Map.of(key(1), 1));
    pool.begin();
    pool.snapshot(List.of("root", "root"), "s");
    pool.snapshot("root", "t");
    pool.commit();
    HistoryAudit.check(pool);
    assertEquals(List.of("root", "root@s", "root@t"), names());
    pool.begin();
    pool.destroySnapshots("root", List.of("s", "t", "s"));
    pool.commit();
    HistoryAudit.check(pool);
    assertEquals(List.of("root"), names());
  }

  @Test
  void hundredsOfSnapshotsCollapseOneByOne() throws IOException {
    for (int i = 0; i < 300; i++) {
      pool.begin();
      pool.change("root", Map.of(key(i % 10), 1, key(10 + i), 1), 0);
      pool.snapshot("root", "s" + i);
      pool.commit();
    }
    HistoryAudit.check(pool);
    pool.begin();
    for (int i = 0; i < 299; i++) {
      pool.destroySnapshot("root", "s" + i);
    }
    pool.commit();
    HistoryAudit.check(pool);
    assertEquals(List.of("root", "root@s299"), names());
  }

  @Test
  void aDeadlistHasFewPartsHoweverManySnapshotsWentAroundIt() throws IOException {
    int ages = 10;
    for (int age = 0; age < ages; age++) {
      Map<Key, Integer> written = new HashMap<>();
      for (int i = 0; i < 300; i++) {
        written.put(key(1 + age * 1000 + i), 1);
      }
      writeAndCommit(written);
      snapshotAndCommit("old" + age);
    }
    // What checkpoints do: many states that each lack something of every age, and that go again.
    for (int i = 0; i < 200; i++) {
      pool.begin();
      Map<Key, Integer> gone = new HashMap<>();
      for (int age = 0; age < ages; age++) {
        gone.put(key(1 + age * 1000 + i), 0);
      }
      pool.change("root", gone, 0);
      pool.snapshot("root", "s" + i);
      if (i > 0) {
        pool.destroySnapshot("root", "s" + (i - 1));
      }
      pool.commit();
      HistoryAudit.check(pool);
    }
    int parts = pool.catalog.load().deadlists().lists().size();
    assertTrue(parts <= 4 * ages, parts + " parts");
    pool.crash();
    pool.begin();
    for (int age = 0; age < ages; age++) {
      pool.destroySnapshot("root", "old" + age);
    }
    pool.commit();
    HistoryAudit.check(pool);
    freeAll();
    HistoryAudit.check(pool);
  }

  @Test
  void aPredictionWithClonedRangesCountsOnlyWhatWasBornSince() throws IOException {
    writeAndCommit(Map.of(key(1), 3, key(2), 2));
    pool.begin();
    Extent source = Extent.decode(pool.model.get("root").get(key(2)));
    pool.cloneRange(source, 0, 2, "root", key(3), 0);
    pool.commit();
    snapshotAndCommit("a");
    writeAndCommit(Map.of(key(2), 4));
    snapshotAndCommit("b");
    pool.begin();
    pool.rollback("root", "a", "old");
    pool.destroySnapshots("root", List.of("old"));
    pool.commit();
    pool.begin();
    List<Condemned> tried = pool.datasets.tasks().tryDestroySnapshots("root", List.of("b"));
    pool.commit();
    // Its one leaf is new, and has the extents of the other keys from before.
    long own = pool.node("root@b").orElseThrow().uniqueSectors();
    assertEquals(own * 4096, pool.datasets.bytesFreedBy(tried));
  }

  @Test
  void nothingSyncsOutsideOfATxg() {
    DatasetTasks tasks = pool.datasets.tasks();
    assertThrows(IllegalStateException.class, () -> tasks.createDataset("home", Map.of()));
    assertThrows(IllegalStateException.class, () -> pool.datasets.writeDirectory());
  }

  private static Key key(int inode) {
    return new Key(inode, 1, 0);
  }

  private void writeAndCommit(Map<Key, Integer> changes) throws IOException {
    pool.begin();
    pool.change("root", changes, 0);
    pool.commit();
  }

  private void snapshotAndCommit(String name) throws IOException {
    pool.begin();
    pool.snapshot("root", name);
    pool.commit();
  }

  /** Until nothing is left, and what was freed is reusable. */
  private void freeAll() throws IOException {
    for (int i = 0; i < 5; i++) {
      pool.begin();
      pool.free();
      pool.commit();
    }
    assertEquals(0, pool.datasets.totals().condemned());
  }

  private List<String> names() {
    return pool.datasets.list().stream().map(DatasetInfo::fullName).toList();
  }

  private static void assertRefused(Reason reason, Executable request) {
    DatasetException e = assertThrows(DatasetException.class, request);
    assertEquals(reason, e.reason(), e.getMessage());
  }
}
