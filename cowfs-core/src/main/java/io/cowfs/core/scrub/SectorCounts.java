package io.cowfs.core.scrub;

import io.cowfs.core.alloc.RegionBitmap;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How many references each sector has: a bit for sectors with one, a number for those of shared
 * ranges. Confined to one thread.
 */
final class SectorCounts {
  private static final int WORDS = 512;

  /** A region of the allocator. */
  private static final int PAGE_SECTORS = WORDS * Long.SIZE;

  private final Map<Long, long[]> pages = new HashMap<>();
  private final TreeMap<Long, int[]> shared = new TreeMap<>();
  private long distinct;

  /** Receives a sector, or a range of them. */
  @FunctionalInterface
  interface Visitor {
    void sector(long sector);
  }

  /** Sectors that may have several references. The ranges are disjoint. */
  void addSharedRange(long sector, int sectors) {
    shared.put(sector, new int[sectors]);
  }

  /**
   * Counts a reference.
   *
   * @param twice gets each sector that has one already and is not in a shared range
   */
  void add(long sector, int sectors, Visitor twice) {
    for (long s = sector; s < sector + sectors; s++) {
      boolean isFirst = set(s);
      int[] counts = countsOf(s);
      if (counts != null) {
        counts[(int) (s - shared.floorKey(s))]++;
      } else if (!isFirst) {
        twice.sector(s);
      }
    }
  }

  private boolean set(long sector) {
    long[] page = pages.computeIfAbsent(sector / PAGE_SECTORS, key -> new long[WORDS]);
    int bit = (int) (sector % PAGE_SECTORS);
    long mask = 1L << (bit % Long.SIZE);
    boolean isFirst = (page[bit / Long.SIZE] & mask) == 0;
    page[bit / Long.SIZE] |= mask;
    distinct += isFirst ? 1 : 0;
    return isFirst;
  }

  private int[] countsOf(long sector) {
    Map.Entry<Long, int[]> range = shared.floorEntry(sector);
    return range != null && sector - range.getKey() < range.getValue().length
        ? range.getValue()
        : null;
  }

  boolean contains(long sector) {
    long[] page = pages.get(sector / PAGE_SECTORS);
    int bit = (int) (sector % PAGE_SECTORS);
    return page != null && (page[bit / Long.SIZE] & 1L << (bit % Long.SIZE)) != 0;
  }

  /** The references to a sector of a shared range. */
  int sharedCount(long sector) {
    int[] counts = countsOf(sector);
    return counts[(int) (sector - shared.floorKey(sector))];
  }

  /** Gives the sectors with at least one reference, in no order. */
  void forEach(Visitor visitor) {
    pages.forEach(
        (number, page) -> {
          for (int word = 0; word < WORDS; word++) {
            for (long bits = page[word]; bits != 0; bits &= bits - 1) {
              int bit = word * Long.SIZE + Long.numberOfTrailingZeros(bits);
              visitor.sector(number * PAGE_SECTORS + bit);
            }
          }
        });
  }

  /** The bitmaps of the regions in which a sector has a reference, ascending. */
  List<RegionBitmap> regions() {
    List<RegionBitmap> regions = new ArrayList<>();
    new TreeMap<>(pages)
        .forEach(
            (number, page) -> {
              ByteBuffer bits = ByteBuffer.allocate(PAGE_SECTORS / Byte.SIZE);
              bits.order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(page);
              regions.add(new RegionBitmap(Math.toIntExact(number), bits.array()));
            });
    return regions;
  }

  /** Sectors with at least one reference. */
  long distinct() {
    return distinct;
  }
}
