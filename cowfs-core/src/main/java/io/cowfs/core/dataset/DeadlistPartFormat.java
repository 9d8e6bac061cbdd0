package io.cowfs.core.dataset;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The sectors in a {@link DeadlistPart}, as stored in the index under its key. Little-endian. */
final class DeadlistPartFormat {
  static final int SECTORS = 0;
  static final int BYTES = SECTORS + Long.BYTES;

  private DeadlistPartFormat() {}

  static byte[] encode(long sectors) {
    return ByteBuffer.allocate(BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(SECTORS, sectors)
        .array();
  }

  /**
   * Decodes and checks a record.
   *
   * @throws BadRecordException when it is none; the caller names the file
   */
  static long decode(byte[] value) throws BadRecordException {
    if (value.length != BYTES) {
      throw new BadRecordException(
          "a part of a deadlist has a record of " + value.length + " bytes");
    }
    long sectors = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong(SECTORS);
    if (sectors < 1) {
      throw new BadRecordException("a part of a deadlist has " + sectors + " sectors");
    }
    return sectors;
  }
}
