package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.txg.LogPosition;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/** Decodes records of the index. The first byte says of which kind the rest is. */
public final class RecordsFuzz {
  private static final long LAST_TXG = 99;
  private static final int NODE = 0;
  private static final int POOL = 1;
  private static final int SCRUB = 2;
  private static final int CONDEMNED = 3;
  private static final int SHARED_RANGE = 4;
  private static final int DEADLIST_PART = 5;
  private static final int REFERENCES = 6;
  private static final int PROPERTIES = 7;
  private static final int SEALED = 8;
  private static final int KINDS = 9;

  private RecordsFuzz() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    if (input.length == 0) {
      return;
    }
    byte[] value = Arrays.copyOfRange(input, 1, input.length);
    try {
      decode((input[0] & 0xff) % KINDS, value);
    } catch (BadRecordException refused) {
      assertEquals(1, refused.getMessage().lines().count());
    }
  }

  private static void decode(int kind, byte[] value) throws BadRecordException, IOException {
    switch (kind) {
      case NODE -> {
        NodeRecord node = NodeRecordFormat.decode(value);
        assertTrue(node.id() > 0 && node.name().length() <= Names.MAX_LENGTH);
        // The bytes behind HAS_ROOT are free where there is no root, and a name is ASCII.
        if (node.name().chars().allMatch(c -> c < 128)) {
          assertEquals(node, NodeRecordFormat.decode(NodeRecordFormat.encode(node)));
        }
      }
      case POOL -> {
        PoolRecord pool = PoolRecordFormat.decode(value);
        PoolRecordFormat.Counts counts = PoolRecordFormat.decodeCounts(value);
        byte[] again = PoolRecordFormat.encode(pool, counts);
        assertEquals(pool, PoolRecordFormat.decode(again));
        assertEquals(counts, PoolRecordFormat.decodeCounts(again));
      }
      case SCRUB -> {
        ScrubRecord scrub = ScrubRecordFormat.decode(value);
        byte[] again = ScrubRecordFormat.encode(scrub, ScrubRecordFormat.findings(value));
        assertEquals(scrub, ScrubRecordFormat.decode(again));
      }
      case CONDEMNED -> {
        Condemned condemned = CondemnedFormat.decode(5, value);
        assertEquals(condemned, CondemnedFormat.decode(5, CondemnedFormat.encode(condemned)));
      }
      case SHARED_RANGE -> {
        SharedRange range = SharedRangeFormat.decode(130, value);
        assertArrayEquals(value, SharedRangeFormat.encode(range));
      }
      case DEADLIST_PART ->
          assertArrayEquals(value, DeadlistPartFormat.encode(DeadlistPartFormat.decode(value)));
      case REFERENCES -> references(value);
      case PROPERTIES -> {
        PropertySet properties = PropertySetFormat.decode(value);
        assertArrayEquals(value, PropertySetFormat.encode(properties));
      }
      default -> {
        byte[] key = CatalogFormat.nodeKey(3);
        assertArrayEquals(value, CatalogFormat.seal(key, CatalogFormat.unseal(key, value)));
      }
    }
  }

  private static void references(byte[] value) throws BadRecordException, IOException {
    ReferenceList[] lists = {new ReferenceList()};
    int[] count = {0};
    ReferenceChunkFormat.decode(
        value,
        LAST_TXG,
        (sector, sectors, birthTxg) -> {
          assertTrue(sectors > 0 && birthTxg > 0 && birthTxg <= LAST_TXG);
          lists[0].add(sector, sectors, birthTxg);
          count[0]++;
        });
    assertTrue(count[0] <= ReferenceChunkFormat.MAX_ENTRIES && lists[0].size() <= count[0]);
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() throws DatasetException {
    BlockPointer root =
        new BlockPointer(4711, 16384, 8000, Compression.LZ4, ChecksumAlgorithm.XXH3_64, -5, 3);
    ReferenceList references = new ReferenceList();
    references.add(130, 7, 5);
    references.add(1L << 40, ReferenceList.MAX_SECTORS, 9);
    TreeMap<String, String> properties = new TreeMap<>();
    properties.put("compression", "zstd-3");
    properties.put("user:note", "a b");
    Condemned tree = Condemned.tree(5, root, 7, 1L << 40);
    byte[] key = CatalogFormat.nodeKey(3);
    return new byte[][] {
      seed(NODE, NodeRecordFormat.encode(node(root))),
      seed(
          POOL,
          PoolRecordFormat.encode(
              new PoolRecord(new UUID(1, 2), 3, 4, 5, Optional.of(root), 6, LogPosition.START),
              PoolRecordFormat.Counts.NONE)),
      seed(SCRUB, ScrubRecordFormat.encode(ScrubRecord.begin(7, Instant.ofEpochMilli(9), 10), 2)),
      seed(CONDEMNED, CondemnedFormat.encode(tree.after(new Key(-1, 255, 77), 5))),
      seed(CONDEMNED, CondemnedFormat.encode(Condemned.forgottenList(5, 10))),
      seed(SHARED_RANGE, SharedRangeFormat.encode(new SharedRange(130, 5, 2))),
      seed(DEADLIST_PART, DeadlistPartFormat.encode(12)),
      seed(REFERENCES, ReferenceChunkFormat.encode(references, 0)),
      seed(PROPERTIES, PropertySetFormat.encode(PropertySet.of(properties))),
      seed(SEALED, CatalogFormat.seal(key, new byte[] {1, 2, 3}))
    };
  }

  private static NodeRecord node(BlockPointer root) {
    return new NodeRecord(
        5,
        NodeKind.SNAPSHOT,
        "before:the_change-1.0",
        1,
        4,
        9,
        Instant.ofEpochSecond(-7, 999_999_999),
        Optional.of(root),
        12,
        1L << 40,
        1L << 39,
        17,
        Long.MAX_VALUE,
        250_000);
  }

  private static byte[] seed(int kind, byte[] value) {
    byte[] seed = new byte[1 + value.length];
    seed[0] = (byte) kind;
    System.arraycopy(value, 0, seed, 1, value.length);
    return seed;
  }
}
