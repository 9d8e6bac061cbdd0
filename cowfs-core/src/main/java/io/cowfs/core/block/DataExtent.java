package io.cowfs.core.block;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.device.DeviceLayout;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Where up to 128 KiB of contiguous file data are stored. Immutable. One extent object is one
 * reference, to each of its places.
 *
 * <p>Stored plain, it has one CRC32C per sector, so it can be read in part and {@link #slice
 * sliced}. The rest of its last sector is zero. Compressed, it is indivisible and has one checksum
 * over the stored bytes.
 */
public final class DataExtent implements Reference {
  public static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;
  public static final int LOGICAL_BYTES_MAX = 128 << 10;
  public static final int SECTORS_MAX = LOGICAL_BYTES_MAX / SECTOR_BYTES;

  private static final int[] NO_CHECKSUMS = {};
  private static final long[] NO_COPIES = {};

  private final long sector;

  /** Where further copies begin. */
  private final long[] copies;

  private final int logicalBytes;
  private final int storedBytes;
  private final Compression compression;
  private final ChecksumAlgorithm checksumAlgorithm;
  private final long checksum;
  private final int[] sectorChecksums;
  private final int firstChecksum;
  private final long birthTxg;

  private DataExtent(
      long sector,
      long[] copies,
      int logicalBytes,
      int storedBytes,
      Compression compression,
      ChecksumAlgorithm checksumAlgorithm,
      long checksum,
      int[] sectorChecksums,
      int firstChecksum,
      long birthTxg) {
    this.sector = sector;
    this.copies = copies;
    this.logicalBytes = logicalBytes;
    this.storedBytes = storedBytes;
    this.compression = compression;
    this.checksumAlgorithm = checksumAlgorithm;
    this.checksum = checksum;
    this.sectorChecksums = sectorChecksums;
    this.firstChecksum = firstChecksum;
    this.birthTxg = birthTxg;
  }

  /** A plain extent; the array belongs to it from now on. */
  public static DataExtent plain(
      long sector, int logicalBytes, long birthTxg, int[] sectorChecksums) {
    if (sectorChecksums.length != sectorsOf(logicalBytes)) {
      throw new IllegalArgumentException(
          sectorChecksums.length + " checksums for " + logicalBytes + " bytes");
    }
    return new DataExtent(
        sector,
        NO_COPIES,
        logicalBytes,
        logicalBytes,
        Compression.NONE,
        ChecksumAlgorithm.CRC32C,
        0,
        sectorChecksums,
        0,
        birthTxg);
  }

  /** A compressed extent. */
  public static DataExtent compressed(
      long sector,
      int logicalBytes,
      int storedBytes,
      Compression compression,
      ChecksumAlgorithm checksumAlgorithm,
      long checksum,
      long birthTxg) {
    if (compression == Compression.NONE) {
      throw new IllegalArgumentException("a compressed extent without compression");
    }
    return new DataExtent(
        sector,
        NO_COPIES,
        logicalBytes,
        storedBytes,
        compression,
        checksumAlgorithm,
        checksum,
        NO_CHECKSUMS,
        0,
        birthTxg);
  }

  /** First sector on the device of the copy that is read first. */
  public long sector() {
    return sector;
  }

  @Override
  public int places() {
    return 1 + copies.length;
  }

  @Override
  public long place(int index) {
    return index == 0 ? sector : copies[index - 1];
  }

  /**
   * The same reference with further copies.
   *
   * @param sectors where each begins; at most two. Belongs to the extent from now on.
   */
  public DataExtent withCopies(long... sectors) {
    if (sectors.length >= PLACES_MAX) {
      throw new IllegalArgumentException(sectors.length + " further copies");
    }
    return new DataExtent(
        sector,
        sectors,
        logicalBytes,
        storedBytes,
        compression,
        checksumAlgorithm,
        checksum,
        sectorChecksums,
        firstChecksum,
        birthTxg);
  }

  /** The same data, only of one of its places. */
  public DataExtent atPlace(int index) {
    return index == 0 && copies.length == 0
        ? this
        : new DataExtent(
            place(index),
            NO_COPIES,
            logicalBytes,
            storedBytes,
            compression,
            checksumAlgorithm,
            checksum,
            sectorChecksums,
            firstChecksum,
            birthTxg);
  }

  /** Bytes of file data. */
  public int logicalBytes() {
    return logicalBytes;
  }

  /** Bytes on the device that are not padding. */
  public int storedBytes() {
    return storedBytes;
  }

  /** The sectors that each copy takes. */
  @Override
  public int sectors() {
    return sectorsOf(storedBytes);
  }

  public Compression compression() {
    return compression;
  }

  public boolean isPlain() {
    return compression == Compression.NONE;
  }

  /** What the checksums are made with. */
  public ChecksumAlgorithm checksumAlgorithm() {
    return checksumAlgorithm;
  }

  /** Over the stored bytes of a compressed extent; 0 for a plain one. */
  public long checksum() {
    return checksum;
  }

  /** CRC32C of one sector of a plain extent. */
  public int sectorChecksum(int index) {
    return sectorChecksums[firstChecksum + index];
  }

  /** Appends the CRC32C of each sector of a plain extent. */
  void putSectorChecksums(IntBuffer target) {
    target.put(sectorChecksums, firstChecksum, sectors());
  }

  /** The txg in which this reference was made. */
  @Override
  public long birthTxg() {
    return birthTxg;
  }

  /** The same data under a reference made in another txg. */
  public DataExtent withBirthTxg(long txg) {
    return new DataExtent(
        sector,
        copies,
        logicalBytes,
        storedBytes,
        compression,
        checksumAlgorithm,
        checksum,
        sectorChecksums,
        firstChecksum,
        txg);
  }

  /**
   * The same stored bytes in other places, under a reference made in another txg.
   *
   * @param places where each copy begins; at least one
   */
  public DataExtent movedTo(long[] places, long txg) {
    return new DataExtent(
        places[0],
        Arrays.copyOfRange(places, 1, places.length),
        logicalBytes,
        storedBytes,
        compression,
        checksumAlgorithm,
        checksum,
        sectorChecksums,
        firstChecksum,
        txg);
  }

  /**
   * Plain extents that follow each other in a file as one, with their checksums. It says that it is
   * where the first of them is, so it is of use only to {@linkplain #movedTo move} them together.
   *
   * @param parts together at most {@link #LOGICAL_BYTES_MAX}, each but the last one whole sectors
   */
  public static DataExtent joined(List<DataExtent> parts) {
    DataExtent first = parts.get(0);
    if (parts.size() == 1) {
      return first;
    }
    int bytes = 0;
    int sectors = 0;
    for (DataExtent part : parts) {
      if (!part.isPlain() || bytes % SECTOR_BYTES != 0) {
        throw new IllegalArgumentException("cannot be joined with others: " + part);
      }
      bytes += part.logicalBytes;
      sectors += part.sectors();
    }
    if (bytes > LOGICAL_BYTES_MAX) {
      throw new IllegalArgumentException(bytes + " bytes are too many for one extent");
    }
    int[] checksums = new int[sectors];
    int at = 0;
    for (DataExtent part : parts) {
      System.arraycopy(part.sectorChecksums, part.firstChecksum, checksums, at, part.sectors());
      at += part.sectors();
    }
    return plain(first.sector, bytes, first.birthTxg, checksums).withCopies(first.copies);
  }

  /**
   * A part of a plain extent, in all its places, as a reference with the same birth. Shares the
   * checksums.
   *
   * @param fromSector first sector, counted within the extent
   * @param sectorCount how many
   */
  public DataExtent slice(int fromSector, int sectorCount) {
    if (!isPlain() || fromSector < 0 || sectorCount < 1 || sectorCount > sectors() - fromSector) {
      throw new IllegalArgumentException(
          "slice " + fromSector + " + " + sectorCount + " of " + this);
    }
    int bytes = Math.min(sectorCount * SECTOR_BYTES, logicalBytes - fromSector * SECTOR_BYTES);
    return new DataExtent(
        sector + fromSector,
        copiesFrom(fromSector),
        bytes,
        bytes,
        compression,
        checksumAlgorithm,
        0,
        sectorChecksums,
        firstChecksum + fromSector,
        birthTxg);
  }

  private long[] copiesFrom(int sectors) {
    if (copies.length == 0 || sectors == 0) {
      return copies;
    }
    long[] moved = copies.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += sectors;
    }
    return moved;
  }

  /** For {@link io.cowfs.core.codec.SectorChecksums}: the array and where it starts. */
  int[] checksumArray() {
    return sectorChecksums;
  }

  int firstChecksum() {
    return firstChecksum;
  }

  static int sectorsOf(int bytes) {
    return (bytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof DataExtent that
        && sector == that.sector
        && Arrays.equals(copies, that.copies)
        && logicalBytes == that.logicalBytes
        && storedBytes == that.storedBytes
        && compression == that.compression
        && checksumAlgorithm == that.checksumAlgorithm
        && checksum == that.checksum
        && birthTxg == that.birthTxg
        && (!isPlain()
            || Arrays.equals(
                sectorChecksums,
                firstChecksum,
                firstChecksum + sectors(),
                that.sectorChecksums,
                that.firstChecksum,
                that.firstChecksum + sectors()));
  }

  @Override
  public int hashCode() {
    return Long.hashCode(sector) * 31 + Long.hashCode(birthTxg);
  }

  @Override
  public String toString() {
    return "extent at sector "
        + sector
        + (copies.length == 0 ? "" : " and " + Arrays.toString(copies))
        + ", "
        + logicalBytes
        + " bytes, stored as "
        + storedBytes
        + " "
        + compression
        + ", born in txg "
        + birthTxg;
  }
}
