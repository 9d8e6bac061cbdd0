package io.cowfs.core.codec;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** CRC32C of each 4 KiB sector of a buffer. Thread-safe; pure functions. */
public final class SectorChecksums {
  public static final int SECTOR_BYTES = 4096;

  private SectorChecksums() {}

  /**
   * Computes the checksums of whole sectors.
   *
   * @param offset absolute index of the first sector in the buffer
   * @param checksums receives {@code sectors} values from index {@code at} on
   */
  public static void compute(ByteBuffer buffer, int offset, int sectors, int[] checksums, int at) {
    CRC32C crc = new CRC32C();
    ByteBuffer view = buffer.duplicate();
    for (int i = 0; i < sectors; i++) {
      checksums[at + i] = next(crc, view, offset + i * SECTOR_BYTES);
    }
  }

  /**
   * Compares checksums with the sectors of a buffer.
   *
   * @return the number of the first sector that does not match, counted from {@code offset}; -1
   *     when all match
   */
  public static int firstMismatch(
      ByteBuffer buffer, int offset, int sectors, int[] checksums, int at) {
    CRC32C crc = new CRC32C();
    ByteBuffer view = buffer.duplicate();
    for (int i = 0; i < sectors; i++) {
      if (checksums[at + i] != next(crc, view, offset + i * SECTOR_BYTES)) {
        return i;
      }
    }
    return -1;
  }

  private static int next(CRC32C crc, ByteBuffer view, int offset) {
    crc.reset();
    crc.update(view.limit(offset + SECTOR_BYTES).position(offset));
    return (int) crc.getValue();
  }
}
