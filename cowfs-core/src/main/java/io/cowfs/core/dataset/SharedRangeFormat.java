package io.cowfs.core.dataset;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A {@link SharedRange} as stored in the index, under its first sector. Little-endian. */
final class SharedRangeFormat {
  static final int SECTORS = 0;
  static final int REFERENCES = SECTORS + Integer.BYTES;
  static final int BYTES = REFERENCES + Integer.BYTES;

  private SharedRangeFormat() {}

  static byte[] encode(SharedRange range) {
    return ByteBuffer.allocate(BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(SECTORS, range.sectors())
        .putInt(REFERENCES, range.references())
        .array();
  }

  /**
   * Decodes and checks a record.
   *
   * @throws BadRecordException when it is none; the caller names the file
   */
  static SharedRange decode(long sector, byte[] value) throws BadRecordException {
    if (value.length != BYTES) {
      throw new BadRecordException("a shared range has a record of " + value.length + " bytes");
    }
    ByteBuffer record = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    SharedRange range = new SharedRange(sector, record.getInt(SECTORS), record.getInt(REFERENCES));
    if (sector < 0
        || range.sectors() < 1
        || range.sectors() > SharedRange.MAX_SECTORS
        || range.references() < 2) {
      throw new BadRecordException("impossible: " + range);
    }
    return range;
  }
}
