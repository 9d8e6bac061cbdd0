package io.cowfs.core.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.UUID;
import java.util.zip.CRC32C;

/** The bytes of a label: one sector, little-endian, all of it covered by the CRC32C at its end. */
final class LabelFormat {
  static final int BYTES = DeviceLayout.SECTOR_BYTES;

  static final int MAGIC = 0;
  static final int VERSION = MAGIC + 8;
  static final int SECTOR_SIZE = VERSION + Integer.BYTES;
  static final int UUID_HIGH = SECTOR_SIZE + Integer.BYTES;
  static final int UUID_LOW = UUID_HIGH + Long.BYTES;
  static final int CAPACITY = UUID_LOW + Long.BYTES;
  static final int CREATED = CAPACITY + Long.BYTES;
  static final int FEATURES_TO_READ = CREATED + Long.BYTES;
  static final int FEATURES_TO_WRITE = FEATURES_TO_READ + Long.BYTES;
  static final int COMPRESSION = FEATURES_TO_WRITE + Long.BYTES;
  static final int COMPRESSION_LEVEL = COMPRESSION + Byte.BYTES;
  static final int DATA_CHECKSUM = COMPRESSION_LEVEL + Byte.BYTES;
  static final int BLOCK_CHECKSUM = DATA_CHECKSUM + Byte.BYTES;
  static final int LOG_SECTORS = BLOCK_CHECKSUM + Byte.BYTES;
  static final int MEMBER_HIGH = LOG_SECTORS + Integer.BYTES;
  static final int MEMBER_LOW = MEMBER_HIGH + Long.BYTES;
  static final int ZEROS = MEMBER_LOW + Long.BYTES;
  static final int CHECKSUM = BYTES - Integer.BYTES;

  /** "COWFS" and three zero bytes. */
  static final long MAGIC_VALUE = 0x00_00_00_53_46_57_4f_43L;

  private LabelFormat() {}

  static ByteBuffer encode(PoolLabel label) {
    ByteBuffer sector = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
    sector.putLong(MAGIC, MAGIC_VALUE);
    sector.putInt(VERSION, PoolLabel.FORMAT_VERSION);
    sector.putInt(SECTOR_SIZE, DeviceLayout.SECTOR_BYTES);
    sector.putLong(UUID_HIGH, label.uuid().getMostSignificantBits());
    sector.putLong(UUID_LOW, label.uuid().getLeastSignificantBits());
    sector.putLong(CAPACITY, label.capacityBytes());
    sector.putLong(CREATED, label.createdMillis());
    sector.putLong(FEATURES_TO_READ, label.featuresToRead());
    sector.putLong(FEATURES_TO_WRITE, label.featuresToWrite());
    sector.put(COMPRESSION, (byte) label.compressionId());
    sector.put(COMPRESSION_LEVEL, (byte) label.compressionLevel());
    sector.put(DATA_CHECKSUM, (byte) label.dataChecksumId());
    sector.put(BLOCK_CHECKSUM, (byte) label.blockChecksumId());
    sector.putInt(LOG_SECTORS, label.logSectors());
    sector.putLong(MEMBER_HIGH, label.member().getMostSignificantBits());
    sector.putLong(MEMBER_LOW, label.member().getLeastSignificantBits());
    sector.putInt(CHECKSUM, checksum(sector));
    return sector;
  }

  static boolean hasMagic(ByteBuffer sector) {
    return sector.getLong(MAGIC) == MAGIC_VALUE;
  }

  static boolean hasValidChecksum(ByteBuffer sector) {
    return sector.getInt(CHECKSUM) == checksum(sector);
  }

  static int version(ByteBuffer sector) {
    return sector.getInt(VERSION);
  }

  static int sectorBytes(ByteBuffer sector) {
    return sector.getInt(SECTOR_SIZE);
  }

  static boolean restIsZero(ByteBuffer sector) {
    for (int at = ZEROS; at < CHECKSUM; at++) {
      if (sector.get(at) != 0) {
        return false;
      }
    }
    return true;
  }

  static PoolLabel decode(ByteBuffer sector) {
    return new PoolLabel(
        new UUID(sector.getLong(UUID_HIGH), sector.getLong(UUID_LOW)),
        sector.getLong(CAPACITY),
        sector.getLong(CREATED),
        Byte.toUnsignedInt(sector.get(COMPRESSION)),
        sector.get(COMPRESSION_LEVEL),
        Byte.toUnsignedInt(sector.get(DATA_CHECKSUM)),
        Byte.toUnsignedInt(sector.get(BLOCK_CHECKSUM)),
        sector.getLong(FEATURES_TO_READ),
        sector.getLong(FEATURES_TO_WRITE),
        sector.getInt(LOG_SECTORS),
        new UUID(sector.getLong(MEMBER_HIGH), sector.getLong(MEMBER_LOW)));
  }

  private static int checksum(ByteBuffer sector) {
    CRC32C crc = new CRC32C();
    crc.update(sector.slice(0, CHECKSUM));
    return (int) crc.getValue();
  }
}
