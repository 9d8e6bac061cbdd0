package io.cowfs.core.fs;

import io.cowfs.core.memory.DirectBuffers;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Memory for dirty file data, outside the heap, in pages of one sector. Pages come out of blocks of
 * 128 KiB, so that data written together lies together and can be handed to the device in one
 * piece.
 *
 * <p>Thread-safe; {@code this} guards the books. The content of a page is its owner's affair.
 */
final class PageArena {
  static final int PAGE_BYTES = 4096;
  static final int BLOCK_PAGES = 32;
  private static final int SLAB_BLOCKS = 32;
  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(PAGE_BYTES);
  private static final int BLOCK_BYTES = BLOCK_PAGES * PAGE_BYTES;

  /** Of the first slab, which is all that most volumes need. */
  private static final int FIRST_SLAB_BLOCKS = 4;

  /** Never changed once published: grows by replacement. */
  private volatile ByteBuffer[] slabs = new ByteBuffer[0];

  private final List<int[]> usedPages = new ArrayList<>();
  private final ArrayDeque<Integer> freeBlocks = new ArrayDeque<>();
  private final BitSet partialBlocks = new BitSet();

  /** A whole block. Returns its first page. */
  synchronized int allocateBlock() {
    int block = takeBlock();
    setUsed(block, -1);
    return block * BLOCK_PAGES;
  }

  /** One page; the next ones asked for tend to follow it in memory. */
  synchronized int allocatePage() {
    int block = partialBlocks.nextSetBit(0);
    if (block < 0) {
      block = takeBlock();
      partialBlocks.set(block);
    }
    int used = used(block);
    int page = Integer.numberOfTrailingZeros(~used);
    used |= 1 << page;
    setUsed(block, used);
    if (used == -1) {
      partialBlocks.clear(block);
    }
    return block * BLOCK_PAGES + page;
  }

  synchronized void free(int page) {
    int block = page / BLOCK_PAGES;
    int used = used(block) & ~(1 << page % BLOCK_PAGES);
    setUsed(block, used);
    if (used == 0) {
      partialBlocks.clear(block);
      freeBlocks.push(block);
    } else {
      partialBlocks.set(block);
    }
  }

  /**
   * A whole block.
   *
   * @param first its first page, as {@link #allocateBlock} gave it; none is free yet
   */
  synchronized void freeBlock(int first) {
    int block = first / BLOCK_PAGES;
    setUsed(block, 0);
    freeBlocks.push(block);
  }

  private int takeBlock() {
    Integer block = freeBlocks.poll();
    if (block != null) {
      return block;
    }
    int slab = slabs.length;
    int blocks = slab == 0 ? FIRST_SLAB_BLOCKS : SLAB_BLOCKS;
    ByteBuffer[] more = java.util.Arrays.copyOf(slabs, slab + 1);
    more[slab] =
        slab == 0
            ? DirectBuffers.aligned(blocks * BLOCK_BYTES)
            : DirectBuffers.large(blocks * BLOCK_BYTES);
    slabs = more;
    usedPages.add(new int[blocks]);
    for (int i = blocks - 1; i > 0; i--) {
      freeBlocks.push(slab * SLAB_BLOCKS + i);
    }
    return slab * SLAB_BLOCKS;
  }

  private int used(int block) {
    return usedPages.get(block / SLAB_BLOCKS)[block % SLAB_BLOCKS];
  }

  private void setUsed(int block, int mask) {
    usedPages.get(block / SLAB_BLOCKS)[block % SLAB_BLOCKS] = mask;
  }

  private static int offset(int page) {
    return page % (SLAB_BLOCKS * BLOCK_PAGES) * PAGE_BYTES;
  }

  private ByteBuffer slab(int page) {
    return slabs[page / (SLAB_BLOCKS * BLOCK_PAGES)];
  }

  /** Copies {@code length} bytes from an absolute index of the source; its position stays. */
  void copyIn(int page, int offsetInPage, ByteBuffer source, int index, int length) {
    slab(page).put(offset(page) + offsetInPage, source, index, length);
  }

  /** Copies to the destination's position and advances it. */
  void copyOut(int page, int offsetInPage, int length, ByteBuffer destination) {
    int position = destination.position();
    destination.put(position, slab(page), offset(page) + offsetInPage, length);
    destination.position(position + length);
  }

  void zero(int page, int offsetInPage, int length) {
    copyIn(page, offsetInPage, ZEROS, 0, length);
  }

  /** The content of {@code count} pages that follow each other within one slab. */
  ByteBuffer slice(int page, int count) {
    return slab(page).slice(offset(page), count * PAGE_BYTES);
  }

  /** True when the second page lies directly behind the first, so that one slice holds both. */
  static boolean adjacent(int page, int next) {
    return next == page + 1 && next % (SLAB_BLOCKS * BLOCK_PAGES) != 0;
  }
}
