package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.dataset.PoolRecordFormat.Counts;
import io.cowfs.core.txg.LogPosition;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

final class RecordFormatsTest {
  private static final BlockPointer POINTER =
      new BlockPointer(4711, 9000, 16384, 8000, Compression.LZ4, ChecksumAlgorithm.XXH3_64, -5, 3);

  @Test
  void aNodeRecordIsReadBack() throws Exception {
    NodeRecord node = nodeRecord();
    assertEquals(node, NodeRecordFormat.decode(NodeRecordFormat.encode(node)));
    NodeRecord empty = CatalogTest.node(1, "root");
    assertEquals(empty, NodeRecordFormat.decode(NodeRecordFormat.encode(empty)));
  }

  @Test
  void aPoolRecordIsReadBack() throws Exception {
    PoolRecord pool =
        new PoolRecord(
            new UUID(-1, 77), 12, 13, 14, Optional.of(POINTER), 15, new LogPosition(16, 17));
    Counts counts = new Counts(1, 2, 3, 4, 5, 6, 7, 8);
    byte[] value = PoolRecordFormat.encode(pool, counts);
    assertEquals(pool, PoolRecordFormat.decode(value));
    assertEquals(counts, PoolRecordFormat.decodeCounts(value));
  }

  @Test
  void theRecordOfAScrubIsReadBackAndNothingImpossible() throws Exception {
    ScrubRecord begun = ScrubRecord.begin(77, Instant.ofEpochMilli(123_456_789), 1L << 50);
    ScrubRecord moved =
        begun
            .movedTo(ScrubRecord.Stage.DATASETS, 5, Optional.of(new Key(-3, 200, -7)))
            .withWork(10, 20, 30, 40);
    ScrubRecord ended =
        moved
            .nextRound(99, 1)
            .withState(ScrubRecord.State.FINISHED, Optional.of(Instant.ofEpochMilli(5)));
    for (ScrubRecord each : List.of(begun, moved, ended)) {
      byte[] value = ScrubRecordFormat.encode(each, 17);
      assertEquals(each, ScrubRecordFormat.decode(value));
      assertEquals(17, ScrubRecordFormat.findings(value));
      for (int at : new int[] {0, ScrubRecordFormat.STATE, ScrubRecordFormat.STAGE, 6}) {
        byte[] wrong = value.clone();
        wrong[at] = 9;
        assertThrows(BadRecordException.class, () -> ScrubRecordFormat.decode(wrong));
      }
      byte[] negative = ScrubRecordFormat.encode(each, -1);
      assertThrows(BadRecordException.class, () -> ScrubRecordFormat.decode(negative));
    }
  }

  @Test
  void whatIsCondemnedIsReadBack() throws Exception {
    for (Condemned condemned : condemned()) {
      byte[] value = CondemnedFormat.encode(condemned);
      assertEquals(condemned, CondemnedFormat.decode(condemned.id(), value));
    }
  }

  @Test
  void aListHasNoCursorAndATreeNoList() {
    byte[] list = CondemnedFormat.encode(condemned().get(2));
    list[CondemnedFormat.HAS_CURSOR] = 1;
    assertThrows(BadRecordException.class, () -> CondemnedFormat.decode(3, list));
    byte[] tree = CondemnedFormat.encode(condemned().get(0));
    tree[CondemnedFormat.LIST] = 1;
    assertThrows(BadRecordException.class, () -> CondemnedFormat.decode(1, tree));
  }

  private static List<Condemned> condemned() {
    Condemned tree = Condemned.tree(1, POINTER, 7, 1L << 40);
    return List.of(
        tree,
        tree.after(new Key(-1, 255, 77), 5),
        Condemned.list(3, new Deadlists.Detached(9, 12)),
        Condemned.forgottenList(4, 10));
  }

  @Test
  void aSharedRangeIsReadBackAndHasTwoReferencesAtLeast() throws Exception {
    SharedRange range = new SharedRange(1L << 40, SharedRange.MAX_SECTORS, Integer.MAX_VALUE);
    byte[] value = SharedRangeFormat.encode(range);
    assertEquals(range, SharedRangeFormat.decode(1L << 40, value));
    for (SharedRange impossible :
        List.of(
            new SharedRange(130, 1, 1),
            new SharedRange(130, 0, 2),
            new SharedRange(130, SharedRange.MAX_SECTORS + 1, 2))) {
      byte[] bad = SharedRangeFormat.encode(impossible);
      assertThrows(BadRecordException.class, () -> SharedRangeFormat.decode(130, bad));
    }
  }

  @Test
  void aPartOfADeadlistIsReadBackAndHasSectors() throws Exception {
    assertEquals(1L << 40, DeadlistPartFormat.decode(DeadlistPartFormat.encode(1L << 40)));
    byte[] empty = DeadlistPartFormat.encode(0);
    assertThrows(BadRecordException.class, () -> DeadlistPartFormat.decode(empty));
  }

  @Test
  void aChunkOfReferencesIsReadBack() throws Exception {
    ReferenceList references = new ReferenceList();
    references.add((1L << 48) - 1, 1, 5);
    references.add(130, ReferenceList.MAX_SECTORS, 9);
    ReferenceList read = new ReferenceList();
    ReferenceChunkFormat.decode(ReferenceChunkFormat.encode(references, 0), 9, read::add);
    assertEquals(2, read.size());
    assertEquals((1L << 48) - 1, read.sector(0));
    assertEquals(ReferenceList.MAX_SECTORS, read.sectors(1));
    assertEquals(9, read.birth(1));
  }

  @Test
  void nothingIsBornAfterTheLastTxg() {
    ReferenceList references = new ReferenceList();
    references.add(130, 1, 9);
    assertThrows(
        BadRecordException.class,
        () ->
            ReferenceChunkFormat.decode(
                ReferenceChunkFormat.encode(references, 0), 8, references::add));
  }

  @Test
  void neighboursWithOneBirthAreJoinedAndNoOthers() {
    ReferenceList references = new ReferenceList();
    references.add(200, 4, 1);
    references.add(204, 4, 1);
    references.add(208, 4, 2);
    references.add(220, 4, 2);
    references.add(224, ReferenceList.MAX_SECTORS, 2);
    assertEquals(4, references.size());
    assertEquals(8, references.sectors(0));
    assertEquals(8 + ReferenceList.MAX_SECTORS, references.sectorsBornAfter(1));
  }

  @Test
  void damagedRecordsAreRefusedWithoutAnUncheckedException() throws IOException {
    Random random = new Random(11);
    byte[] node = NodeRecordFormat.encode(nodeRecord());
    byte[] pool =
        PoolRecordFormat.encode(
            new PoolRecord(new UUID(1, 2), 3, 4, 5, Optional.of(POINTER), 6, LogPosition.START),
            Counts.NONE);
    byte[] condemned = CondemnedFormat.encode(condemned().get(1));
    for (int i = 0; i < 20_000; i++) {
      byte[] damagedCondemned = damage(condemned, random);
      try {
        CondemnedFormat.decode(1, damagedCondemned);
      } catch (BadRecordException e) {
        assertEquals(1, e.getMessage().lines().count());
      }
      byte[] damagedNode = damage(node, random);
      byte[] damagedPool = damage(pool, random);
      try {
        NodeRecordFormat.decode(damagedNode);
      } catch (BadRecordException e) {
        assertEquals(1, e.getMessage().lines().count());
      }
      try {
        PoolRecordFormat.decode(damagedPool);
      } catch (BadRecordException e) {
        assertEquals(1, e.getMessage().lines().count());
      }
    }
  }

  private static byte[] damage(byte[] record, Random random) {
    byte[] damaged =
        random.nextInt(10) == 0 ? Arrays.copyOf(record, random.nextInt(400)) : record.clone();
    for (int i = random.nextInt(4); i >= 0 && damaged.length > 0; i--) {
      damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
    }
    return damaged;
  }

  private static NodeRecord nodeRecord() {
    return new NodeRecord(
        5,
        NodeKind.SNAPSHOT,
        "before:the_change-1.0",
        1,
        4,
        9,
        Instant.ofEpochSecond(-7, 999_999_999),
        Optional.of(POINTER),
        12,
        1L << 40,
        1L << 39,
        17,
        Long.MAX_VALUE,
        250_000);
  }
}
