package io.cowfs.core.alloc;

import io.cowfs.core.device.DamagedPoolException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What was freed and is not reusable yet, by the txg that freed it. Not thread-safe; owned by the
 * allocator's lock.
 */
final class DeferredFrees {
  /** A freeing txg and the two after it are durable before its space is used again. */
  private static final int TXGS_KEPT = 3;

  private final String pool;
  private final TreeMap<Long, FreedRanges> lists = new TreeMap<>();
  private long sectors;
  private long[] releasedTxgs = new long[0];

  DeferredFrees(String pool) {
    this.pool = pool;
  }

  /** Takes over persisted lists; the ranges must be in use and apart from each other. */
  void restore(Map<Long, byte[]> persisted, SpaceMap map) throws DamagedPoolException {
    long[] all = new long[0];
    for (Map.Entry<Long, byte[]> entry : persisted.entrySet()) {
      long[] ranges = DeferredFreesFormat.decode(entry.getValue(), map.endSector(), pool);
      for (long range : ranges) {
        if (!map.isAllocated(PackedRange.sector(range), PackedRange.count(range))) {
          throw new DamagedPoolException(
              pool + ": a list of freed space in the index names space not in use");
        }
      }
      int before = all.length;
      all = Arrays.copyOf(all, before + ranges.length);
      System.arraycopy(ranges, 0, all, before, ranges.length);
      FreedRanges list = new FreedRanges(ranges);
      lists.put(entry.getKey(), list);
      sectors += list.sectors();
    }
    Arrays.sort(all);
    for (int i = 1; i < all.length; i++) {
      if (PackedRange.end(all[i - 1]) > PackedRange.sector(all[i])) {
        throw FreedRanges.freedTwice(pool, PackedRange.sector(all[i]));
      }
    }
  }

  void add(long sector, int count, long txg) {
    lists.computeIfAbsent(txg, key -> new FreedRanges()).add(sector, count);
    sectors += count;
  }

  /** All sectors that are waiting. */
  long sectors() {
    return sectors;
  }

  /** All ranges that are waiting, in no order. */
  List<SectorRange> ranges() {
    List<SectorRange> ranges = new ArrayList<>();
    lists.values().forEach(list -> list.addTo(ranges));
    return ranges;
  }

  /** Takes the oldest list that may be used again when this txg begins; null when there is none. */
  FreedRanges pollReusable(long txg, long oldestPinnedTxg) {
    if (lists.isEmpty()
        || lists.firstKey() > txg - TXGS_KEPT
        || lists.firstKey() > oldestPinnedTxg) {
      return null;
    }
    Map.Entry<Long, FreedRanges> entry = lists.pollFirstEntry();
    sectors -= entry.getValue().sectors();
    releasedTxgs = Arrays.copyOf(releasedTxgs, releasedTxgs.length + 1);
    releasedTxgs[releasedTxgs.length - 1] = entry.getKey();
    return entry.getValue();
  }

  /** The encoded list of a txg, to which nothing is added any more. */
  byte[] seal(long txg) throws DamagedPoolException {
    FreedRanges list = lists.get(txg);
    if (list == null) {
      return new byte[0];
    }
    list.seal(pool);
    return DeferredFreesFormat.encode(list.sorted());
  }

  /** The txgs whose lists were polled since the last call. */
  long[] takeReleasedTxgs() {
    long[] taken = releasedTxgs;
    releasedTxgs = new long[0];
    return taken;
  }
}
