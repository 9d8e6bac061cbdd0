package io.cowfs.core.alloc;

import io.cowfs.core.device.DamagedPoolException;
import java.util.Arrays;
import java.util.List;

/** The ranges freed in one txg, packed. Not thread-safe; owned by the allocator's lock. */
final class FreedRanges {
  private long[] ranges;
  private int size;
  private long sectors;
  private boolean sealed;

  FreedRanges() {
    ranges = new long[64];
  }

  /** A list that was persisted. */
  FreedRanges(long[] sorted) {
    ranges = sorted;
    size = sorted.length;
    sealed = true;
    for (long range : sorted) {
      sectors += PackedRange.count(range);
    }
  }

  void add(long sector, int count) {
    if (sealed) {
      throw new IllegalStateException("space freed in a txg whose changes were already taken");
    }
    sectors += count;
    long last = size == 0 ? 0 : ranges[size - 1];
    if (size > 0
        && PackedRange.end(last) == sector
        && PackedRange.count(last) + count <= PackedRange.COUNT_MAX) {
      ranges[size - 1] = last + count;
      return;
    }
    if (size == ranges.length) {
      ranges = Arrays.copyOf(ranges, size * 2);
    }
    ranges[size++] = PackedRange.of(sector, count);
  }

  /** Sorts and joins the ranges; nothing is added any more. */
  void seal(String pool) throws DamagedPoolException {
    Arrays.sort(ranges, 0, size);
    int joined = 0;
    for (int i = 0; i < size; i++) {
      long range = ranges[i];
      if (joined > 0) {
        long last = ranges[joined - 1];
        if (PackedRange.end(last) > PackedRange.sector(range)) {
          throw freedTwice(pool, PackedRange.sector(range));
        }
        if (PackedRange.end(last) == PackedRange.sector(range)
            && PackedRange.count(last) + PackedRange.count(range) <= PackedRange.COUNT_MAX) {
          ranges[joined - 1] = last + PackedRange.count(range);
          continue;
        }
      }
      ranges[joined++] = range;
    }
    ranges = Arrays.copyOf(ranges, joined);
    size = joined;
    sealed = true;
  }

  /** The sorted ranges; shared, not to be changed. */
  long[] sorted() {
    return ranges;
  }

  void addTo(List<SectorRange> all) {
    for (int i = 0; i < size; i++) {
      all.add(new SectorRange(PackedRange.sector(ranges[i]), PackedRange.count(ranges[i])));
    }
  }

  long sectors() {
    return sectors;
  }

  static DamagedPoolException freedTwice(String pool, long sector) {
    return new DamagedPoolException(pool + ": sector " + sector + " was freed twice");
  }
}
