package io.cowfs.core.dataset;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A chunk of a list of references. All numbers are little-endian. Chunks are small enough to share
 * a page of the index.
 */
final class ReferenceChunkFormat {
  static final int SECTOR = 0;
  static final int SECTORS = SECTOR + 6;
  static final int BIRTH_TXG = SECTORS + Short.BYTES;
  static final int ENTRY_BYTES = BIRTH_TXG + Long.BYTES;

  static final int MAX_ENTRIES = 120;

  private static final int SECTOR_BITS = 48;

  private ReferenceChunkFormat() {}

  /** Encodes up to {@link #MAX_ENTRIES} entries from {@code from} on. */
  static byte[] encode(ReferenceList references, int from) {
    int count = Math.min(MAX_ENTRIES, references.size() - from);
    ByteBuffer chunk = ByteBuffer.allocate(count * ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      int base = i * ENTRY_BYTES;
      long sectors = references.sectors(from + i);
      chunk.putLong(base + SECTOR, references.sector(from + i) | sectors << SECTOR_BITS);
      chunk.putLong(base + BIRTH_TXG, references.birth(from + i));
    }
    return chunk.array();
  }

  /**
   * Reports the entries of a chunk.
   *
   * @param lastTxg the last committed txg: nothing is born after it
   * @throws BadRecordException when it is no chunk; the caller names the file
   */
  static void decode(byte[] value, long lastTxg, ReferenceList.Visitor visitor)
      throws BadRecordException, IOException {
    if (value.length == 0
        || value.length % ENTRY_BYTES != 0
        || value.length > MAX_ENTRIES * ENTRY_BYTES) {
      throw new BadRecordException("a chunk of references has " + value.length + " bytes");
    }
    ByteBuffer chunk = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    for (int base = 0; base < value.length; base += ENTRY_BYTES) {
      long word = chunk.getLong(base + SECTOR);
      int sectors = (int) (word >>> SECTOR_BITS);
      long birthTxg = chunk.getLong(base + BIRTH_TXG);
      if (sectors == 0 || birthTxg < 1 || birthTxg > lastTxg) {
        throw new BadRecordException(
            "a list has %d sectors born in txg %d".formatted(sectors, birthTxg));
      }
      visitor.reference(word & (1L << SECTOR_BITS) - 1, sectors, birthTxg);
    }
  }
}
