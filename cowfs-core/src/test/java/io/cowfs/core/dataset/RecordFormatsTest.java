package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.PoolRecordFormat.Counts;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

final class RecordFormatsTest {
  private static final BlockPointer POINTER =
      new BlockPointer(4711, 16384, 8000, Compression.LZ4, ChecksumAlgorithm.XXH3_64, -5, 3);

  @Test
  void aNodeRecordIsReadBack() throws Exception {
    NodeRecord node = nodeRecord();
    assertEquals(node, NodeRecordFormat.decode(NodeRecordFormat.encode(node)));
    NodeRecord empty = CatalogTest.node(1, "root");
    assertEquals(empty, NodeRecordFormat.decode(NodeRecordFormat.encode(empty)));
  }

  @Test
  void aPoolRecordIsReadBack() throws Exception {
    PoolRecord pool = new PoolRecord(new UUID(-1, 77), 12, 13, 14, Optional.of(POINTER));
    Counts counts = new Counts(1, 2, 3, 4);
    byte[] value = PoolRecordFormat.encode(pool, counts);
    assertEquals(pool, PoolRecordFormat.decode(value));
    assertEquals(counts, PoolRecordFormat.decodeCounts(value));
  }

  @Test
  void aDeadlistChunkIsReadBack() throws Exception {
    ReferenceList references = new ReferenceList();
    references.add((1L << 48) - 1, 1, 5);
    references.add(130, ReferenceList.MAX_SECTORS, 9);
    ReferenceList read = new ReferenceList();
    DeadlistChunkFormat.decode(DeadlistChunkFormat.encode(references, 0), 9, read::add);
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
            DeadlistChunkFormat.decode(
                DeadlistChunkFormat.encode(references, 0), 8, references::add));
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
            new PoolRecord(new UUID(1, 2), 3, 4, 5, Optional.of(POINTER)), Counts.NONE);
    for (int i = 0; i < 20_000; i++) {
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
        CompressionSetting.parse("zstd-19"));
  }
}
