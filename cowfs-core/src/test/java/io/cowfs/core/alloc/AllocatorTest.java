package io.cowfs.core.alloc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.device.FileDevice;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class AllocatorTest {
  private static final long SECOND = 1_000_000_000L;
  private final long[] clock = {1};

  private Allocator open(BlockDevice device) throws IOException {
    return Allocator.restore(
        device, DeviceLayout.DATA_FIRST_SECTOR, List.of(), Map.of(), () -> clock[0]);
  }

  @Test
  void dataIsContiguousAndApartFromNodes() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(256 << 20));
    SectorRange last = allocator.allocate(32, 32, AllocationKind.DATA);
    int breaks = 0;
    for (int i = 0; i < 400; i++) {
      allocator.allocate(3, 3, AllocationKind.NODE);
      SectorRange next = allocator.allocate(32, 1, AllocationKind.DATA);
      assertEquals(32, next.count());
      breaks += next.sector() == last.end() ? 0 : 1;
      last = next;
    }
    assertTrue(breaks <= 4, breaks + " breaks in 50 MiB");
  }

  private static int region(SectorRange range) {
    return SpaceMap.indexOf(range.sector());
  }

  @Test
  void twoCopiesOfANodeAreInTwoRegionsAndEachKindInRuns() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(1L << 30));
    SectorRange lastCopy = new SectorRange(0, 1);
    int breaks = 0;
    for (int i = 0; i < 12_000; i++) {
      SectorRange first = allocator.allocate(3, 3, AllocationKind.NODE);
      SectorRange copy = allocator.allocateNodeCopy(first);
      assertEquals(3, copy.count());
      assertNotEquals(region(first), region(copy), first + " and " + copy);
      breaks += copy.sector() == lastCopy.end() ? 0 : 1;
      lastCopy = copy;
      if (i % 4 == 0) {
        allocator.allocate(32, 1, AllocationKind.DATA);
      }
    }
    assertEquals(0, allocator.nodesWithoutCopy());
    assertTrue(breaks <= 300, breaks + " breaks in 12,000 copies");
  }

  @Test
  void copiesOfDataAreInThreeRegions() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(1L << 30));
    for (int i = 0; i < 2000; i++) {
      SectorRange first = allocator.allocate(32, 32, AllocationKind.DATA);
      SectorRange second =
          allocator.allocateDataCopy(32, 1, AllocationKind.DATA_COPY, first.sector());
      SectorRange third =
          allocator.allocateDataCopy(
              32, 1, AllocationKind.DATA_THIRD_COPY, first.sector(), second.sector());
      assertEquals(32, second.count());
      assertEquals(32, third.count());
      assertEquals(3, Set.of(region(first), region(second), region(third)).size());
    }
  }

  @Test
  void copiesAreApartWhereThereIsOneRegionOnly() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(64 << 20));
    for (int i = 0; i < 1000; i++) {
      SectorRange node = allocator.allocate(4, 4, AllocationKind.NODE);
      SectorRange nodeCopy = allocator.allocateNodeCopy(node);
      assertTrue(Math.abs(node.sector() - nodeCopy.sector()) >= 64, node + " and " + nodeCopy);
      SectorRange data = allocator.allocate(2, 2, AllocationKind.DATA);
      SectorRange dataCopy =
          allocator.allocateDataCopy(2, 2, AllocationKind.DATA_COPY, data.sector());
      assertTrue(Math.abs(data.sector() - dataCopy.sector()) >= 64, data + " and " + dataCopy);
    }
  }

  @Test
  void copiesOfNodesTakeNothingThatIsPromised() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(64 << 20));
    SpaceStatus empty = allocator.status();
    long promised = empty.free() - empty.reserve() - 100;
    assertTrue(allocator.tryReserve(promised, ReserveTier.WRITE));
    int copies = 0;
    SectorRange copy;
    do {
      copy = allocator.allocateNodeCopy(allocator.allocate(4, 4, AllocationKind.NODE));
      copies += copy == null ? 0 : 1;
    } while (copy != null);
    assertTrue(copies > 0, "none at all");
    assertEquals(1, allocator.nodesWithoutCopy());
    for (long left = promised; left > 0; left -= 1) {
      allocator.allocate(1, 1, AllocationKind.DATA);
    }
    assertTrue(allocator.status().free() >= allocator.status().reserve() / 4);
  }

  @Test
  void dataGoElsewhereThanToDrainedChunksUntilThereIsNoOtherSpace() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(64 << 20));
    List<SectorRange> all = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      all.add(allocator.allocate(512, 512, AllocationKind.DATA));
    }
    allocator.beginTxg(1, Long.MAX_VALUE);
    for (SectorRange chunk : all) {
      allocator.free(chunk.sector(), 448, 1);
    }
    assertEquals(0, allocator.findSparseChunks().count(), "nothing is free yet");
    allocator.takeChanges(1);
    for (long txg = 2; txg < 5; txg++) {
      allocator.beginTxg(txg, Long.MAX_VALUE);
      allocator.takeChanges(txg);
    }
    SparseChunks immovable = allocator.findSparseChunks();
    immovable.retainMovable();
    assertEquals(0, immovable.count());
    SparseChunks sparse = allocator.findSparseChunks();
    assertTrue(sparse.count() >= 19, "found " + sparse.count());
    for (SectorRange chunk : all) {
      sparse.movable(chunk.sector() + 448, 64);
    }
    sparse.retainMovable();
    assertTrue(sparse.possibleGainBytes() >= 30L << 20, "gain " + sparse.possibleGainBytes());
    allocator.drain(sparse);
    // What is moved looks from the front on, where all the holes are.
    for (int i = 0; i < 10; i++) {
      SectorRange moved = allocator.allocateRun(64);
      assertFalse(sparse.overlaps(moved.sector(), moved.count()), moved.toString());
    }
    boolean isElsewhere = true;
    int drainedFrom = 0;
    while (isElsewhere) {
      SectorRange range = allocator.allocate(64, 64, AllocationKind.DATA);
      isElsewhere = !sparse.overlaps(range.sector(), range.count());
      drainedFrom++;
    }
    assertTrue(drainedFrom > 30, "only " + drainedFrom + " elsewhere");
    SectorRange moved = allocator.allocateRun(64);
    assertTrue(sparse.overlaps(moved.sector(), moved.count()), moved.toString());
  }

  @Test
  void whatIsTakenBackCanBeAllocatedAtOnce() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(64 << 20));
    long before = allocator.status().free();
    SectorRange range = allocator.allocate(32, 32, AllocationKind.DATA);
    allocator.takeBack(range);
    assertEquals(before, allocator.status().free());
    assertFalse(allocator.isAllocated(range.sector(), 1));
  }

  @Test
  void freedSpaceComesBackThreeTxgsLater() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(64 << 20));
    allocator.beginTxg(5, Long.MAX_VALUE);
    SectorRange range = allocator.allocate(10, 10, AllocationKind.DATA);
    allocator.free(range.sector(), 10, 5);
    assertEquals(10, allocator.pendingSectors());
    allocator.takeChanges(5);
    for (long txg = 6; txg <= 7; txg++) {
      allocator.beginTxg(txg, Long.MAX_VALUE);
      assertEquals(0, allocator.takeChanges(txg).releasedTxgs().length);
      assertTrue(allocator.isAllocated(range.sector(), 10));
    }
    allocator.beginTxg(8, 4); // a reader still looks at txg 4
    assertTrue(allocator.isAllocated(range.sector(), 10));
    allocator.takeChanges(8);
    allocator.beginTxg(9, 5);
    assertFalse(allocator.isAllocated(range.sector(), 1));
    assertEquals(0, allocator.pendingSectors());
    assertEquals(5, allocator.takeChanges(9).releasedTxgs()[0]);
  }

  @Test
  void freeingTwiceIsFound() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(64 << 20));
    SectorRange range = allocator.allocate(10, 10, AllocationKind.DATA);
    allocator.free(range.sector(), 10, 1);
    allocator.free(range.sector() + 9, 1, 1);
    assertThrows(DamagedPoolException.class, () -> allocator.takeChanges(1));
    assertThrows(DamagedPoolException.class, () -> allocator.free(range.end() + 1000, 1, 2));
    assertThrows(DamagedPoolException.class, () -> allocator.free(0, 1, 2));
    assertThrows(DamagedPoolException.class, () -> allocator.free(1L << 50, 1, 2));
  }

  @Test
  void writersLeaveTheReserveToThoseWhoFreeSpace() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(16 << 20));
    SpaceStatus status = allocator.status();
    long forWriters = status.capacity() - status.reserve();
    assertFalse(allocator.tryReserve(forWriters + 1, ReserveTier.WRITE));
    assertTrue(allocator.tryReserve(forWriters, ReserveTier.WRITE));
    assertFalse(allocator.tryReserve(1, ReserveTier.WRITE));
    assertTrue(allocator.tryReserve(status.reserve() / 2, ReserveTier.DELETE));
    assertFalse(allocator.tryReserve(1, ReserveTier.DELETE));
    assertTrue(allocator.tryReserve(status.reserve() / 4, ReserveTier.DESTROY));
    assertTrue(
        allocator.tryReserve(
            status.reserve() - status.reserve() / 2 - status.reserve() / 4, ReserveTier.COMMIT));
    assertFalse(allocator.tryReserve(1, ReserveTier.COMMIT));
    allocator.unreserve(allocator.status().reserved());
    assertThrows(IllegalStateException.class, () -> allocator.unreserve(1));
  }

  @Test
  void everythingReservedCanBeAllocatedOneSectorAtATime() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(32 << 20));
    long sectors = allocator.status().capacity() - allocator.status().reserve();
    assertTrue(allocator.tryReserve(sectors, ReserveTier.WRITE));
    for (long i = 0; i < sectors; i++) {
      allocator.allocate(1, 1, AllocationKind.DATA);
    }
    allocator.unreserve(sectors);
    int nodes = 0;
    for (long i = 0; i < allocator.status().reserve() / 8; i++) {
      allocator.allocate(4, 4, AllocationKind.NODE);
      nodes++;
    }
    assertTrue(nodes > 0);
  }

  @Test
  void nodesFindRoomInAPoolFragmentedByWriters() throws IOException {
    Allocator allocator = open(new FaultInjectingDevice(64 << 20));
    long txg = 1;
    List<SectorRange> all = new ArrayList<>();
    while (allocator.tryReserve(1, ReserveTier.WRITE)) {
      all.add(allocator.allocate(1, 1, AllocationKind.DATA));
      allocator.unreserve(1);
    }
    for (int i = 0; i < all.size(); i += 2) {
      allocator.free(all.get(i).sector(), 1, txg);
    }
    allocator.takeChanges(txg);
    allocator.beginTxg(txg + 3, Long.MAX_VALUE);
    while (allocator.tryReserve(1, ReserveTier.WRITE)) {
      allocator.allocate(1, 1, AllocationKind.DATA);
      allocator.unreserve(1);
    }
    for (int i = 0; i < 100; i++) {
      assertEquals(4, allocator.allocate(4, 4, AllocationKind.NODE).count());
    }
  }

  @Test
  void aFullHostIsFoundBeforeTheCommitNotInIt() throws IOException {
    FaultInjectingDevice device = new FaultInjectingDevice(1 << 30);
    device.limitHostSpace(40 << 20);
    Allocator allocator = open(device);
    long reserved = 0;
    while (allocator.tryReserve(32, ReserveTier.WRITE)) {
      reserved += 32;
    }
    assertTrue(reserved > 5 << 8, reserved + " sectors");
    assertTrue(reserved <= 40 << 8, reserved + " sectors");
    assertTrue(allocator.tryReserve(64, ReserveTier.DELETE));
    for (long i = 0; i < reserved / 32; i++) {
      SectorRange range = allocator.allocate(32, 1, AllocationKind.DATA);
      device.write(
          java.nio.ByteBuffer.allocate(range.count() * DeviceLayout.SECTOR_BYTES),
          range.sector() * DeviceLayout.SECTOR_BYTES);
    }
    SectorRange node = allocator.allocate(4, 4, AllocationKind.NODE);
    device.write(java.nio.ByteBuffer.allocate(16384), node.sector() * DeviceLayout.SECTOR_BYTES);
  }

  @Test
  void freedSpaceIsPunchedAfterAWhileAndAllOfItAtClose() throws IOException {
    FaultInjectingDevice device = new FaultInjectingDevice(1 << 30);
    Allocator allocator = open(device);
    List<SectorRange> ranges = new ArrayList<>();
    for (int i = 0; i < 2048; i++) {
      ranges.add(allocator.allocate(32, 32, AllocationKind.DATA));
    }
    for (SectorRange range : ranges) {
      allocator.free(range.sector(), range.count(), 1);
    }
    allocator.takeChanges(1);
    allocator.beginTxg(4, Long.MAX_VALUE);
    assertEquals(0, allocator.punchSome(1 << 30));
    clock[0] += 6 * SECOND;
    long punched = 0;
    for (long some = 1; some > 0; punched += some) {
      some = allocator.punchSome(8 << 20);
      assertTrue(some <= 8 << 20);
    }
    assertTrue(punched > 150 << 20, punched + " bytes");
    SpaceStatus status = allocator.status();
    assertTrue(status.backed() >= status.reserve());
    allocator.punchAll();
    long kept = device.hostBytesUsed() / DeviceLayout.SECTOR_BYTES;
    assertTrue(kept <= status.reserve() + 4 * Region.CHUNK_SECTORS, kept + " sectors kept");
  }

  @Test
  void whatIsFreedAfterARestartIsPunchedToo() throws IOException {
    FaultInjectingDevice device = new FaultInjectingDevice(1 << 30);
    Allocator before = open(device);
    List<SectorRange> ranges = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      ranges.add(before.allocate(32, 32, AllocationKind.DATA));
    }
    List<RegionBitmap> regions = before.takeChanges(1).regions();
    Allocator allocator =
        Allocator.restore(
            device, DeviceLayout.DATA_FIRST_SECTOR, regions, Map.of(), () -> clock[0]);
    clock[0] += 6 * SECOND;
    while (allocator.punchSome(1 << 30) > 0) {} // what is of unknown backing
    long backed = device.hostBytesUsed();
    for (SectorRange range : ranges) {
      allocator.free(range.sector(), range.count(), 2);
    }
    allocator.takeChanges(2);
    allocator.beginTxg(5, Long.MAX_VALUE);
    clock[0] += 6 * SECOND;
    while (allocator.punchSome(1 << 30) > 0) {}
    assertTrue(backed - device.hostBytesUsed() > 500 << 20, device.hostBytesUsed() + " bytes");
  }

  @Test
  void ofAFreeRunLargerThanTheExcessTheExcessIsPunched() throws IOException {
    FaultInjectingDevice device = new FaultInjectingDevice(1 << 30);
    Allocator allocator = open(device);
    List<SectorRange> ranges = new ArrayList<>();
    for (int i = 0; i < 900; i++) {
      ranges.add(allocator.allocate(32, 32, AllocationKind.DATA));
    }
    for (SectorRange range : ranges) {
      allocator.free(range.sector(), range.count(), 1);
    }
    allocator.takeChanges(1);
    allocator.beginTxg(4, Long.MAX_VALUE);
    clock[0] += 6 * SECOND;
    long backed = device.hostBytesUsed();
    while (allocator.punchSome(1 << 30) > 0) {}
    assertTrue(device.hostBytesUsed() < backed / 2 + (64 << 20), device.hostBytesUsed() + " bytes");
    SpaceStatus status = allocator.status();
    assertTrue(status.backed() >= status.reserve());
  }

  @Test
  void aPoolThatChangesForALongTimeDoesNotGrowForEver() throws IOException {
    FaultInjectingDevice device = new FaultInjectingDevice(FileDevice.UNLIMITED_BYTES);
    Allocator allocator = open(device);
    for (long txg = 1; txg < 300; txg++) {
      allocator.beginTxg(txg, Long.MAX_VALUE);
      for (int i = 0; i < 512; i++) { // 64 MiB, all of it short-lived
        SectorRange range = allocator.allocate(32, 32, AllocationKind.DATA);
        allocator.free(range.sector(), range.count(), txg);
      }
      allocator.takeChanges(txg);
      clock[0] += 3 * SECOND;
      allocator.punchSome(1 << 30);
    }
    assertTrue(device.usedExtent() < 1L << 30, device.usedExtent() + " bytes");
  }

  @Test
  void afterARestartFreeSpaceOfUnknownBackingIsPunchedOnce() throws IOException {
    FaultInjectingDevice device = new FaultInjectingDevice(1 << 30);
    device.preallocate(0, 200 << 20);
    Allocator allocator = open(device);
    while (allocator.punchSome(64 << 20) > 0) {}
    assertTrue(device.bytesPunched() > 199 << 20);
    assertTrue(device.hostBytesUsed() < 1 << 20);
    long count = device.count(Operation.PUNCH);
    clock[0] += 10 * SECOND;
    assertEquals(0, allocator.punchSome(64 << 20));
    assertEquals(count, device.count(Operation.PUNCH));
  }

  @Test
  void aFullHostGetsBackWhatACrashLeftBehind() throws IOException {
    FaultInjectingDevice device = new FaultInjectingDevice(1 << 30);
    device.preallocate(600 << 20, 30 << 20);
    device.limitHostSpace(30 << 20);
    Allocator allocator = open(device);
    assertTrue(allocator.tryReserve(100, ReserveTier.DELETE));
  }

  @Test
  void hostileStateIsRefused() {
    FaultInjectingDevice device = new FaultInjectingDevice(64 << 20);
    byte[] full = new byte[Region.BITMAP_BYTES];
    java.util.Arrays.fill(full, 130 / 8 + 1, (64 << 20) / 4096 / 8, (byte) 0xff);
    byte[] freed = DeferredFreesFormat.encode(new long[] {PackedRange.of(1000, 5)});
    RegionBitmap good = new RegionBitmap(0, full);
    restoreFails(device, List.of(good, good), Map.of());
    restoreFails(device, List.of(new RegionBitmap(1, full)), Map.of());
    restoreFails(device, List.of(new RegionBitmap(-1, full)), Map.of());
    restoreFails(device, List.of(new RegionBitmap(0, new byte[10])), Map.of());
    byte[] reservedArea = full.clone();
    reservedArea[3] = 1;
    restoreFails(device, List.of(new RegionBitmap(0, reservedArea)), Map.of());
    byte[] beyond = full.clone();
    beyond[(64 << 20) / 4096 / 8] = 1;
    restoreFails(device, List.of(new RegionBitmap(0, beyond)), Map.of());
    restoreFails(device, List.of(), Map.of(1L, freed));
    restoreFails(device, List.of(good), Map.of(1L, freed, 2L, freed));
    for (int i = 0; i < freed.length; i++) {
      restoreFails(device, List.of(good), Map.of(1L, java.util.Arrays.copyOf(freed, i + 20)));
    }
    restoreFails(device, List.of(good), Map.of(1L, new byte[] {-1, -1, -1, -1, 1, 1}));
  }

  private static void restoreFails(
      BlockDevice device, List<RegionBitmap> regions, Map<Long, byte[]> deferred) {
    assertThrows(DamagedPoolException.class, () -> Allocator.restore(device, regions, deferred));
  }

  @Test
  void anUnlimitedPoolCostsNothingAtTheStart() throws IOException {
    FaultInjectingDevice device = new FaultInjectingDevice(FileDevice.UNLIMITED_BYTES);
    Allocator allocator = open(device);
    assertEquals(0, device.count(Operation.PREALLOCATE));
    assertEquals(0, allocator.status().allocated());
    assertEquals(130, allocator.allocate(1, 1, AllocationKind.DATA).sector() % 512);
  }
}
