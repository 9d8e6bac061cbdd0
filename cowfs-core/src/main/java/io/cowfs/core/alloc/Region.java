package io.cowfs.core.alloc;

import io.cowfs.core.device.DeviceLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The state of 32,768 sectors. Sectors are numbered within the region here. Not thread-safe; owned
 * by the allocator's lock.
 */
final class Region {
  static final int SECTORS = 1 << 15;
  static final int BITMAP_BYTES = SECTORS / Byte.SIZE;

  static final int CHUNKS = Long.SIZE;
  static final int CHUNK_SECTORS = SECTORS / CHUNKS;
  static final long CHUNK_BYTES = (long) CHUNK_SECTORS * DeviceLayout.SECTOR_BYTES;

  /**
   * Shorter free runs stay as they are, for small allocations: punching costs more than it gives.
   */
  static final int PUNCH_RUN_MIN = 8;

  private static final int WORDS = SECTORS / Long.SIZE;
  private static final int CHUNK_WORDS = WORDS / CHUNKS;

  /** Which sectors a search looks at. */
  enum View {
    /** Available, outside of the chunks of nodes and those that are drained. */
    DATA(0),
    /** Available, in the chunks of nodes. */
    NODES(1),
    /** Available, in the chunks of second copies of nodes. */
    NODE_COPIES(2),
    /** Available. */
    ANY(3),
    /** Free, of unknown backing, outside of the chunks that are drained. */
    UNBACKED(4),
    /** What the puncher may take: free in due chunks, of unknown backing in unknown chunks. */
    PUNCHABLE(-1);

    /** Index of the longest run remembered; -1 where none is. */
    private final int hint;

    View(int hint) {
      this.hint = hint;
    }
  }

  private final long[] allocated = new long[WORDS];
  private final long[] available = new long[WORDS];

  /** By {@link View#hint}: no run is longer. A hint that saves searches. */
  private final int[] longestRun = {SECTORS, SECTORS, SECTORS, SECTORS, SECTORS};

  private final int[] freedAtSecond = new int[CHUNKS];
  private int allocatedCount;
  private int availableCount;

  /** Chunks that are not for data. */
  private long nodeChunks;

  /** Those of them that are for second copies. */
  private long nodeCopyChunks;

  /** Chunks that get no new data, because what is in them is being moved elsewhere. */
  private long drainedChunks;

  private long freedChunks;
  private long dueChunks;
  private long unknownChunks;

  /** How far the puncher has come since chunks were last selected. */
  private int punchedTo;

  /** Whether the bitmap differs from what was last taken for the index. */
  boolean changed;

  int allocatedCount() {
    return allocatedCount;
  }

  int availableCount() {
    return availableCount;
  }

  private int unbackedCount() {
    return SECTORS - allocatedCount - availableCount;
  }

  /** How many of a range are allocated. */
  int countAllocated(int from, int count) {
    return count(allocated, from, count);
  }

  int countAvailable(int from, int count) {
    return count(available, from, count);
  }

  void allocate(int from, int count) {
    set(allocated, from, count);
    clear(available, from, count);
    allocatedCount += count;
    availableCount -= count;
    changed = true;
  }

  /** Marks sectors allocated that were not available: when restoring. */
  void restoreAllocated(int from, int count) {
    set(allocated, from, count);
    allocatedCount += count;
  }

  /** Allocated sectors become available again. */
  void release(int from, int count, int second) {
    clear(allocated, from, count);
    allocatedCount -= count;
    changed = true;
    makeAvailable(from, count);
    for (int chunk = from / CHUNK_SECTORS; chunk <= (from + count - 1) / CHUNK_SECTORS; chunk++) {
      freedChunks |= 1L << chunk;
      freedAtSecond[chunk] = second;
    }
  }

  void makeAvailable(int from, int count) {
    set(available, from, count);
    availableCount += count;
    Arrays.fill(longestRun, 0, View.UNBACKED.hint, SECTORS);
  }

  /** The free sectors of a range lose their backing. Returns how many were available. */
  int makeUnbacked(int from, int count) {
    int wereAvailable = countAvailable(from, count);
    clear(available, from, count);
    availableCount -= wereAvailable;
    longestRun[View.UNBACKED.hint] = SECTORS;
    return wereAvailable;
  }

  boolean isNodeChunk(int chunk) {
    return (nodeChunks >>> chunk & 1) != 0;
  }

  boolean isChunkAvailable(int chunk) {
    return countAvailable(chunk * CHUNK_SECTORS, CHUNK_SECTORS) == CHUNK_SECTORS;
  }

  int countNodeAvailable(int from, int count) {
    int result = 0;
    int end = from + count;
    for (int at = from; at < end; ) {
      int chunk = at / CHUNK_SECTORS;
      int next = Math.min(end, (chunk + 1) * CHUNK_SECTORS);
      if (isNodeChunk(chunk)) {
        result += countAvailable(at, next - at);
      }
      at = next;
    }
    return result;
  }

  void setNodeChunk(int chunk) {
    nodeChunks |= 1L << chunk;
    longestRun[View.NODES.hint] = SECTORS;
  }

  /** The chunk is for nodes, but for second copies only. */
  void setNodeCopyChunk(int chunk) {
    nodeChunks |= 1L << chunk;
    nodeCopyChunks |= 1L << chunk;
    longestRun[View.NODE_COPIES.hint] = SECTORS;
  }

  void clearNodeChunk(int chunk) {
    nodeChunks &= ~(1L << chunk);
    nodeCopyChunks &= ~(1L << chunk);
    longestRun[View.DATA.hint] = SECTORS;
  }

  void drainChunk(int chunk) {
    drainedChunks |= 1L << chunk;
  }

  void endDraining() {
    if (drainedChunks != 0) {
      drainedChunks = 0;
      longestRun[View.DATA.hint] = SECTORS;
      longestRun[View.UNBACKED.hint] = SECTORS;
    }
  }

  boolean mayHaveRun(View view, int length) {
    int sum = view == View.UNBACKED ? unbackedCount() : availableCount;
    return length <= sum && length <= longestRun[view.hint];
  }

  /** All free sectors up to {@code end} may still have space on the host. */
  void markUnknown(int end) {
    int chunks = (end + CHUNK_SECTORS - 1) / CHUNK_SECTORS;
    unknownChunks = chunks == CHUNKS ? -1L : (1L << chunks) - 1;
  }

  boolean hasUnknown() {
    return unknownChunks != 0;
  }

  /** Decides which freed chunks the puncher may take: free for some time, and not for nodes. */
  boolean selectDue(int secondNow, int ageSeconds, int ageOfWholeSeconds) {
    if (punchedTo > 0) {
      return true;
    }
    dueChunks = 0;
    for (long rest = freedChunks & ~nodeChunks; rest != 0; rest &= rest - 1) {
      int chunk = Long.numberOfTrailingZeros(rest);
      int age = secondNow - freedAtSecond[chunk];
      if (age >= ageSeconds || (age >= ageOfWholeSeconds && isChunkAvailable(chunk))) {
        dueChunks |= 1L << chunk;
      }
    }
    return (dueChunks | unknownChunks) != 0;
  }

  void selectUnknownOnly() {
    punchedTo = 0;
    dueChunks = 0;
  }

  /** Everything available outside of the chunks of nodes is due, nothing of unknown backing. */
  void selectAll() {
    punchedTo = 0;
    dueChunks = ~nodeChunks;
    unknownChunks = 0;
  }

  /** The first sector of the next run to punch, or -1 at the end, which forgets the selection. */
  int nextToPunch() {
    int found = findRun(View.PUNCHABLE, punchedTo, PUNCH_RUN_MIN);
    if (found < 0) {
      finishPunching();
    }
    return found;
  }

  void punched(int to) {
    punchedTo = to;
  }

  private void finishPunching() {
    punchedTo = 0;
    freedChunks &= ~dueChunks;
    unknownChunks = 0;
    dueChunks = 0;
  }

  /** The first allocated sector at or after one; {@link #SECTORS} when there is none. */
  int nextAllocated(int from) {
    return next(from, 0);
  }

  /** The first sector that is not allocated, likewise. */
  int nextFree(int from) {
    return next(from, -1L);
  }

  private int next(int from, long inverted) {
    for (int i = from / Long.SIZE, bit = from % Long.SIZE; i < WORDS; i++, bit = 0) {
      long word = (allocated[i] ^ inverted) & (-1L << bit);
      if (word != 0) {
        return i * Long.SIZE + Long.numberOfTrailingZeros(word);
      }
    }
    return SECTORS;
  }

  /** The length of the run of a view that starts exactly here, at most {@code max}. */
  int runAt(View view, int from, int max) {
    int length = 0;
    while (length < max && from + length < SECTORS) {
      int at = from + length;
      long rest = ~(word(view, at / Long.SIZE) >>> at);
      int inWord = Math.min(Long.SIZE - at % Long.SIZE, Long.numberOfTrailingZeros(rest));
      length += inWord;
      if ((at + inWord) % Long.SIZE != 0 || inWord == 0) {
        break;
      }
    }
    return Math.min(length, max);
  }

  /**
   * The first run of at least {@code length} sectors that starts at or after {@code from}; or -1.
   */
  int findRun(View view, int from, int length) {
    int start = -1;
    int run = 0;
    int longest = 0;
    for (int i = from / Long.SIZE; i < WORDS; i++) {
      long word = word(view, i);
      if (i == from / Long.SIZE) {
        word &= -1L << from;
      }
      int bit = 0;
      while (bit < Long.SIZE) {
        long rest = word >>> bit;
        if (rest == 0) {
          run = 0;
          break;
        }
        int zeros = Long.numberOfTrailingZeros(rest);
        if (zeros > 0) {
          run = 0;
          bit += zeros;
        }
        int ones = Math.min(Long.numberOfTrailingZeros(~(word >>> bit)), Long.SIZE - bit);
        if (run == 0) {
          start = i * Long.SIZE + bit;
        }
        run += ones;
        bit += ones;
        if (run >= length) {
          return start;
        }
        longest = Math.max(longest, run);
      }
    }
    if (from == 0 && view.hint >= 0) {
      longestRun[view.hint] = longest;
    }
    return -1;
  }

  private long word(View view, int index) {
    int chunk = index / CHUNK_WORDS;
    return switch (view) {
      case ANY -> available[index];
      case DATA -> ((nodeChunks | drainedChunks) >>> chunk & 1) != 0 ? 0 : available[index];
      case NODES -> ((nodeChunks & ~nodeCopyChunks) >>> chunk & 1) != 0 ? available[index] : 0;
      case NODE_COPIES -> (nodeCopyChunks >>> chunk & 1) != 0 ? available[index] : 0;
      case UNBACKED ->
          (drainedChunks >>> chunk & 1) != 0 ? 0 : ~(allocated[index] | available[index]);
      case PUNCHABLE -> {
        if ((dueChunks >>> chunk & 1) != 0) {
          yield (unknownChunks >>> chunk & 1) != 0 ? ~allocated[index] : available[index];
        }
        yield (unknownChunks >>> chunk & 1) != 0 ? ~(allocated[index] | available[index]) : 0;
      }
    };
  }

  /** The allocated sectors of {@code [from, to)} in the persisted form. */
  byte[] toBitmap(int from, int to) {
    byte[] bits = new byte[BITMAP_BYTES];
    long[] masked = allocated.clone();
    clear(masked, 0, from);
    clear(masked, to, SECTORS - to);
    ByteBuffer.wrap(bits).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().put(masked);
    return bits;
  }

  /** Takes over a persisted bitmap. */
  void restore(byte[] bits) {
    ByteBuffer.wrap(bits).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(allocated);
    allocatedCount = count(allocated, 0, SECTORS);
  }

  private static int count(long[] words, int from, int count) {
    int result = 0;
    for (int at = from, end = from + count; at < end; ) {
      int next = Math.min(end, (at / Long.SIZE + 1) * Long.SIZE);
      result += Long.bitCount(words[at / Long.SIZE] & mask(at, next));
      at = next;
    }
    return result;
  }

  private static void set(long[] words, int from, int count) {
    for (int at = from, end = from + count; at < end; ) {
      int next = Math.min(end, (at / Long.SIZE + 1) * Long.SIZE);
      words[at / Long.SIZE] |= mask(at, next);
      at = next;
    }
  }

  private static void clear(long[] words, int from, int count) {
    for (int at = from, end = from + count; at < end; ) {
      int next = Math.min(end, (at / Long.SIZE + 1) * Long.SIZE);
      words[at / Long.SIZE] &= ~mask(at, next);
      at = next;
    }
  }

  /** The bits of a word from one sector to another, which are in the same word. */
  private static long mask(int from, int to) {
    return -1L >>> (Long.SIZE - (to - from)) << from;
  }
}
