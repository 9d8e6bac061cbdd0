package io.cowfs.core.codec;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/**
 * Decompresses. Three bytes stand before what is compressed: the algorithm, and the size that it is
 * said to have, in units of 64 bytes.
 */
public final class DecompressionFuzz {
  private static final int UNIT_BYTES = 64;

  private DecompressionFuzz() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    if (input.length < 3) {
      return;
    }
    int bytes = (1 + (input[1] & 0xff | (input[2] & 7) << 8)) * UNIT_BYTES;
    byte[] stored = Arrays.copyOfRange(input, 3, input.length);
    try {
      Compression compression = Compression.byId(input[0]);
      compression.decompress(ByteBuffer.wrap(stored), ByteBuffer.wrap(new byte[bytes]));
      ByteBuffer direct = ByteBuffer.allocateDirect(stored.length).put(stored).flip();
      compression.decompress(direct, ByteBuffer.allocateDirect(bytes));
    } catch (MalformedDataException refused) {
      // As it should.
    }
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() {
    byte[] content = new byte[16 * UNIT_BYTES];
    new Random(1).nextBytes(content);
    Arrays.fill(content, 100, 900, (byte) 'x');
    byte[][] seeds = new byte[3][];
    for (Compression compression : Compression.values()) {
      ByteBuffer stored = ByteBuffer.allocate(compression.maxCompressedBytes(content.length));
      int bytes = compression.compress(ByteBuffer.wrap(content), stored, 1);
      byte[] seed = new byte[3 + bytes];
      seed[0] = (byte) compression.id();
      seed[1] = 15;
      stored.get(0, seed, 3, bytes);
      seeds[compression.ordinal()] = seed;
    }
    return seeds;
  }
}
