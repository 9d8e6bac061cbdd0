package io.cowfs.core.alloc;

/** A run of sectors of 4 KiB on the device. */
public record SectorRange(long sector, int count) {
  /** The sector after the last. */
  public long end() {
    return sector + count;
  }
}
