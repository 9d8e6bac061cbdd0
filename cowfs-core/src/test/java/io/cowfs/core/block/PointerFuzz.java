package io.cowfs.core.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Decodes pointers to blocks and extents. The first byte says which. */
public final class PointerFuzz {
  private PointerFuzz() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length == 0) {
      return;
    }
    byte[] value = Arrays.copyOfRange(input, 1, input.length);
    try {
      if (input[0] == 0) {
        pointer(value);
      } else {
        extent(value);
      }
    } catch (CorruptBlockException refused) {
      assertEquals(1, refused.getMessage().lines().count());
    }
  }

  private static void pointer(byte[] value) throws CorruptBlockException {
    BlockPointer pointer = BlockPointerFormat.decode(ByteBuffer.wrap(value), 0);
    assertTrue(pointer.logicalBytes() <= BlockPointerFormat.LOGICAL_BYTES_MAX);
    assertTrue(pointer.storedBytes() <= pointer.logicalBytes() && pointer.sectors() > 0);
    byte[] again = new byte[BlockPointerFormat.BYTES];
    BlockPointerFormat.encode(pointer, ByteBuffer.wrap(again), 0);
    assertArrayEquals(Arrays.copyOf(value, again.length), again);
  }

  private static void extent(byte[] value) throws CorruptBlockException {
    DataExtent extent = DataExtentFormat.decode(value);
    assertTrue(extent.logicalBytes() <= DataExtent.LOGICAL_BYTES_MAX && extent.sectors() > 0);
    assertArrayEquals(value, DataExtentFormat.encode(extent));
    for (int first = 0; extent.isPlain() && first < extent.sectors(); first++) {
      DataExtent rest = extent.slice(first, extent.sectors() - first);
      assertEquals(extent.sectorChecksum(first), rest.sectorChecksum(0));
    }
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() {
    byte[] pointer = new byte[BlockPointerFormat.BYTES];
    BlockPointerFormat.encode(
        new BlockPointer(200, 900, 16384, 8000, Compression.LZ4, ChecksumAlgorithm.XXH3_64, -5, 1),
        ByteBuffer.wrap(pointer),
        0);
    return new byte[][] {
      seed(0, pointer),
      seed(1, DataExtentFormat.encode(DataExtent.plain(300, 9000, 7, new int[] {1, 2, 3}))),
      seed(
          1,
          DataExtentFormat.encode(
              DataExtent.plain(300, 9000, 7, new int[] {1, 2, 3}).withCopies(400, 500))),
      seed(
          1,
          DataExtentFormat.encode(
              DataExtent.compressed(
                  300, 9000, 4000, Compression.ZSTD, ChecksumAlgorithm.XXH3_64, 5, 7)))
    };
  }

  private static byte[] seed(int kind, byte[] value) {
    byte[] seed = new byte[1 + value.length];
    seed[0] = (byte) kind;
    System.arraycopy(value, 0, seed, 1, value.length);
    return seed;
  }
}
