package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.alloc.OutOfSpaceException;
import io.cowfs.core.alloc.RegionBitmap;
import io.cowfs.core.alloc.SpaceChanges;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.txg.LogPosition;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lmdbjava.ByteArrayProxy;
import org.lmdbjava.Dbi;
import org.lmdbjava.Env;
import org.lmdbjava.Txn;

final class CatalogTest {
  private static final UUID POOL = new UUID(1, 2);
  private static final SpaceChanges NO_SPACE =
      new SpaceChanges(List.of(), new byte[0], new long[0]);

  private static final long DEADLIST = 1;
  private static final long LIST = 2;
  private static final DeadlistPart PART = new DeadlistPart(DEADLIST, 0, LIST);
  private static final Deadlists.Changes NO_DEADLIST =
      new Deadlists.Changes(Collections.singletonMap(PART, null), Map.of());

  @TempDir Path directory;

  @Test
  void whatWasCommittedIsReadBack() throws IOException {
    byte[] bits = randomBytes(4096);
    byte[] freed = randomBytes(5000);
    try (Catalog catalog = Catalog.create(directory, POOL, 0)) {
      assertEquals(0, catalog.load().pool().txg());
      catalog.commit(
          batch(
              1,
              List.of(node(1, "root")),
              references(300),
              new SpaceChanges(List.of(new RegionBitmap(7, bits)), freed, new long[0])));
    }
    try (Catalog catalog = Catalog.open(directory, POOL, 0)) {
      CatalogState state = catalog.load();
      assertEquals(
          new PoolRecord(POOL, 1, 9, 10, Optional.empty(), 0, LogPosition.START), state.pool());
      assertEquals(List.of(node(1, "root")), state.nodes());
      assertArrayEquals(bits, state.regions().get(0).bits());
      assertArrayEquals(freed, state.deferred().get(1L));
      assertEquals(new CatalogState.DeadlistIds(Set.of(DEADLIST), Set.of(LIST)), state.deadlists());
      assertEquals(Set.of(LIST), state.lists());
      ReferenceList read = new ReferenceList();
      catalog.forEachReference(LIST, read::add);
      assertEquals(300, read.size());
      Map<DeadlistPart, Long> parts = new TreeMap<>();
      catalog.readDeadlist(DEADLIST, parts::put);
      assertEquals(Map.of(PART, 450L), parts);
    }
  }

  @Test
  void aLongListIsReportedInOrderAndOnce() throws IOException {
    ReferenceList written = references(25_000);
    try (Catalog catalog = Catalog.create(directory, POOL, 0)) {
      catalog.commit(batch(1, List.of(node(1, "root")), written, NO_SPACE));
      int[] next = {0};
      catalog.forEachReference(
          LIST,
          (sector, sectors, birthTxg) -> {
            assertEquals(written.sector(next[0]), sector);
            assertEquals(written.sectors(next[0]), sectors);
            next[0]++;
          });
      assertEquals(25_000, next[0]);
    }
  }

  @Test
  void droppedAndReleasedRecordsAreGone() throws IOException {
    try (Catalog catalog = Catalog.create(directory, POOL, 0)) {
      SpaceChanges freed = new SpaceChanges(List.of(), randomBytes(5000), new long[0]);
      catalog.commit(batch(1, List.of(node(1, "root")), references(300), freed));
      catalog.commit(
          new CommitBatch(
              new PoolRecord(POOL, 2, 9, 10, Optional.empty(), 0, LogPosition.START),
              new HistoryChanges(List.of(), Map.of(), Set.of(1)),
              NO_DEADLIST,
              catalog.chunkKeys(LIST, 100),
              Map.of(),
              Map.of(),
              new SpaceChanges(List.of(), new byte[0], new long[] {1}),
              Optional.empty()));
      CatalogState state = catalog.load();
      assertTrue(state.nodes().isEmpty());
      assertTrue(state.deferred().isEmpty());
      assertTrue(state.deadlists().deadlists().isEmpty());
      assertTrue(state.lists().isEmpty());
    }
  }

  @Test
  void sharedRangesAreFoundFromAnySectorInThem() throws IOException {
    List<SharedRange> ranges =
        List.of(
            new SharedRange(200, 10, 2), new SharedRange(210, 5, 3), new SharedRange(300, 1, 2));
    Map<Long, SharedRange> changes = new TreeMap<>();
    ranges.forEach(range -> changes.put(range.sector(), range));
    try (Catalog catalog = Catalog.create(directory, POOL, 0)) {
      assertEquals(List.of(), shared(catalog, 0, 1_000));
      catalog.commit(
          new CommitBatch(
              new PoolRecord(POOL, 1, 9, 10, Optional.empty(), 0, LogPosition.START),
              new HistoryChanges(List.of(), Map.of(), Set.of()),
              new Deadlists.Changes(Map.of(), Map.of()),
              List.of(),
              Map.of(),
              changes,
              NO_SPACE,
              Optional.empty()));
      assertEquals(new CatalogState.SharedTotals(3, 21), catalog.load().shared());
      for (int from = 195; from < 305; from++) {
        for (int to = from + 1; to < 306; to++) {
          int first = from;
          int end = to;
          List<SharedRange> expected =
              ranges.stream().filter(it -> it.sector() < end && it.end() > first).toList();
          assertEquals(expected, shared(catalog, from, to), from + " to " + to);
        }
      }
    }
  }

  private static List<SharedRange> shared(Catalog catalog, long from, long to) throws IOException {
    List<SharedRange> found = new ArrayList<>();
    catalog.readShared(from, to, found::add);
    return found;
  }

  @Test
  void theIndexOfAnotherPoolIsRefused() throws IOException {
    Catalog.create(directory, new UUID(3, 4), 0).close();
    DamagedPoolException e =
        assertThrows(DamagedPoolException.class, () -> Catalog.open(directory, POOL, 0));
    assertTrue(e.getMessage().contains("data.mdb belongs to the pool"), e.getMessage());
  }

  @Test
  void aMissingOrEmptyIndexIsRefusedAndNotMade() throws IOException {
    assertThrows(DamagedPoolException.class, () -> Catalog.open(directory, POOL, 0));
    Path index = Files.createDirectory(directory.resolve("index"));
    assertThrows(DamagedPoolException.class, () -> Catalog.open(directory, POOL, 0));
    Files.createFile(index.resolve("data.mdb"));
    assertThrows(DamagedPoolException.class, () -> Catalog.open(directory, POOL, 0));
    assertEquals(0, Files.size(index.resolve("data.mdb")));
  }

  @Test
  void aScrubAndItsFindingsAreKept() throws IOException {
    ScrubRecord first = ScrubRecord.begin(1, Instant.ofEpochMilli(5), 77);
    String long1 = "scrub/data: " + "\u00e4".repeat(2000);
    try (Catalog catalog = Catalog.create(directory, POOL, 0)) {
      assertEquals(Optional.empty(), catalog.scrub());
      catalog.commit(scrub(1, new ScrubChange(first, 0, List.of("one", long1))));
      catalog.commit(scrub(2, new ScrubChange(first.withWork(1, 2, 3, 4), 2, List.of("three"))));
    }
    try (Catalog catalog = Catalog.open(directory, POOL, 0)) {
      catalog.load();
      catalog.verify();
      ScrubLog log = catalog.scrub().orElseThrow();
      assertEquals(first.withWork(1, 2, 3, 4), log.record());
      assertEquals(3, log.findings().size());
      assertEquals("one", log.findings().get(0));
      assertTrue(long1.startsWith(log.findings().get(1)), "cut between two letters");
      assertEquals("three", log.findings().get(2));
      catalog.commit(scrub(3, new ScrubChange(first, 0, List.of())));
      assertEquals(new ScrubLog(first, List.of()), catalog.scrub().orElseThrow());
      catalog.load();
    }
  }

  private static CommitBatch scrub(long txg, ScrubChange change) {
    return new CommitBatch(
        new PoolRecord(POOL, txg, 9, 10, Optional.empty(), 0, LogPosition.START),
        new HistoryChanges(List.of(), Map.of(), Set.of()),
        NO_DEADLIST,
        List.of(),
        Map.of(),
        Map.of(),
        NO_SPACE,
        Optional.of(change));
  }

  @Test
  void verifyingReadsEveryRecordHoweverMany() throws IOException {
    try (Catalog catalog = Catalog.create(directory, POOL, 0)) {
      List<NodeRecord> nodes = new ArrayList<>();
      for (int id = 1; id <= 2500; id++) {
        nodes.add(node(id, "dataset" + id));
      }
      catalog.commit(batch(1, nodes, references(3), NO_SPACE));
      catalog.verify();
    }
    byte[] record =
        CatalogFormat.seal(
            CatalogFormat.nodeKey(2500), NodeRecordFormat.encode(node(2500, "dataset2500")));
    Path file = directory.resolve("index").resolve("data.mdb");
    List<Integer> places = placesOf(record, Files.readAllBytes(file));
    write(file, places, 9, (byte) (record[9] ^ 1));
    try (Catalog catalog = Catalog.open(directory, POOL, 0)) {
      assertThrows(DamagedPoolException.class, catalog::verify);
    }
  }

  @Test
  void everyFlippedBitOfARecordIsNoticed() throws IOException {
    try (Catalog catalog = Catalog.create(directory, POOL, 0)) {
      catalog.commit(batch(1, List.of(node(1, "root")), references(3), NO_SPACE));
    }
    byte[] key = CatalogFormat.nodeKey(1);
    byte[] record = CatalogFormat.seal(key, NodeRecordFormat.encode(node(1, "root")));
    Path file = directory.resolve("index").resolve("data.mdb");
    List<Integer> places = placesOf(record, Files.readAllBytes(file));
    Random random = new Random(5);
    for (int i = 0; i < record.length; i++) {
      byte damaged = (byte) (record[i] ^ 1 << random.nextInt(8));
      write(file, places, i, damaged);
      DamagedPoolException e =
          assertThrows(
              DamagedPoolException.class,
              () -> {
                try (Catalog catalog = Catalog.open(directory, POOL, 0)) {
                  catalog.load();
                }
              });
      assertTrue(e.getMessage().startsWith("the index " + file + ": "), e.getMessage());
      write(file, places, i, record[i]);
    }
  }

  @Test
  void aLostRecordIsNoticed() throws IOException {
    try (Catalog catalog = Catalog.create(directory, POOL, 0)) {
      catalog.commit(batch(1, List.of(node(1, "root")), references(300), NO_SPACE));
    }
    try (Env<byte[]> env =
        Env.create(ByteArrayProxy.PROXY_BA)
            .setMapSize(1 << 30)
            .setMaxDbs(Catalog.Databases.NAMES.size())
            .open(directory.resolve("index").toFile())) {
      Dbi<byte[]> lists = env.openDbi("references");
      try (Txn<byte[]> txn = env.txnWrite()) {
        assertTrue(lists.delete(txn, CatalogFormat.referenceKey(LIST, 1, 1)));
        txn.commit();
      }
    }
    try (Catalog catalog = Catalog.open(directory, POOL, 0)) {
      DamagedPoolException e = assertThrows(DamagedPoolException.class, catalog::load);
      assertTrue(e.getMessage().endsWith("records are missing"), e.getMessage());
    }
  }

  @Test
  void aFullIndexKeepsItsLastCommitAndCanShrink() throws IOException {
    try (Catalog catalog = Catalog.createWithMap(directory, POOL, 1 << 20)) {
      catalog.commit(batch(1, List.of(node(1, "root")), references(20_000), NO_SPACE));
      assertThrows(
          OutOfSpaceException.class,
          () -> catalog.commit(batch(2, List.of(node(1, "root")), references(60_000), NO_SPACE)));
      assertEquals(1, catalog.load().pool().txg());
      catalog.commit(
          new CommitBatch(
              new PoolRecord(POOL, 2, 9, 10, Optional.empty(), 0, LogPosition.START),
              new HistoryChanges(List.of(), Map.of(), Set.of()),
              NO_DEADLIST,
              catalog.chunkKeys(LIST, Integer.MAX_VALUE),
              Map.of(),
              Map.of(),
              NO_SPACE,
              Optional.empty()));
      assertTrue(catalog.load().lists().isEmpty());
    }
  }

  @Test
  void useAfterCloseFailsCleanly() throws IOException {
    Catalog catalog = Catalog.create(directory, POOL, 0);
    catalog.close();
    catalog.close();
    assertThrows(IllegalStateException.class, catalog::load);
    assertThrows(
        IllegalStateException.class,
        () -> catalog.commit(batch(1, List.of(), references(1), NO_SPACE)));
  }

  @Test
  void closingWaitsForReaders() throws Exception {
    Catalog catalog = Catalog.create(directory, POOL, 0);
    catalog.commit(batch(1, List.of(node(1, "root")), references(1), NO_SPACE));
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    List<Long> read = new ArrayList<>();
    Thread reader =
        new Thread(
            () -> {
              try {
                catalog.readDeadlist(
                    DEADLIST,
                    (part, sectors) -> {
                      reading.countDown();
                      awaitQuietly(goOn);
                      read.add(sectors);
                    });
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    reader.start();
    reading.await();
    Thread closer = new Thread(() -> closeQuietly(catalog));
    closer.start();
    closer.join(100);
    assertTrue(closer.isAlive());
    goOn.countDown();
    closer.join();
    reader.join();
    assertEquals(1, read.size());
  }

  @Test
  void theIndexIsPrivateAndHasSpaceOnTheHostAhead() throws IOException {
    try (Catalog catalog = Catalog.create(directory, POOL, 0)) {
      Path file = Path.of(catalog.name());
      assertTrue((Long) Files.getAttribute(file, "unix:size") >= 8 << 20);
      assertEquals(0600, (Integer) Files.getAttribute(file, "unix:mode") & 0777);
    }
  }

  @Test
  void aSecondIndexIsNotMadeOverTheFirst() throws IOException {
    Catalog.create(directory, POOL, 0).close();
    assertThrows(CatalogException.class, () -> Catalog.create(directory, POOL, 0));
    try (Catalog catalog = Catalog.open(directory, POOL, 0)) {
      assertFalse(catalog.load().pool().directoryRoot().isPresent());
    }
  }

  private static CommitBatch batch(
      long txg, List<NodeRecord> nodes, ReferenceList deadlist, SpaceChanges space) {
    return new CommitBatch(
        new PoolRecord(POOL, txg, 9, 10, Optional.empty(), 0, LogPosition.START),
        new HistoryChanges(nodes, Map.of(), Set.of()),
        new Deadlists.Changes(
            Map.of(PART, deadlist.sectorsBornAfter(0)), Map.of(PART.list(), deadlist)),
        List.of(),
        Map.of(),
        Map.of(),
        space,
        Optional.empty());
  }

  static NodeRecord node(int id, String name) {
    return new NodeRecord(
        id,
        NodeKind.HEAD,
        name,
        id,
        0,
        1,
        Instant.ofEpochSecond(1_700_000_000L, 123_456_789),
        Optional.empty(),
        id,
        0,
        0,
        0,
        1,
        1);
  }

  private static ReferenceList references(int count) {
    ReferenceList references = new ReferenceList();
    for (int i = 0; i < count; i++) {
      references.add(200 + 3L * i, 1 + i % 2, 1);
    }
    return references;
  }

  private static byte[] randomBytes(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }

  private static List<Integer> placesOf(byte[] record, byte[] whole) {
    List<Integer> places = new ArrayList<>();
    for (int at = 0; at + record.length <= whole.length; at++) {
      if (whole[at] == record[0]
          && Arrays.equals(whole, at, at + record.length, record, 0, record.length)) {
        places.add(at);
      }
    }
    assertFalse(places.isEmpty());
    return places;
  }

  private static void write(Path file, List<Integer> places, int index, byte value)
      throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      for (int place : places) {
        channel.write(ByteBuffer.wrap(new byte[] {value}), place + index);
      }
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void closeQuietly(Catalog catalog) {
    try {
      catalog.close();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
