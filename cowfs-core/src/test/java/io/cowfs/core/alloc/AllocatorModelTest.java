package io.cowfs.core.alloc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.device.FaultInjectingDevice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Random allocations, frees, commits, punches and restarts, against a model of one bit per sector.
 */
@Timeout(300)
class AllocatorModelTest {
  /** What a catalog would keep. */
  private static final class Persisted {
    final Map<Integer, byte[]> regions = new HashMap<>();
    final Map<Long, byte[]> deferred = new TreeMap<>();

    void apply(long txg, SpaceChanges changes) {
      for (RegionBitmap region : changes.regions()) {
        regions.put(region.region(), region.bits());
      }
      for (long released : changes.releasedTxgs()) {
        deferred.remove(released);
      }
      if (changes.deferredFrees().length > 0) {
        deferred.put(txg, changes.deferredFrees());
      }
    }

    Allocator restore(FaultInjectingDevice device, long[] clock) throws IOException {
      List<RegionBitmap> list = new ArrayList<>();
      regions.forEach((region, bits) -> list.add(new RegionBitmap(region, bits)));
      return Allocator.restore(
          device, DeviceLayout.DATA_FIRST_SECTOR, list, deferred, () -> clock[0]);
    }
  }

  @Test
  void behavesLikeTheModel() throws IOException {
    long seed = Long.getLong("cowfs.seed", System.nanoTime());
    System.out.println("AllocatorModelTest seed " + seed);
    Random random = new Random(seed);
    for (int round = 0; round < 12; round++) {
      long capacity = (16L + random.nextInt(round < 6 ? 100 : 500)) << 20;
      new Run(random, capacity, random.nextBoolean()).run(1_000);
    }
  }

  /** One pool. */
  private static final class Run {
    private final Random random;
    private final long[] clock = {1};
    private final long endSector;
    private FaultInjectingDevice device;
    private Allocator allocator;
    private final Persisted persisted = new Persisted();

    private final BitSet used = new BitSet();
    private final BitSet usedWhenCommitted = new BitSet();
    private final TreeMap<Long, BitSet> pending = new TreeMap<>();
    private final List<SectorRange> live = new ArrayList<>();
    private final List<SectorRange> liveWhenCommitted = new ArrayList<>();
    private long txg = 1;

    Run(Random random, long capacity, boolean hostLimited) throws IOException {
      this.random = random;
      device = new FaultInjectingDevice(capacity);
      if (hostLimited) {
        device.limitHostSpace(capacity / 2);
      }
      endSector = capacity / DeviceLayout.SECTOR_BYTES;
      allocator = persisted.restore(device, clock);
      allocator.beginTxg(txg, Long.MAX_VALUE);
    }

    void run(int steps) throws IOException {
      for (int i = 0; i < steps; i++) {
        clock[0] += random.nextInt(500_000_000);
        int choice = random.nextInt(100);
        if (choice < 60) {
          allocate();
        } else if (choice < 85) {
          free();
        } else if (choice < 95) {
          commit();
        } else if (choice < 99) {
          allocator.punchSome(1L << (12 + random.nextInt(18)));
        } else {
          restart();
        }
        check();
      }
    }

    private void allocate() throws IOException {
      int wanted = 1 + random.nextInt(random.nextBoolean() ? 4 : 300);
      int min = 1 + random.nextInt(wanted);
      AllocationKind kind = wanted <= 4 ? AllocationKind.NODE : AllocationKind.DATA;
      SectorRange range;
      try {
        range = allocator.allocate(wanted, min, kind);
      } catch (OutOfSpaceException e) {
        return;
      }
      assertTrue(range.count() >= min && range.count() <= wanted, range.toString());
      taken(range);
      if (random.nextBoolean()) {
        copy(range, kind);
      }
    }

    private void copy(SectorRange range, AllocationKind kind) throws IOException {
      SectorRange copy;
      if (kind == AllocationKind.NODE) {
        copy = allocator.allocateNodeCopy(range);
      } else {
        try {
          copy =
              allocator.allocateDataCopy(
                  range.count(), range.count(), AllocationKind.DATA_COPY, range.sector());
        } catch (OutOfSpaceException e) {
          return;
        }
        if (random.nextInt(8) == 0) {
          allocator.takeBack(copy);
          return;
        }
      }
      if (copy != null) {
        assertEquals(range.count(), copy.count());
        taken(copy);
      }
    }

    private void taken(SectorRange range) {
      assertTrue(range.sector() >= DeviceLayout.DATA_FIRST_SECTOR, range.toString());
      assertTrue(range.end() <= endSector, range.toString());
      int from = (int) range.sector();
      int taken = used.nextSetBit(from);
      assertTrue(taken < 0 || taken >= range.end(), "already in use: " + range);
      used.set(from, (int) range.end());
      live.add(range);
    }

    private void free() throws IOException {
      for (int i = random.nextInt(10); i > 0 && !live.isEmpty(); i--) {
        int index = random.nextInt(live.size());
        SectorRange range = live.get(index);
        live.set(index, live.get(live.size() - 1));
        live.remove(live.size() - 1);
        int cut = random.nextInt(range.count());
        if (cut > 0) {
          live.add(new SectorRange(range.sector(), cut));
        }
        allocator.free(range.sector() + cut, range.count() - cut, txg);
        pending
            .computeIfAbsent(txg, key -> new BitSet())
            .set((int) range.sector() + cut, (int) range.end());
      }
    }

    private void commit() throws IOException {
      persisted.apply(txg, allocator.takeChanges(txg));
      usedWhenCommitted.clear();
      usedWhenCommitted.or(used);
      liveWhenCommitted.clear();
      liveWhenCommitted.addAll(live);
      txg++;
      begin();
    }

    private void begin() throws IOException {
      long pinned = random.nextInt(3) == 0 ? txg - random.nextInt(8) : Long.MAX_VALUE;
      allocator.beginTxg(txg, pinned);
      while (!pending.isEmpty() && pending.firstKey() <= txg - 3 && pending.firstKey() <= pinned) {
        used.andNot(pending.pollFirstEntry().getValue());
      }
    }

    /** What was not committed never happened. */
    private void restart() throws IOException {
      device = device.crash(random);
      used.clear();
      used.or(usedWhenCommitted);
      live.clear();
      live.addAll(liveWhenCommitted);
      pending.clear();
      for (Map.Entry<Long, byte[]> entry : persisted.deferred.entrySet()) {
        BitSet bits = new BitSet();
        for (long range : DeferredFreesFormat.decode(entry.getValue(), endSector, "model")) {
          bits.set((int) PackedRange.sector(range), (int) PackedRange.end(range));
        }
        pending.put(entry.getKey(), bits);
      }
      allocator = persisted.restore(device, clock);
      begin();
    }

    private void check() {
      SpaceStatus status = allocator.status();
      assertEquals(used.cardinality(), status.allocated());
      assertEquals(endSector - DeviceLayout.DATA_FIRST_SECTOR, status.capacity());
      assertEquals(status.capacity() - status.allocated(), status.free());
      assertTrue(status.backed() >= 0 && status.backed() <= status.free(), status.toString());
      long pendingSectors = pending.values().stream().mapToLong(BitSet::cardinality).sum();
      assertEquals(pendingSectors, status.pending());
      assertFalse(used.isEmpty() && status.pending() > 0);
    }
  }
}
