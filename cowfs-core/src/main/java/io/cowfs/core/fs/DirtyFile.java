package io.cowfs.core.fs;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What one txg changed in the content of one file: pages with new data, and holes, by sector. A
 * page wins over a hole; what is neither is as in the older layers. Offsets are in sectors of the
 * file.
 *
 * <p>Guarded by the inode's lock; once its txg is frozen it changes no more, but for pages that the
 * sync thread adds under the lock.
 */
final class DirtyFile {
  static final int NO_PAGE = -1;

  /** End of everything: no file has this sector. */
  static final long SECTORS_MAX = 1L << 51;

  private static final int CHUNK_SECTORS = PageChunk.SECTORS;

  /** Where a sector begins in the file, in bytes; that of the end of everything fits no long. */
  static long bytes(long sector) {
    return sector >= SECTORS_MAX ? Long.MAX_VALUE : sector * PageArena.PAGE_BYTES;
  }

  /** Sectors from, included, to, not included. */
  record Range(long from, long to) {}

  private final long txg;
  private final PageArena arena;

  /** How often each page is stored: so many sectors are reserved for it. */
  private int copies;

  private final TreeMap<Long, PageChunk> chunks = new TreeMap<>();
  private final TreeMap<Long, Long> holes = new TreeMap<>();
  private int pageCount;
  private int unreservedPages;
  private boolean allocated;

  DirtyFile(long txg, int copies, PageArena arena) {
    this.txg = txg;
    this.copies = copies;
    this.arena = arena;
  }

  long txg() {
    return txg;
  }

  int pageCount() {
    return pageCount;
  }

  int copies() {
    return copies;
  }

  /** Its pages have been written to extents, which count as the file's. */
  void setAllocated() {
    allocated = true;
  }

  boolean isAllocated() {
    return allocated;
  }

  /** Pages are stored no more often than this; what is reserved for them becomes less. */
  void limitCopies(int most) {
    copies = Math.min(copies, most);
  }

  int page(long sector) {
    PageChunk chunk = chunks.get(sector / CHUNK_SECTORS);
    return chunk == null ? NO_PAGE : chunk.page((int) (sector % CHUNK_SECTORS));
  }

  /** True when older layers are not to be looked at for this sector. */
  boolean isHole(long sector) {
    Map.Entry<Long, Long> hole = holes.floorEntry(sector);
    return hole != null && sector < hole.getValue();
  }

  /** True when any sector of a range has a page or is in a hole. */
  boolean touches(long from, long to) {
    for (long sector = from; sector < to; sector++) {
      if (page(sector) != NO_PAGE || isHole(sector)) {
        return true;
      }
    }
    return false;
  }

  /** The page of a sector, with undefined content if it is new. */
  int pageForWriting(long sector) {
    PageChunk chunk = chunks.computeIfAbsent(sector / CHUNK_SECTORS, absent -> new PageChunk());
    int index = (int) (sector % CHUNK_SECTORS);
    int page = chunk.page(index);
    if (page == NO_PAGE) {
      page = arena.allocatePage();
      chunk.put(index, page);
      pageCount++;
    }
    return page;
  }

  /** A new page for the sync thread, which has no space reserved for it. */
  int pageWithoutReservation(long sector) {
    unreservedPages++;
    return pageForWriting(sector);
  }

  /** Space is reserved for none of its pages. */
  void reservesNothing() {
    unreservedPages = pageCount;
  }

  /** Pages for which sectors are reserved. */
  int reservedPages() {
    return pageCount - unreservedPages;
  }

  /** The sectors that are reserved for them. */
  int reservedSectors() {
    return reservedPages() * copies;
  }

  /**
   * The pages of a whole chunk, one behind the other in memory, when it has none yet.
   *
   * @param sector the first of the chunk
   * @return the first page, or {@link #NO_PAGE} when the chunk has pages already
   */
  int chunkForWriting(long sector) {
    if (sector % CHUNK_SECTORS != 0 || chunks.containsKey(sector / CHUNK_SECTORS)) {
      return NO_PAGE;
    }
    int first = arena.allocateBlock();
    chunks.put(sector / CHUNK_SECTORS, new PageChunk(first));
    pageCount += CHUNK_SECTORS;
    return first;
  }

  /**
   * How many sectors, from one that has a page on, have pages that lie one behind the other in
   * memory, within one {@link PageArena#slice}.
   *
   * @param most so many are asked for
   */
  int adjacentPages(long sector, int most) {
    PageChunk chunk = chunks.get(sector / CHUNK_SECTORS);
    return Math.min(most, chunk.adjacentPages((int) (sector % CHUNK_SECTORS)));
  }

  /**
   * Makes a hole.
   *
   * @return how many pages were dropped for it
   */
  int punch(long from, long to) {
    if (from >= to) {
      return 0;
    }
    int dropped = 0;
    var affected =
        chunks.subMap(from / CHUNK_SECTORS, true, (to - 1) / CHUNK_SECTORS, true).entrySet();
    for (var iterator = affected.iterator(); iterator.hasNext(); ) {
      Map.Entry<Long, PageChunk> entry = iterator.next();
      long base = entry.getKey() * CHUNK_SECTORS;
      PageChunk chunk = entry.getValue();
      int first = (int) Math.max(0, from - base);
      int end = (int) Math.min(CHUNK_SECTORS, to - base);
      dropped += chunk.free(arena, first, end);
      if (chunk.nextPage(0) == CHUNK_SECTORS) {
        iterator.remove();
      }
    }
    pageCount -= dropped;
    addHole(from, to);
    return dropped;
  }

  private void addHole(long from, long to) {
    long start = from;
    long end = to;
    Map.Entry<Long, Long> before = holes.floorEntry(from);
    if (before != null && before.getValue() >= from) {
      start = before.getKey();
      end = Math.max(end, before.getValue());
    }
    var covered = holes.subMap(start, true, end, true);
    for (long coveredEnd : covered.values()) {
      end = Math.max(end, coveredEnd);
    }
    covered.clear();
    holes.put(start, end);
  }

  /** Gives all pages back. */
  void drop() {
    for (PageChunk chunk : chunks.values()) {
      chunk.freeAll(arena);
    }
    chunks.clear();
    holes.clear();
    pageCount = 0;
  }

  /** Runs of sectors that have pages, ascending, none adjacent to the next. */
  List<Range> dirtyRanges() {
    List<Range> ranges = new ArrayList<>();
    long start = -1;
    long end = -1;
    for (Map.Entry<Long, PageChunk> entry : chunks.entrySet()) {
      long base = entry.getKey() * CHUNK_SECTORS;
      PageChunk chunk = entry.getValue();
      int gap;
      for (int page = chunk.nextPage(0); page < CHUNK_SECTORS; page = chunk.nextPage(gap)) {
        gap = chunk.nextGap(page);
        if (base + page != end) {
          if (start >= 0) {
            ranges.add(new Range(start, end));
          }
          start = base + page;
        }
        end = base + gap;
      }
    }
    if (start >= 0) {
      ranges.add(new Range(start, end));
    }
    return ranges;
  }

  /** Everything that older layers no longer show: dirty ranges and holes, ascending and merged. */
  List<Range> changedRanges() {
    List<Range> all = dirtyRanges();
    holes.forEach((from, to) -> all.add(new Range(from, to)));
    all.sort(java.util.Comparator.comparingLong(Range::from));
    List<Range> merged = new ArrayList<>(all.size());
    for (Range range : all) {
      Range last = merged.isEmpty() ? null : merged.get(merged.size() - 1);
      if (last != null && range.from <= last.to) {
        merged.set(merged.size() - 1, new Range(last.from, Math.max(last.to, range.to)));
      } else {
        merged.add(range);
      }
    }
    return merged;
  }
}
