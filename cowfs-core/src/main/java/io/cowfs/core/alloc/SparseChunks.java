package io.cowfs.core.alloc;

import java.util.HashMap;
import java.util.Map;
import java.util.function.LongPredicate;
import java.util.function.ObjIntConsumer;

/**
 * Parts of the device, 2 MiB each, of which only little is in use: to move that elsewhere makes a
 * long run of free space of each. Found by {@link Allocator#findSparseChunks}. Then whoever is
 * going to move something counts what can be moved ({@link #movable}); where that is not all, the
 * part would not become free, and is left out ({@link #retainMovable}); what was moved is counted
 * again ({@link #moved}). Belongs to one thread.
 */
public final class SparseChunks {
  /** Parts with more in use are not sparse: a quarter. */
  private static final int USED_SECTORS_MAX = Region.CHUNK_SECTORS / 4;

  /** So many are looked at, at most. */
  private static final int CHUNKS_MAX = 1 << 16;

  /** Sectors of a chunk. */
  private static final class Use {
    int used;
    int movable;
    int moved;

    Use(int used) {
      this.used = used;
    }
  }

  /** By the number of the chunk on the device. */
  private final Map<Long, Use> uses = new HashMap<>();

  SparseChunks() {}

  static boolean isSparse(int usedSectors) {
    return usedSectors > 0 && usedSectors <= USED_SECTORS_MAX;
  }

  void add(long chunk, int usedSectors) {
    uses.put(chunk, new Use(usedSectors));
  }

  boolean isFull() {
    return uses.size() >= CHUNKS_MAX;
  }

  void retain(LongPredicate wanted) {
    uses.keySet().removeIf(chunk -> !wanted.test(chunk));
  }

  /** A range in use becomes free by itself. */
  void leaving(long sector, int count) {
    forEachPart(sector, count, (use, length) -> use.used -= length);
  }

  /** How many there are. */
  public int count() {
    return uses.size();
  }

  /** Whether a part of a range is in one of them. */
  public boolean overlaps(long sector, int count) {
    for (long chunk = chunkOf(sector); chunk <= chunkOf(sector + count - 1); chunk++) {
      if (uses.containsKey(chunk)) {
        return true;
      }
    }
    return false;
  }

  /** A range in use can be moved; each is told once. */
  public void movable(long sector, int count) {
    forEachPart(sector, count, (use, length) -> use.movable += length);
  }

  /**
   * Leaves out those in which something is that cannot be moved, and those that become free by
   * themselves.
   */
  public void retainMovable() {
    uses.values().removeIf(use -> use.movable != use.used || use.used == 0);
  }

  /** A range was moved; each is told once. */
  public void moved(long sector, int count) {
    forEachPart(sector, count, (use, length) -> use.moved += length);
  }

  /** What is to be gained if all is moved that can be; bytes. */
  public long possibleGainBytes() {
    long moved = uses.values().stream().mapToLong(use -> use.used).sum();
    return gainBytes(uses.size(), moved);
  }

  /** What was gained: the chunks that will be free, without as much as was filled for it; bytes. */
  public long gainBytes() {
    long emptied = uses.values().stream().filter(use -> use.moved >= use.used).count();
    long moved = uses.values().stream().mapToLong(use -> use.moved).sum();
    return Math.max(0, gainBytes(emptied, moved));
  }

  private static long gainBytes(long chunks, long movedSectors) {
    long filled = (movedSectors + Region.CHUNK_SECTORS - 1) / Region.CHUNK_SECTORS;
    return (chunks - filled) * Region.CHUNK_BYTES;
  }

  private void forEachPart(long sector, int count, ObjIntConsumer<Use> action) {
    long end = sector + count;
    for (long at = sector; at < end; ) {
      long chunk = chunkOf(at);
      long next = Math.min(end, (chunk + 1) * Region.CHUNK_SECTORS);
      Use use = uses.get(chunk);
      if (use != null) {
        action.accept(use, (int) (next - at));
      }
      at = next;
    }
  }

  private static long chunkOf(long sector) {
    return sector / Region.CHUNK_SECTORS;
  }
}
