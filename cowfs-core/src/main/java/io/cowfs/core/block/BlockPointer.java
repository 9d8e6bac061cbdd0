package io.cowfs.core.block;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.device.DeviceLayout;

/**
 * Where a block (a tree node) is stored, how to read it, and how to know that it is the right one.
 * One pointer is one reference.
 *
 * @param sector first sector of 4 KiB on the device
 * @param logicalBytes size of the content
 * @param storedBytes size on the device, after compression; takes {@link #sectors()} sectors
 * @param checksum over the stored bytes, by {@code checksumAlgorithm}
 * @param birthTxg the transaction group in which this reference was made
 */
public record BlockPointer(
    long sector,
    int logicalBytes,
    int storedBytes,
    Compression compression,
    ChecksumAlgorithm checksumAlgorithm,
    long checksum,
    long birthTxg) {

  public static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** The sectors it takes on the device. */
  public int sectors() {
    return (storedBytes + SECTOR_BYTES - 1) / SECTOR_BYTES;
  }
}
