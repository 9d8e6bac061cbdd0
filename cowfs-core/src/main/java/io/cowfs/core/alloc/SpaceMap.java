package io.cowfs.core.alloc;

import io.cowfs.core.device.DamagedPoolException;
import java.util.ArrayList;
import java.util.List;

/**
 * All regions and their sums, made as they are needed: a region that was never touched costs one
 * reference. Not thread-safe; owned by the allocator's lock.
 */
final class SpaceMap {
  /** Up to two regions in which other copies are; -1 for none. */
  record Avoided(int first, int second) {
    static final Avoided NONE = new Avoided(-1, -1);

    boolean has(int region) {
      return region == first || region == second;
    }
  }

  private final long firstSector;
  private final long endSector;
  private final Region[] regions;
  private final String pool;

  private int touchedEnd;
  private boolean draining;

  private long allocated;
  private long available;
  private long nodeAvailable;

  /** Space is handed out between these sectors. */
  SpaceMap(long firstSector, long endSector, String pool) {
    this.firstSector = firstSector;
    this.endSector = endSector;
    this.pool = pool;
    regions = new Region[Math.toIntExact((endSector + Region.SECTORS - 1) / Region.SECTORS)];
  }

  long capacity() {
    return endSector - firstSector;
  }

  long firstSector() {
    return firstSector;
  }

  long endSector() {
    return endSector;
  }

  long allocated() {
    return allocated;
  }

  long available() {
    return available;
  }

  /** Available sectors in the chunks of nodes. */
  long nodeAvailable() {
    return nodeAvailable;
  }

  long unbacked() {
    return capacity() - allocated - available;
  }

  int regionCount() {
    return regions.length;
  }

  /** The regions that were touched lie below this one. */
  int touchedEnd() {
    return touchedEnd;
  }

  /** The region, or null when it was never touched: all of it is free and of unknown backing. */
  Region regionIfTouched(int index) {
    return regions[index];
  }

  Region region(int index) {
    if (regions[index] == null) {
      regions[index] = newRegion(index);
      touchedEnd = Math.max(touchedEnd, index + 1);
    }
    return regions[index];
  }

  private Region newRegion(int index) {
    Region region = new Region();
    int from = firstInRegion(index);
    int to = endInRegion(index);
    if (from > 0) {
      region.restoreAllocated(0, from);
    }
    if (to < Region.SECTORS) {
      region.restoreAllocated(to, Region.SECTORS - to);
    }
    return region;
  }

  /** The first and the last sectors of the device may be no part of the space. */
  private int firstInRegion(int index) {
    return (int) Math.max(0, Math.min(Region.SECTORS, firstSector - start(index)));
  }

  private int endInRegion(int index) {
    return (int) Math.min(Region.SECTORS, endSector - start(index));
  }

  static long start(int region) {
    return (long) region * Region.SECTORS;
  }

  static int indexOf(long sector) {
    return (int) (sector / Region.SECTORS);
  }

  private static int inRegion(long sector) {
    return (int) (sector % Region.SECTORS);
  }

  /** Takes over a persisted bitmap of a region that was not touched yet. */
  void restore(RegionBitmap bitmap) throws DamagedPoolException {
    int index = bitmap.region();
    if (index < 0
        || index >= regions.length
        || regions[index] != null
        || bitmap.bits().length != Region.BITMAP_BYTES) {
      throw new DamagedPoolException(pool + ": a space bitmap in the index is damaged");
    }
    Region region = new Region();
    region.restore(bitmap.bits());
    int from = firstInRegion(index);
    int to = endInRegion(index);
    if (region.countAllocated(0, from) + region.countAllocated(to, Region.SECTORS - to) != 0) {
      throw new DamagedPoolException(pool + ": a space bitmap in the index is damaged");
    }
    allocated += region.allocatedCount();
    region.restoreAllocated(0, from);
    region.restoreAllocated(to, Region.SECTORS - to);
    regions[index] = region;
    touchedEnd = Math.max(touchedEnd, index + 1);
  }

  /** Whether the whole range is inside the space and allocated. */
  boolean isAllocated(long sector, int count) {
    if (sector < firstSector || count <= 0 || count > endSector - sector) {
      return false;
    }
    for (long at = sector, end = sector + count; at < end; ) {
      int length = lengthInRegion(at, end);
      Region region = regions[indexOf(at)];
      if (region == null || region.countAllocated(inRegion(at), length) != length) {
        return false;
      }
      at += length;
    }
    return true;
  }

  private static int lengthInRegion(long at, long end) {
    return (int) Math.min(end - at, Region.SECTORS - at % Region.SECTORS);
  }

  void allocate(int index, int from, int count) {
    Region region = region(index);
    nodeAvailable -= region.countNodeAvailable(from, count);
    region.allocate(from, count);
    allocated += count;
    available -= count;
  }

  /** Allocated sectors become available. */
  void release(long sector, int count, int second) {
    for (long at = sector, end = sector + count; at < end; ) {
      int length = lengthInRegion(at, end);
      Region region = region(indexOf(at));
      region.release(inRegion(at), length, second);
      nodeAvailable += region.countNodeAvailable(inRegion(at), length);
      allocated -= length;
      available += length;
      at += length;
    }
  }

  /** Sectors of unknown backing become available. */
  void makeAvailable(int index, int from, int count) {
    Region region = region(index);
    region.makeAvailable(from, count);
    nodeAvailable += region.countNodeAvailable(from, count);
    available += count;
  }

  void makeUnbacked(int index, int from, int count) {
    Region region = region(index);
    nodeAvailable -= region.countNodeAvailable(from, count);
    available -= region.makeUnbacked(from, count);
  }

  void setNodeChunk(int index, int chunk) {
    Region region = region(index);
    region.setNodeChunk(chunk);
    nodeAvailable += region.countAvailable(chunk * Region.CHUNK_SECTORS, Region.CHUNK_SECTORS);
  }

  /** The same for second copies. */
  void setNodeCopyChunk(int index, int chunk) {
    Region region = region(index);
    region.setNodeCopyChunk(chunk);
    nodeAvailable += region.countAvailable(chunk * Region.CHUNK_SECTORS, Region.CHUNK_SECTORS);
  }

  /** Gives a chunk that nodes no longer use back to data. */
  void clearNodeChunk(int index, int chunk) {
    Region region = region(index);
    nodeAvailable -= region.countAvailable(chunk * Region.CHUNK_SECTORS, Region.CHUNK_SECTORS);
    region.clearNodeChunk(chunk);
  }

  /**
   * The first run of a view at or after a sector, going round once.
   *
   * @return the sector, or -1
   */
  long findRun(Region.View view, long cursor, int length) {
    return findRun(view, cursor, length, Avoided.NONE);
  }

  /** The same outside of some regions. */
  long findRun(Region.View view, long cursor, int length, Avoided avoided) {
    int first = cursor >= endSector ? 0 : indexOf(cursor);
    for (int i = 0; i <= regions.length; i++) {
      int index = (first + i) % regions.length;
      Region region = regions[index];
      if (avoided.has(index) || region == null || !region.mayHaveRun(view, length)) {
        continue;
      }
      int from = i == 0 && cursor < endSector ? inRegion(cursor) : 0;
      int found = region.findRun(view, from, length);
      if (found >= 0) {
        return start(index) + found;
      }
    }
    return -1;
  }

  /**
   * A chunk that is available altogether and not yet for nodes, outside of some regions.
   *
   * @param firstChunk where to begin in each region
   * @return its first sector, or -1
   */
  long findFreeChunk(long cursor, int firstChunk, Avoided avoided) {
    int first = cursor >= endSector ? 0 : indexOf(cursor);
    for (int i = 0; i < regions.length; i++) {
      int index = (first + i) % regions.length;
      Region region = regions[index];
      if (avoided.has(index)
          || region == null
          || !region.mayHaveRun(Region.View.DATA, Region.CHUNK_SECTORS)) {
        continue;
      }
      for (int j = 0; j < Region.CHUNKS; j++) {
        int chunk = (firstChunk + j) % Region.CHUNKS;
        if (!region.isNodeChunk(chunk) && region.isChunkAvailable(chunk)) {
          return start(index) + (long) chunk * Region.CHUNK_SECTORS;
        }
      }
    }
    return -1;
  }

  /**
   * A run of free sectors of unknown backing, at least so long, at or after a sector, going round.
   */
  SectorRange findUnbacked(long cursor, int atLeast, int atMost) {
    int first = cursor >= endSector ? 0 : indexOf(cursor);
    for (int i = 0; i <= regions.length; i++) {
      int index = (first + i) % regions.length;
      Region region = regions[index];
      if (region == null) {
        int from = firstInRegion(index);
        int length = Math.min(atMost, endInRegion(index) - from);
        if (length >= atLeast) {
          return new SectorRange(start(index) + from, length);
        }
      } else if (region.mayHaveRun(Region.View.UNBACKED, atLeast)) {
        int from = i == 0 && cursor < endSector ? inRegion(cursor) : 0;
        int found = region.findRun(Region.View.UNBACKED, from, atLeast);
        if (found >= 0) {
          int length = region.runAt(Region.View.UNBACKED, found, atMost);
          return new SectorRange(start(index) + found, length);
        }
      }
    }
    return null;
  }

  /**
   * Adds chunks for data of which only little is in use.
   *
   * @param index of a region
   */
  void addSparseChunks(int index, SparseChunks to) {
    Region region = regions[index];
    for (int chunk = 0; region != null && chunk < Region.CHUNKS && !to.isFull(); chunk++) {
      int used = region.countAllocated(chunk * Region.CHUNK_SECTORS, Region.CHUNK_SECTORS);
      if (SparseChunks.isSparse(used) && !region.isNodeChunk(chunk)) {
        to.add((long) index * Region.CHUNKS + chunk, used);
      }
    }
  }

  /** Data go elsewhere, until that ends. Leaves out what has filled meanwhile. */
  void drain(SparseChunks sparse) {
    sparse.retain(
        chunk -> {
          int inRegion = (int) (chunk % Region.CHUNKS);
          Region region = region((int) (chunk / Region.CHUNKS));
          int used = region.countAllocated(inRegion * Region.CHUNK_SECTORS, Region.CHUNK_SECTORS);
          boolean isSparse = SparseChunks.isSparse(used) && !region.isNodeChunk(inRegion);
          if (isSparse) {
            region.drainChunk(inRegion);
          }
          return isSparse;
        });
    draining = true;
  }

  boolean isDraining() {
    return draining;
  }

  /** False when nothing was drained. */
  boolean endDraining() {
    boolean was = draining;
    for (int index = 0; was && index < touchedEnd; index++) {
      if (regions[index] != null) {
        regions[index].endDraining();
      }
    }
    draining = false;
    return was;
  }

  /** Counts all runs of free sectors, whatever backs them, in pieces. */
  final class FreeRunCount {
    private final FreeRuns.Counter counter = new FreeRuns.Counter();
    private long freeFrom = firstSector;
    private long at = firstSector;

    private FreeRunCount() {}

    /** Goes on through some regions; false at the end. */
    boolean countSome(int regionsMax) {
      // Regions that were never touched are free altogether, and there may be very many.
      int end = Math.min(touchedEnd, indexOf(at) + regionsMax);
      while (at < endSector && indexOf(at) < end) {
        int index = indexOf(at);
        Region region = regions[index];
        int used = region == null ? Region.SECTORS : region.nextAllocated(inRegion(at));
        if (used == Region.SECTORS) {
          at = start(index + 1);
        } else if (start(index) + used < endSector) {
          counter.add(start(index) + used - freeFrom);
          freeFrom = start(index) + region.nextFree(used);
          at = freeFrom;
        } else {
          at = endSector;
        }
      }
      return at < endSector && indexOf(at) < touchedEnd;
    }

    FreeRuns result() {
      return counter.with(Math.max(0, endSector - freeFrom));
    }
  }

  FreeRunCount newFreeRunCount() {
    return new FreeRunCount();
  }

  /** All free space below this sector may still have space on the host from earlier. */
  void markUnknownBelow(long sector) {
    long end = Math.min(sector, endSector);
    for (int index = indexOf(firstSector); index < regions.length && start(index) < end; index++) {
      region(index).markUnknown((int) Math.min(Region.SECTORS, end - start(index)));
    }
  }

  /** The bitmaps that changed since they were last taken. */
  List<RegionBitmap> takeChanged() {
    List<RegionBitmap> changed = new ArrayList<>();
    for (int index = 0; index < regions.length; index++) {
      Region region = regions[index];
      if (region != null && region.changed) {
        region.changed = false;
        changed.add(
            new RegionBitmap(index, region.toBitmap(firstInRegion(index), endInRegion(index))));
      }
    }
    return changed;
  }
}
