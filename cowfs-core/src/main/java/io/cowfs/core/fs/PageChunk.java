package io.cowfs.core.fs;

import java.util.Arrays;

/**
 * The pages of {@link #SECTORS} neighbouring sectors of a file. What was written as a whole is one
 * block of memory and costs the same for all its pages as for one; it is taken apart when it is
 * changed in part.
 *
 * <p>Guarded as the {@link DirtyFile} that has it.
 */
final class PageChunk {
  static final int SECTORS = PageArena.BLOCK_PAGES;

  /** The first page, while they are one block. */
  private int block;

  /** The page of each sector, or {@link DirtyFile#NO_PAGE}; null while they are one block. */
  private int[] pages;

  /** Without pages. */
  PageChunk() {
    pages = new int[SECTORS];
    Arrays.fill(pages, DirtyFile.NO_PAGE);
  }

  /**
   * With all pages.
   *
   * @param block the first page of a block that is its own
   */
  PageChunk(int block) {
    this.block = block;
  }

  int page(int index) {
    return pages == null ? block + index : pages[index];
  }

  /** Gives a page to a sector that has none. */
  void put(int index, int page) {
    pages[index] = page;
  }

  /** The first sector from the one given on that has a page; {@link #SECTORS} when none has. */
  int nextPage(int from) {
    int index = from;
    while (pages != null && index < SECTORS && pages[index] == DirtyFile.NO_PAGE) {
      index++;
    }
    return index;
  }

  /** The first sector from the one given on that has no page; {@link #SECTORS} when all have. */
  int nextGap(int from) {
    if (pages == null) {
      return SECTORS;
    }
    int index = from;
    while (index < SECTORS && pages[index] != DirtyFile.NO_PAGE) {
      index++;
    }
    return index;
  }

  /** How many pages, from that of a sector on, lie one behind the other in memory. */
  int adjacentPages(int from) {
    if (pages == null) {
      return SECTORS - from;
    }
    int index = from + 1;
    while (index < SECTORS && PageArena.adjacent(pages[index - 1], pages[index])) {
      index++;
    }
    return index - from;
  }

  /** Gives all pages back; to be used no more. */
  void freeAll(PageArena arena) {
    if (pages == null) {
      arena.freeBlock(block);
    } else {
      free(arena, 0, SECTORS);
    }
  }

  /**
   * Gives the pages of some of the sectors back.
   *
   * @param to the sector behind the last of them
   * @return how many pages there were
   */
  int free(PageArena arena, int from, int to) {
    if (pages == null) {
      takeApart();
    }
    int freed = 0;
    for (int index = from; index < to; index++) {
      if (pages[index] != DirtyFile.NO_PAGE) {
        arena.free(pages[index]);
        pages[index] = DirtyFile.NO_PAGE;
        freed++;
      }
    }
    return freed;
  }

  private void takeApart() {
    pages = new int[SECTORS];
    for (int index = 0; index < SECTORS; index++) {
      pages[index] = block + index;
    }
  }
}
