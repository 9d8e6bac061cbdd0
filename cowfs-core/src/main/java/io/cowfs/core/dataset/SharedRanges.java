package io.cowfs.core.dataset;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the references to ranges that have two or more of them; a range that is not here has one.
 * Ranges are split and merged at their ends. Snapshots never show here: what they hold is the very
 * reference that the head had. A cloned range is a reference of its own. After OpenZFS' {@code
 * brt.c}, over ranges in place of blocks.
 *
 * <p>What the txg changed lies over what is in the index. Owned by the sync thread.
 */
final class SharedRanges {
  /** Where ranges are found that the txg has not changed. */
  interface Source {
    /** Reports the ranges that begin below {@code end} and end after {@code sector}, ascending. */
    void forEachOverlapping(long sector, long end, Visitor visitor) throws IOException;
  }

  /** Receives ranges. */
  @FunctionalInterface
  interface Visitor {
    void range(SharedRange range) throws IOException;
  }

  /** Receives what has lost its last reference. */
  @FunctionalInterface
  interface Grave {
    void lastReferenceDied(long sector, int sectors) throws IOException;
  }

  private final Source source;
  private final AtomicLong increments = new AtomicLong();

  /** By first sector; null for a range of the index that is gone. */
  private final Map<Long, SharedRange> changed = new HashMap<>();

  /** Of these the ranges that are there: disjoint, as all ranges are. */
  private final TreeMap<Long, SharedRange> made = new TreeMap<>();

  /** Records in the index, and how many the txg has more. */
  private long records;

  private long savedSectors;

  /**
   * @param records that the source has
   * @param savedSectors the sum over them
   */
  SharedRanges(Source source, long records, long savedSectors) {
    this.source = source;
    this.records = records;
    this.savedSectors = savedSectors;
  }

  /** How often {@link #increment} was called. Any thread. */
  long increments() {
    return increments.get();
  }

  /** What all sharing saves, in sectors: references there are beyond the first of each. */
  long savedSectors() {
    return savedSectors;
  }

  CatalogState.SharedTotals totals() {
    return new CatalogState.SharedTotals(records, savedSectors);
  }

  boolean isEmpty() {
    return records == 0;
  }

  /** One more reference to each sector of a range, each of which has one at least. */
  void increment(long sector, int sectors) throws IOException {
    increments.incrementAndGet();
    change(sector, sectors, 1, (at, count) -> {});
  }

  /** One reference less to each sector of a range. */
  void decrement(long sector, int sectors, Grave grave) throws IOException {
    if (records == 0) {
      grave.lastReferenceDied(sector, sectors);
      return;
    }
    change(sector, sectors, -1, grave);
  }

  private void change(long sector, int sectors, int by, Grave grave) throws IOException {
    long end = sector + sectors;
    // With the neighbours, which may have the same count afterwards.
    List<SharedRange> old = overlapping(sector - 1, end + 1);
    List<SharedRange> made = new ArrayList<>();
    long at = sector;
    for (SharedRange range : old) {
      if (range.end() <= sector || range.sector() >= end) {
        made.add(range);
        continue;
      }
      if (range.sector() < sector) {
        made.add(
            new SharedRange(range.sector(), (int) (sector - range.sector()), range.references()));
      }
      long from = Math.max(sector, range.sector());
      long to = Math.min(end, range.end());
      unshared(at, from, by, made, grave);
      if (range.references() + by > 1) {
        made.add(new SharedRange(from, (int) (to - from), Math.addExact(range.references(), by)));
      }
      if (range.end() > end) {
        made.add(new SharedRange(end, (int) (range.end() - end), range.references()));
      }
      at = to;
    }
    unshared(at, end, by, made, grave);
    replace(old, merged(made));
  }

  /** A part of the range that changes and has one reference only. */
  private static void unshared(long from, long to, int by, List<SharedRange> made, Grave grave)
      throws IOException {
    if (from >= to) {
      return;
    }
    if (by > 0) {
      made.add(new SharedRange(from, (int) (to - from), 2));
    } else {
      grave.lastReferenceDied(from, (int) (to - from));
    }
  }

  private static List<SharedRange> merged(List<SharedRange> made) {
    made.sort((a, b) -> Long.compare(a.sector(), b.sector()));
    List<SharedRange> merged = new ArrayList<>();
    for (SharedRange range : made) {
      int last = merged.size() - 1;
      SharedRange before = last < 0 ? null : merged.get(last);
      if (before != null
          && before.end() == range.sector()
          && before.references() == range.references()
          && before.sectors() + range.sectors() <= SharedRange.MAX_SECTORS) {
        merged.set(
            last,
            new SharedRange(
                before.sector(), before.sectors() + range.sectors(), range.references()));
      } else {
        merged.add(range);
      }
    }
    return merged;
  }

  private void replace(List<SharedRange> old, List<SharedRange> now) {
    for (SharedRange range : old) {
      changed.put(range.sector(), null);
      made.remove(range.sector());
      savedSectors -= range.savedSectors();
    }
    for (SharedRange range : now) {
      changed.put(range.sector(), range);
      made.put(range.sector(), range);
      savedSectors += range.savedSectors();
    }
    records += now.size() - old.size();
  }

  /** The ranges that overlap, ascending, as the txg has them. */
  List<SharedRange> overlapping(long sector, long end) throws IOException {
    if (records == 0) {
      return List.of();
    }
    TreeMap<Long, SharedRange> found = new TreeMap<>();
    source.forEachOverlapping(
        Math.max(0, sector),
        end,
        range -> {
          if (!changed.containsKey(range.sector())) {
            found.put(range.sector(), range);
          }
        });
    for (SharedRange range : made.headMap(end, false).descendingMap().values()) {
      if (range.end() <= sector) {
        break;
      }
      found.put(range.sector(), range);
    }
    return new ArrayList<>(found.values());
  }

  /** By first sector, null for what is gone; for the txg's commit. Changes nothing. */
  Map<Long, SharedRange> changes() {
    return new TreeMap<>(changed);
  }

  /** The changes are in the index now. */
  void committed() {
    changed.clear();
    made.clear();
  }
}
