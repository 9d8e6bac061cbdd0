package io.cowfs.core.alloc;

/** A range of sectors in one long, ordered by sector: 43 bits of sector, 20 of count. */
final class PackedRange {
  static final int COUNT_BITS = 20;
  static final int COUNT_MAX = (1 << COUNT_BITS) - 1;

  private PackedRange() {}

  static long of(long sector, int count) {
    return sector << COUNT_BITS | count;
  }

  static long sector(long range) {
    return range >>> COUNT_BITS;
  }

  static int count(long range) {
    return (int) range & COUNT_MAX;
  }

  static long end(long range) {
    return sector(range) + count(range);
  }
}
