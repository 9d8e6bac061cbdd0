package io.cowfs.core.device;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The sectors of a device in memory; those that were never put are zeros. An array that was put is
 * never changed, because images share them. Guarded by its owner.
 */
final class SectorImage {
  private static final byte[] ZEROS = new byte[DeviceLayout.SECTOR_BYTES];

  private byte[][] sectors = new byte[0][];

  SectorImage copy() {
    SectorImage copy = new SectorImage();
    copy.sectors = sectors.clone();
    return copy;
  }

  /** Null for zeros. */
  byte[] find(long sector) {
    return sector < sectors.length ? sectors[(int) sector] : null;
  }

  /** Not to be changed. */
  byte[] get(long sector) {
    byte[] found = find(sector);
    return found == null ? ZEROS : found;
  }

  boolean has(long sector) {
    return find(sector) != null;
  }

  /**
   * @param content null for zeros
   */
  void put(long sector, byte[] content) {
    if (sector >= sectors.length) {
      if (content == null) {
        return;
      }
      sectors = Arrays.copyOf(sectors, (int) Math.max(sector + 1, 2L * sectors.length));
    }
    sectors[(int) sector] = content;
  }

  /** Where all later sectors are zeros. */
  long end() {
    return sectors.length;
  }

  /** Ascending. */
  List<Long> written() {
    List<Long> written = new ArrayList<>();
    for (long sector = 0; sector < sectors.length; sector++) {
      if (has(sector)) {
        written.add(sector);
      }
    }
    return written;
  }
}
