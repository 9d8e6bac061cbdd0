package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Pages and holes of a layer are what a plain array of sectors says. */
class DirtyFileTest {
  private static final int SECTORS = 200;
  private static final int SLAB_PAGES = 1024;

  @Test
  void pagesAndHolesAreWhatAnArraySays() {
    PageArena arena = new PageArena();
    for (long seed = 1; seed <= 300; seed++) {
      check(seed, arena);
    }
    int block = arena.allocateBlock();
    assertTrue(block < 2 * SLAB_PAGES, () -> "pages were not given back, the next is " + block);
  }

  private static void check(long seed, PageArena arena) {
    Random random = new Random(seed);
    DirtyFile layer = new DirtyFile(1, 1, arena);
    char[] model = new char[SECTORS]; // 0: as in older layers, h: a hole, p: a page
    boolean[] holeBelow = new boolean[SECTORS];
    for (int i = 0; i < 60; i++) {
      int sector = random.nextInt(SECTORS);
      switch (random.nextInt(3)) {
        case 0 -> {
          layer.pageForWriting(sector);
          model[sector] = 'p';
        }
        case 1 -> {
          int start = sector / 32 * 32;
          boolean taken = new String(model, start, Math.min(32, SECTORS - start)).contains("p");
          if (start + 32 <= SECTORS) {
            boolean got = layer.chunkForWriting(start) != DirtyFile.NO_PAGE;
            assertEquals(!taken, got, () -> "seed " + seed);
            for (int k = start; got && k < start + 32; k++) {
              model[k] = 'p';
            }
          }
        }
        default -> {
          int end = Math.min(SECTORS, sector + random.nextInt(50));
          int pages = 0;
          for (int k = sector; k < end; k++) {
            pages += model[k] == 'p' ? 1 : 0;
            model[k] = 'h';
            holeBelow[k] = true;
          }
          assertEquals(pages, layer.punch(sector, end), () -> "seed " + seed);
        }
      }
      compare(layer, model, holeBelow, seed);
    }
    layer.drop();
    assertEquals(0, layer.pageCount());
  }

  private static void compare(DirtyFile layer, char[] model, boolean[] holeBelow, long seed) {
    Set<Integer> pages = new HashSet<>();
    for (int k = 0; k < SECTORS; k++) {
      int page = layer.page(k);
      assertEquals(model[k] == 'p', page != DirtyFile.NO_PAGE, "seed " + seed + " sector " + k);
      assertEquals(holeBelow[k], layer.isHole(k), "seed " + seed + " sector " + k);
      assertTrue(page == DirtyFile.NO_PAGE || pages.add(page), "a page is given out twice");
      if (page != DirtyFile.NO_PAGE) {
        compareAdjacent(layer, k, seed);
      }
    }
    assertEquals(pages.size(), layer.pageCount());
    assertEquals(ranges(model, 'p', 'p'), layer.dirtyRanges(), () -> "seed " + seed);
    assertEquals(ranges(model, 'h', 'p'), layer.changedRanges(), () -> "seed " + seed);
  }

  private static void compareAdjacent(DirtyFile layer, int sector, long seed) {
    int adjacent = layer.adjacentPages(sector, SECTORS);
    for (int k = 1; k < adjacent; k++) {
      assertEquals(layer.page(sector) + k, layer.page(sector + k), () -> "seed " + seed);
    }
    assertEquals(1, layer.adjacentPages(sector, 1));
    int end = (sector / 32 + 1) * 32;
    boolean more = sector + adjacent < end;
    assertTrue(
        !more || layer.page(sector + adjacent) != layer.page(sector) + adjacent,
        () -> "seed " + seed + ", sector " + sector + ": more are adjacent");
  }

  private static List<DirtyFile.Range> ranges(char[] model, char one, char other) {
    List<DirtyFile.Range> ranges = new java.util.ArrayList<>();
    int start = -1;
    for (int k = 0; k <= SECTORS; k++) {
      boolean in = k < SECTORS && (model[k] == one || model[k] == other);
      if (in && start < 0) {
        start = k;
      } else if (!in && start >= 0) {
        ranges.add(new DirtyFile.Range(start, k));
        start = -1;
      }
    }
    return ranges;
  }
}
