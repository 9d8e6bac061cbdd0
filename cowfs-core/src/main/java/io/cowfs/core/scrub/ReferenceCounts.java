package io.cowfs.core.scrub;

import io.cowfs.core.alloc.RegionBitmap;
import io.cowfs.core.block.CorruptBlockException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Counts references to sectors of which nothing is known before. Confined to one thread. */
final class ReferenceCounts {
  private static final int PAGE_SECTORS = 512;

  private final long endSector;
  private final SectorCounts sectors = new SectorCounts();

  /** References beyond the first, where there are any, by page. */
  private final TreeMap<Long, int[]> more = new TreeMap<>();

  /** Receives ranges with two or more references, ascending. */
  interface SharedVisitor {
    void shared(long sector, long sectors, int references) throws IOException;
  }

  /**
   * @param endSector where the device ends
   */
  ReferenceCounts(long endSector) {
    this.endSector = endSector;
  }

  /**
   * Counts a reference.
   *
   * @throws CorruptBlockException when it reaches over the end of the device
   */
  void add(long sector, int count) throws CorruptBlockException {
    if (sector < 0 || sector > endSector - count) {
      throw new CorruptBlockException(
          "the device is cut short: it ends at sector %d, but data reaches to %d"
              .formatted(endSector, sector + count));
    }
    sectors.add(
        sector,
        count,
        twice -> {
          int[] page = more.computeIfAbsent(twice / PAGE_SECTORS, key -> new int[PAGE_SECTORS]);
          page[(int) (twice % PAGE_SECTORS)]++;
        });
  }

  /** The bitmaps of the regions with a reference, ascending. */
  List<RegionBitmap> regions() {
    return sectors.regions();
  }

  void forEachShared(SharedVisitor visitor) throws IOException {
    long from = 0;
    long end = 0;
    int extra = 0;
    for (Map.Entry<Long, int[]> page : more.entrySet()) {
      for (int i = 0; i < PAGE_SECTORS; i++) {
        long sector = page.getKey() * PAGE_SECTORS + i;
        int here = page.getValue()[i];
        if (here != extra || sector != end) {
          if (extra > 0) {
            visitor.shared(from, end - from, extra + 1);
          }
          from = sector;
          extra = here;
        }
        end = sector + 1;
      }
    }
    if (extra > 0) {
      visitor.shared(from, end - from, extra + 1);
    }
  }
}
