package io.cowfs.core.block;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.MalformedDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The bytes of a {@link DataExtent} as the value of a tree item, little-endian. A plain extent ends
 * with four bytes for each sector, a compressed one with eight for its one checksum. Where there
 * are further copies, their first sectors follow: the length says how many.
 */
public final class DataExtentFormat {
  static final int COMPRESSION = 0;
  static final int CHECKSUM_ALGORITHM = COMPRESSION + Byte.BYTES;
  static final int LOGICAL_BYTES = CHECKSUM_ALGORITHM + Byte.BYTES;
  static final int STORED_BYTES = LOGICAL_BYTES + Integer.BYTES;
  static final int SECTOR = STORED_BYTES + Integer.BYTES;
  static final int BIRTH_TXG = SECTOR + Long.BYTES;
  static final int CHECKSUMS = BIRTH_TXG + Long.BYTES;

  /** The largest encoded extent: plain, with all its sectors. */
  public static final int BYTES_MAX =
      CHECKSUMS + DataExtent.SECTORS_MAX * Integer.BYTES + (Reference.PLACES_MAX - 1) * Long.BYTES;

  private DataExtentFormat() {}

  /** The size of an encoded extent. */
  public static int bytes(DataExtent extent) {
    return copiesAt(extent.isPlain(), extent.sectors()) + (extent.places() - 1) * Long.BYTES;
  }

  private static int copiesAt(boolean isPlain, int sectors) {
    return CHECKSUMS + (isPlain ? sectors * Integer.BYTES : Long.BYTES);
  }

  /** Encodes to an array of its own. */
  public static byte[] encode(DataExtent extent) {
    byte[] value = new byte[bytes(extent)];
    ByteBuffer buffer = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
    buffer.put(COMPRESSION, (byte) extent.compression().id());
    buffer.put(CHECKSUM_ALGORITHM, (byte) extent.checksumAlgorithm().id());
    buffer.putInt(LOGICAL_BYTES, extent.logicalBytes());
    buffer.putInt(STORED_BYTES, extent.storedBytes());
    buffer.putLong(SECTOR, extent.sector());
    buffer.putLong(BIRTH_TXG, extent.birthTxg());
    if (extent.isPlain()) {
      extent.putSectorChecksums(buffer.position(CHECKSUMS).asIntBuffer());
    } else {
      buffer.putLong(CHECKSUMS, extent.checksum());
    }
    int copies = copiesAt(extent.isPlain(), extent.sectors());
    for (int i = 1; i < extent.places(); i++) {
      buffer.putLong(copies + (i - 1) * Long.BYTES, extent.place(i));
    }
    return value;
  }

  /** Decodes a whole array. */
  public static DataExtent decode(byte[] value) throws CorruptBlockException {
    return decode(ByteBuffer.wrap(value));
  }

  /**
   * Decodes the buffer's remaining bytes; its position does not move.
   *
   * @throws CorruptBlockException when the values are impossible
   */
  public static DataExtent decode(ByteBuffer value) throws CorruptBlockException {
    ByteBuffer buffer = value.slice().order(ByteOrder.LITTLE_ENDIAN);
    if (buffer.capacity() < CHECKSUMS) {
      throw new CorruptBlockException("an extent is cut short");
    }
    int logical = buffer.getInt(LOGICAL_BYTES);
    int stored = buffer.getInt(STORED_BYTES);
    long sector = buffer.getLong(SECTOR);
    long birthTxg = buffer.getLong(BIRTH_TXG);
    if (logical <= 0
        || logical > DataExtent.LOGICAL_BYTES_MAX
        || stored <= 0
        || stored > logical
        || birthTxg < 0
        || !Reference.isPossiblePlace(sector)) {
      throw damaged(sector, null);
    }
    try {
      Compression compression = Compression.byId(buffer.get(COMPRESSION));
      ChecksumAlgorithm algorithm = ChecksumAlgorithm.byId(buffer.get(CHECKSUM_ALGORITHM));
      if (compression == Compression.NONE) {
        return decodePlain(buffer, algorithm);
      }
      if (stored == logical || buffer.capacity() < CHECKSUMS + Long.BYTES) {
        throw damaged(sector, null);
      }
      DataExtent extent =
          DataExtent.compressed(
              sector, logical, stored, compression, algorithm, buffer.getLong(CHECKSUMS), birthTxg);
      return withCopies(extent, buffer);
    } catch (MalformedDataException e) {
      throw damaged(sector, e);
    }
  }

  private static DataExtent decodePlain(ByteBuffer buffer, ChecksumAlgorithm algorithm)
      throws CorruptBlockException {
    int logical = buffer.getInt(LOGICAL_BYTES);
    long sector = buffer.getLong(SECTOR);
    int sectors = DataExtent.sectorsOf(logical);
    if (algorithm != ChecksumAlgorithm.CRC32C
        || buffer.getInt(STORED_BYTES) != logical
        || buffer.capacity() < CHECKSUMS + sectors * Integer.BYTES) {
      throw damaged(sector, null);
    }
    int[] checksums = new int[sectors];
    buffer.position(CHECKSUMS).asIntBuffer().get(checksums);
    DataExtent extent = DataExtent.plain(sector, logical, buffer.getLong(BIRTH_TXG), checksums);
    return withCopies(extent, buffer);
  }

  /** Reads the places that follow the checksums. */
  private static DataExtent withCopies(DataExtent extent, ByteBuffer buffer)
      throws CorruptBlockException {
    int at = copiesAt(extent.isPlain(), extent.sectors());
    int bytes = buffer.capacity() - at;
    if (bytes == 0) {
      return extent;
    }
    if (bytes % Long.BYTES != 0 || bytes / Long.BYTES >= Reference.PLACES_MAX) {
      throw damaged(extent.sector(), null);
    }
    long[] copies = new long[bytes / Long.BYTES];
    for (int i = 0; i < copies.length; i++) {
      copies[i] = buffer.getLong(at + i * Long.BYTES);
      boolean isPossible =
          Reference.isPossiblePlace(copies[i])
              && Reference.areApart(extent.sector(), copies[i], extent.sectors());
      for (int j = 0; j < i; j++) {
        isPossible &= Reference.areApart(copies[j], copies[i], extent.sectors());
      }
      if (!isPossible) {
        throw damaged(extent.sector(), null);
      }
    }
    return extent.withCopies(copies);
  }

  private static CorruptBlockException damaged(long sector, MalformedDataException cause) {
    return new CorruptBlockException("an extent at sector " + sector + " is damaged", cause);
  }
}
