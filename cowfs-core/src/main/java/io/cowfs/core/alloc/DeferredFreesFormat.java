package io.cowfs.core.alloc;

import io.cowfs.core.device.DamagedPoolException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A list of freed ranges: their number (u32, little-endian), then for each range in ascending order
 * the gap since the end of the one before and its length in sectors, as varints (seven bits a byte,
 * lowest first, top bit: more follows).
 */
final class DeferredFreesFormat {
  static final int COUNT = 0;
  static final int RANGES = COUNT + Integer.BYTES;

  private static final int VARINT_MAX_BYTES = 9;

  private DeferredFreesFormat() {}

  /** Encodes packed ranges, sorted and apart from each other; nothing at all for none. */
  static byte[] encode(long[] ranges) {
    if (ranges.length == 0) {
      return new byte[0];
    }
    ByteBuffer buffer =
        ByteBuffer.allocate(RANGES + ranges.length * 2 * VARINT_MAX_BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    buffer.putInt(COUNT, ranges.length).position(RANGES);
    long end = 0;
    for (long range : ranges) {
      putVarint(buffer, PackedRange.sector(range) - end);
      putVarint(buffer, PackedRange.count(range));
      end = PackedRange.end(range);
    }
    byte[] bytes = new byte[buffer.position()];
    buffer.get(0, bytes);
    return bytes;
  }

  /** Decodes to packed ranges, ascending and inside the capacity. */
  static long[] decode(byte[] bytes, long capacitySectors, String pool)
      throws DamagedPoolException {
    if (bytes.length == 0) {
      return new long[0];
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.length < RANGES) {
      throw damaged(pool);
    }
    int count = buffer.getInt(COUNT);
    if (count < 0 || count > (bytes.length - RANGES) / 2) {
      throw damaged(pool);
    }
    buffer.position(RANGES);
    long[] ranges = new long[count];
    long end = 0;
    for (int i = 0; i < count; i++) {
      long gap = getVarint(buffer, pool);
      long length = getVarint(buffer, pool);
      if (length == 0
          || length > PackedRange.COUNT_MAX
          || gap > capacitySectors - end
          || length > capacitySectors - end - gap) {
        throw damaged(pool);
      }
      ranges[i] = PackedRange.of(end + gap, (int) length);
      end += gap + length;
    }
    if (buffer.hasRemaining()) {
      throw damaged(pool);
    }
    return ranges;
  }

  private static void putVarint(ByteBuffer buffer, long value) {
    long rest = value;
    while (rest >= 0x80) {
      buffer.put((byte) (rest | 0x80));
      rest >>>= 7;
    }
    buffer.put((byte) rest);
  }

  /** At most 56 bits, so the result is never negative. */
  private static long getVarint(ByteBuffer buffer, String pool) throws DamagedPoolException {
    long value = 0;
    for (int shift = 0; shift < 56; shift += 7) {
      if (!buffer.hasRemaining()) {
        throw damaged(pool);
      }
      byte next = buffer.get();
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw damaged(pool);
  }

  private static DamagedPoolException damaged(String pool) {
    return new DamagedPoolException(pool + ": a list of freed space in the index is damaged");
  }
}
