package io.cowfs.core.block;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.device.DeviceLayout;

/**
 * Where a block (a tree node) is stored, how to read it, and how to know that it is the right one.
 * One pointer is one reference, to each of its places.
 *
 * @param sector first sector of 4 KiB on the device
 * @param secondSector where an equal copy begins; {@link #NONE} where there is none
 * @param logicalBytes size of the content
 * @param storedBytes size on the device, after compression; takes {@link #sectors()} sectors
 * @param checksum over the stored bytes, by {@code checksumAlgorithm}
 * @param birthTxg the transaction group in which this reference was made
 */
public record BlockPointer(
    long sector,
    long secondSector,
    int logicalBytes,
    int storedBytes,
    Compression compression,
    ChecksumAlgorithm checksumAlgorithm,
    long checksum,
    long birthTxg)
    implements Reference {

  public static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** How often a block is stored, unless the pool is too full. */
  public static final int COPIES = 2;

  /** Instead of a second sector: there is one copy only. */
  public static final long NONE = 0;

  /** A block that is stored once. */
  public BlockPointer(
      long sector,
      int logicalBytes,
      int storedBytes,
      Compression compression,
      ChecksumAlgorithm checksumAlgorithm,
      long checksum,
      long birthTxg) {
    this(
        sector,
        NONE,
        logicalBytes,
        storedBytes,
        compression,
        checksumAlgorithm,
        checksum,
        birthTxg);
  }

  @Override
  public int places() {
    return secondSector == NONE ? 1 : 2;
  }

  @Override
  public long place(int index) {
    return index == 0 ? sector : secondSector;
  }

  /** The same block, only in one of its places. */
  public BlockPointer atPlace(int index) {
    return new BlockPointer(
        place(index),
        logicalBytes,
        storedBytes,
        compression,
        checksumAlgorithm,
        checksum,
        birthTxg);
  }

  /** The sectors that each copy takes. */
  @Override
  public int sectors() {
    return (storedBytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
  }
}
