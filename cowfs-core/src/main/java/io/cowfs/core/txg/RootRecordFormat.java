package io.cowfs.core.txg;

import io.cowfs.core.block.BlockPointerFormat;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.device.DeviceLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
import java.util.zip.CRC32C;

/**
 * The bytes of a root record: one sector of 4 KiB, little-endian. All that is not zero lies in its
 * first 512 bytes, which end in a CRC32C over them: disks write so much as a whole, so that a write
 * which a crash cuts short leaves the old record or the new one, and a record whose checksum is
 * wrong is always a damaged one.
 */
final class RootRecordFormat {
  static final int BYTES = DeviceLayout.SECTOR_BYTES;

  static final int MAGIC = 0;
  static final int VERSION = MAGIC + Long.BYTES;
  static final int TXG = VERSION + Integer.BYTES;
  static final int UUID_HIGH = TXG + Long.BYTES;
  static final int UUID_LOW = UUID_HIGH + Long.BYTES;
  static final int TIME = UUID_LOW + Long.BYTES;
  static final int HAS_DIRECTORY = TIME + Long.BYTES;
  static final int DIRECTORY = HAS_DIRECTORY + Byte.BYTES;
  static final int ZEROS = DIRECTORY + BlockPointerFormat.BYTES;
  static final int CHECKSUM = 512 - Integer.BYTES;
  static final int TAIL = CHECKSUM + Integer.BYTES;

  /** "COWROOT" and a zero byte. */
  static final long MAGIC_VALUE = 0x00_54_4f_4f_52_57_4f_43L;

  static final int FORMAT_VERSION = 2;

  private static final byte[] NOTHING = new byte[BYTES];

  private RootRecordFormat() {}

  /** A new direct buffer with the record, ready to be written. */
  static ByteBuffer encode(RootRecord record) {
    ByteBuffer sector = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    sector.putLong(MAGIC, MAGIC_VALUE);
    sector.putInt(VERSION, FORMAT_VERSION);
    sector.putLong(TXG, record.txg());
    sector.putLong(UUID_HIGH, record.poolUuid().getMostSignificantBits());
    sector.putLong(UUID_LOW, record.poolUuid().getLeastSignificantBits());
    sector.putLong(TIME, record.timeMillis());
    if (record.directoryRoot() != null) {
      sector.put(HAS_DIRECTORY, (byte) 1);
      BlockPointerFormat.encode(record.directoryRoot(), sector, DIRECTORY);
    }
    sector.putInt(CHECKSUM, checksum(sector));
    return sector;
  }

  /** Whether nothing was ever written here. */
  static boolean isEmpty(ByteBuffer sector) {
    return isZero(sector, 0, BYTES);
  }

  /**
   * Decodes a sector.
   *
   * @throws CorruptBlockException saying what is wrong, without naming the place
   */
  static RootRecord decode(ByteBuffer sector) throws CorruptBlockException {
    ByteBuffer bytes = sector.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.getLong(MAGIC) != MAGIC_VALUE) {
      throw new CorruptBlockException("it is no root record");
    }
    if (bytes.getInt(CHECKSUM) != checksum(bytes)) {
      throw new CorruptBlockException("its checksum is wrong");
    }
    if (bytes.getInt(VERSION) != FORMAT_VERSION) {
      throw new CorruptBlockException("it has the unknown version " + bytes.getInt(VERSION));
    }
    int hasDirectory = bytes.get(HAS_DIRECTORY);
    boolean directoryIsZero = isZero(bytes, DIRECTORY, ZEROS);
    if (!isZero(bytes, ZEROS, CHECKSUM)
        || !isZero(bytes, TAIL, BYTES)
        || hasDirectory < 0
        || hasDirectory > 1
        || (hasDirectory == 0 && !directoryIsZero)
        || bytes.getLong(TXG) < 1) {
      throw new CorruptBlockException("its content is impossible");
    }
    return new RootRecord(
        bytes.getLong(TXG),
        new UUID(bytes.getLong(UUID_HIGH), bytes.getLong(UUID_LOW)),
        bytes.getLong(TIME),
        hasDirectory == 1 ? BlockPointerFormat.decode(bytes, DIRECTORY) : null);
  }

  private static boolean isZero(ByteBuffer sector, int from, int to) {
    return sector.slice(from, to - from).equals(ByteBuffer.wrap(NOTHING, 0, to - from));
  }

  private static int checksum(ByteBuffer sector) {
    CRC32C crc = new CRC32C();
    crc.update(sector.slice(0, CHECKSUM));
    return (int) crc.getValue();
  }
}
