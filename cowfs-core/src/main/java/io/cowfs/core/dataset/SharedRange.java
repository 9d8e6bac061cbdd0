package io.cowfs.core.dataset;

/**
 * A range of sectors with two or more references.
 *
 * @param sectors at most {@link #MAX_SECTORS}
 * @param references how many there are, from 2
 */
record SharedRange(long sector, int sectors, int references) {
  /** Longer ranges are kept in pieces, so that a range is found from any sector in it. */
  static final int MAX_SECTORS = 1 << 20;

  long end() {
    return sector + sectors;
  }

  /** The space that is saved by sharing, in sectors. */
  long savedSectors() {
    return (long) sectors * (references - 1);
  }
}
