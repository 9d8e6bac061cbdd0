package io.cowfs.core.txg;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.device.DeviceLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The bytes of a record of the intent log: a header, then sections, little-endian, padded with
 * zeros to whole sectors. Each section has the changes of one epoch.
 */
final class LogRecordFormat {
  static final int MAGIC = 0;
  static final int VERSION = MAGIC + Long.BYTES;
  static final int BYTES = VERSION + Integer.BYTES;
  static final int UUID_HIGH = BYTES + Integer.BYTES;
  static final int UUID_LOW = UUID_HIGH + Long.BYTES;
  static final int SEQUENCE = UUID_LOW + Long.BYTES;
  static final int BASE_TXG = SEQUENCE + Long.BYTES;
  static final int CHECKSUM = BASE_TXG + Long.BYTES;
  static final int HEADER_BYTES = CHECKSUM + Long.BYTES;

  static final int SECTION_TXG = 0;
  static final int SECTION_BYTES = SECTION_TXG + Long.BYTES;
  static final int SECTION_HEADER_BYTES = SECTION_BYTES + Integer.BYTES;

  /** "COWFSLOG". */
  static final long MAGIC_VALUE = 0x47_4f_4c_53_46_57_4f_43L;

  static final int FORMAT_VERSION = 1;

  private static final ChecksumAlgorithm ALGORITHM = ChecksumAlgorithm.XXH3_64;

  private LogRecordFormat() {}

  /**
   * A record as it was read.
   *
   * @param sectors that it takes
   * @param baseTxg without which, or a later one, it is worth nothing
   */
  record Decoded(int sectors, long baseTxg, List<IntentLog.Section> sections) {}

  static int sectorsFor(long bytes) {
    return Math.toIntExact((bytes + DeviceLayout.SECTOR_BYTES - 1) / DeviceLayout.SECTOR_BYTES);
  }

  /** Puts the header before what follows it already; the buffer's limit is the record's end. */
  static void seal(ByteBuffer record, UUID pool, long sequence, long baseTxg) {
    record.putLong(MAGIC, MAGIC_VALUE);
    record.putInt(VERSION, FORMAT_VERSION);
    record.putInt(BYTES, record.limit());
    record.putLong(UUID_HIGH, pool.getMostSignificantBits());
    record.putLong(UUID_LOW, pool.getLeastSignificantBits());
    record.putLong(SEQUENCE, sequence);
    record.putLong(BASE_TXG, baseTxg);
    record.putLong(CHECKSUM, 0);
    record.putLong(CHECKSUM, ALGORITHM.of(record, 0, record.limit()));
  }

  /**
   * The size of the record that begins with this sector, as far as the header tells.
   *
   * @return its bytes, from {@link #HEADER_BYTES} to {@code bytesMax}; empty where no record of
   *     this pool and number begins
   */
  static Optional<Integer> size(ByteBuffer sector, UUID pool, long sequence, int bytesMax) {
    int bytes = sector.getInt(BYTES);
    boolean begins =
        sector.getLong(MAGIC) == MAGIC_VALUE
            && sector.getInt(VERSION) == FORMAT_VERSION
            && sector.getLong(UUID_HIGH) == pool.getMostSignificantBits()
            && sector.getLong(UUID_LOW) == pool.getLeastSignificantBits()
            && sector.getLong(SEQUENCE) == sequence
            && bytes >= HEADER_BYTES
            && bytes <= bytesMax;
    return begins ? Optional.of(bytes) : Optional.empty();
  }

  /**
   * Verifies and takes apart a whole record.
   *
   * @param record from its first byte to its last
   * @return empty when it was not written as a whole
   */
  static Optional<Decoded> decode(ByteBuffer record) {
    long expected = record.getLong(CHECKSUM);
    record.putLong(CHECKSUM, 0);
    if (ALGORITHM.of(record, 0, record.limit()) != expected || record.getLong(BASE_TXG) < 0) {
      return Optional.empty();
    }
    List<IntentLog.Section> sections = new ArrayList<>();
    int at = HEADER_BYTES;
    while (at < record.limit()) {
      if (record.limit() - at < SECTION_HEADER_BYTES) {
        return Optional.empty();
      }
      long txg = record.getLong(at + SECTION_TXG);
      int bytes = record.getInt(at + SECTION_BYTES);
      at += SECTION_HEADER_BYTES;
      if (txg < 1 || bytes < 0 || bytes > record.limit() - at) {
        return Optional.empty();
      }
      ByteBuffer changes = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
      changes.put(0, record, at, bytes);
      sections.add(new IntentLog.Section(txg, changes));
      at += bytes;
    }
    return Optional.of(
        new Decoded(sectorsFor(record.limit()), record.getLong(BASE_TXG), List.copyOf(sections)));
  }
}
