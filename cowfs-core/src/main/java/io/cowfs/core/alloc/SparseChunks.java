package io.cowfs.core.alloc;

import java.util.HashMap;
import java.util.Map;
import java.util.function.ObjIntConsumer;

/**
 * Parts of the device, 2 MiB each, of which only little is in use: to move that elsewhere makes a
 * long run of free space of each. Found by {@link Allocator#findSparseChunks}; then whoever moves
 * something counts what can be moved ({@link #found}), and the others are left out ({@link
 * #retainMovable}). Belongs to one thread until it is drained, and is not changed from then on.
 */
public final class SparseChunks {
  /** Parts with more in use are not sparse: a quarter. */
  static final int USED_SECTORS_MAX = Region.CHUNK_SECTORS / 4;

  /** So many are looked at, at most. */
  static final int CHUNKS_MAX = 1 << 16;

  /** Sectors of a chunk. */
  private static final class Use {
    int used;

    /** Those of which nobody was found yet. */
    int unknown;

    Use(int used) {
      this.used = used;
      this.unknown = used;
    }
  }

  /** By the number of the chunk on the device. */
  private final Map<Long, Use> uses = new HashMap<>();

  SparseChunks() {}

  void add(long chunk, int usedSectors) {
    uses.put(chunk, new Use(usedSectors));
  }

  boolean isFull() {
    return uses.size() >= CHUNKS_MAX;
  }

  /** Numbers of the chunks, in no order. */
  Iterable<Long> chunks() {
    return uses.keySet();
  }

  /** How many there are. */
  public int count() {
    return uses.size();
  }

  /** What becomes free when they are, beyond what is to be written for it; bytes. */
  public long gainBytes() {
    long used = uses.values().stream().mapToLong(use -> use.used).sum();
    long filled = (used + Region.CHUNK_SECTORS - 1) / Region.CHUNK_SECTORS;
    return (count() - filled) * Region.CHUNK_BYTES;
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

  /** A range in use becomes free by itself. */
  void leaving(long sector, int count) {
    forEachPart(
        sector,
        count,
        (use, length) -> {
          use.used -= length;
          use.unknown -= length;
        });
  }

  /** A range in use can be moved; each is told once. */
  public void found(long sector, int count) {
    forEachPart(sector, count, (use, length) -> use.unknown -= length);
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

  /**
   * Leaves out those in which something is that cannot be moved: they would not become free. And
   * those that become free by themselves.
   */
  public void retainMovable() {
    uses.values().removeIf(use -> use.unknown != 0 || use.used == 0);
  }

  private static long chunkOf(long sector) {
    return sector / Region.CHUNK_SECTORS;
  }
}
