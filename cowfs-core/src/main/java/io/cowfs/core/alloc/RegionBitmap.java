package io.cowfs.core.alloc;

/**
 * The allocated sectors of one region as persisted.
 *
 * @param region number of the region: sector / 32,768
 * @param bits 4,096 bytes; sector s is bit {@code s % 8} of byte {@code s / 8}; not shared
 */
@SuppressWarnings("ArrayRecordComponent")
public record RegionBitmap(int region, byte[] bits) {
  /** The first sector of the device behind all that are allocated here; 0 when none is. */
  public long endOfAllocated() {
    for (int i = bits.length - 1; i >= 0; i--) {
      if (bits[i] != 0) {
        int inByte = Integer.SIZE - Integer.numberOfLeadingZeros(bits[i] & 0xff);
        return SpaceMap.start(region) + (long) i * Byte.SIZE + inByte;
      }
    }
    return 0;
  }
}
