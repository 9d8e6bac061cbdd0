package io.cowfs.core.alloc;

import io.cowfs.core.alloc.SpaceMap.Avoided;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.device.HostFullException;
import java.io.IOException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * Hands out the sectors of one device. Thread-safe.
 *
 * <p>Locks: all state belongs to {@code stateLock}, which is never held during I/O. {@code
 * hostLock} is taken before it by whoever asks the host for space or gives space back; free sectors
 * that are not available change only under it.
 */
public final class Allocator {
  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;
  private static final int MEBIBYTE_SECTORS = (1 << 20) / SECTOR_BYTES;

  /** The smallest device that can hold a pool. */
  public static final long MIN_CAPACITY_BYTES = 16L << 20;

  /** Host space is asked for in steps of at most this. */
  private static final int GROWTH_SECTORS = 64 * MEBIBYTE_SECTORS;

  private static final int SMALL_GROWTH_SECTORS = MEBIBYTE_SECTORS;

  /** A host that was full is asked again after this time. */
  private static final long HOST_FULL_NANOS = 500_000_000L;

  /** The host is asked for space for second copies of nodes in steps of this. */
  private static final int NODE_COPY_GROWTH_SECTORS = 4 * Region.CHUNK_SECTORS;

  /** Copies that are nearer to each other than so many sectors are not worth having. */
  private static final int COPY_DISTANCE_MIN = 64;

  /** More space is asked for so often to find a run for what is moved. */
  private static final int GROWTHS_FOR_A_RUN = 3;

  /** A gibibyte: to count its runs takes a fraction of a millisecond. */
  private static final int REGIONS_COUNTED_AT_ONCE = 8;

  private static final int PUNCH_AGE_SECONDS = 5;
  private static final int PUNCH_AGE_SECONDS_OF_WHOLE_CHUNKS = 2;

  /** Backed free space that is not worth punching, beyond reservations and reserve. */
  private static final int PUNCH_SLACK_SECTORS = 16 * MEBIBYTE_SECTORS;

  private static final int PUNCH_RUNS_AT_ONCE = 256;

  private final Object stateLock = new Object();
  private final Object hostLock = new Object();
  private final BlockDevice device;
  private final LongSupplier nanoClock;
  private final SpaceMap map;
  private final long reserve;

  private final DeferredFrees freed;
  private long reserved;
  private long dataCursor;
  private long nodeCursor;
  private long nodeCopyCursor;
  private long movedCursor;
  private final Map<AllocationKind, Long> dataCopyCursors = new EnumMap<>(AllocationKind.class);

  /** Sectors allocated for data since the txg began to sync: reserved before, and still counted. */
  private long dataOfTxg;

  private long nodesWithoutCopy;

  /** Nothing was made available since the last search for a free chunk failed. */
  private boolean freeChunksExhausted;

  /**
   * Where to look for free space of unknown backing; goes back to what is punched, so that the
   * device does not grow for ever. Owned by hostLock.
   */
  private long growthCursor;

  /** It is tried once in a txg. Written under hostLock. */
  private volatile boolean growthApartFailed;

  /** Where the puncher goes on. Owned by hostLock. */
  private int punchRegion;

  /** When the host was last found full. Written under hostLock. */
  private volatile long hostFullAt;

  private volatile boolean hostFull;

  private Allocator(BlockDevice device, int firstSector, LongSupplier nanoClock) {
    this.device = device;
    this.nanoClock = nanoClock;
    long end = device.capacity() / SECTOR_BYTES;
    freed = new DeferredFrees(device.name());
    map = new SpaceMap(firstSector, end, device.name());
    long wanted = Math.max(4L * MEBIBYTE_SECTORS, map.capacity() / 64);
    reserve = Math.min(Math.min(wanted, 64L * MEBIBYTE_SECTORS), map.capacity() / 8) & -4L;
  }

  /** The allocator of a new pool: everything is free. */
  public static Allocator create(BlockDevice device) {
    return new Allocator(device, DeviceLayout.DATA_FIRST_SECTOR, System::nanoTime);
  }

  /**
   * The allocator of a pool as of its last commit. Nothing of it is trusted.
   *
   * @param deferredFrees by txg, as {@link SpaceChanges#deferredFrees} gave them
   * @throws DamagedPoolException when they contradict themselves or each other
   */
  public static Allocator restore(
      BlockDevice device, Iterable<RegionBitmap> regions, Map<Long, byte[]> deferredFrees)
      throws IOException {
    return restore(
        device, DeviceLayout.DATA_FIRST_SECTOR, regions, deferredFrees, System::nanoTime);
  }

  /**
   * The same with a clock of its own, and where other things lie at the front of the device.
   *
   * @param firstSector that may be handed out
   * @param nanoClock for how long space has been free, and the host full, as {@link
   *     System#nanoTime}
   */
  public static Allocator restore(
      BlockDevice device,
      int firstSector,
      Iterable<RegionBitmap> regions,
      Map<Long, byte[]> deferredFrees,
      LongSupplier nanoClock)
      throws IOException {
    if (device.capacity() < MIN_CAPACITY_BYTES) {
      throw new DamagedPoolException(device.name() + " is too small to be a pool");
    }
    Allocator allocator = new Allocator(device, firstSector, nanoClock);
    for (RegionBitmap region : regions) {
      allocator.map.restore(region);
    }
    allocator.freed.restore(deferredFrees, allocator.map);
    allocator.map.markUnknownBelow((device.usedExtent() + SECTOR_BYTES - 1) / SECTOR_BYTES);
    return allocator;
  }

  /** The first sector that may be handed out. */
  public long firstSector() {
    return map.firstSector();
  }

  /**
   * Allocates a run of between {@code minSectors} and {@code wantedSectors} sectors, long ones
   * first. Does not look at reservations: whoever allocates has made one.
   *
   * @throws OutOfSpaceException when there is no such run
   */
  public SectorRange allocate(int wantedSectors, int minSectors, AllocationKind kind)
      throws IOException {
    if (kind != AllocationKind.NODE && kind != AllocationKind.DATA) {
      throw new IllegalArgumentException("a further copy without a first one");
    }
    if (minSectors < 1 || wantedSectors < minSectors || wantedSectors > Region.CHUNK_SECTORS) {
      throw new IllegalArgumentException(minSectors + " to " + wantedSectors + " sectors");
    }
    int growthMin = kind == AllocationKind.NODE ? 2 * Region.CHUNK_SECTORS : wantedSectors;
    SectorRange found = allocateInPlace(wantedSectors, kind);
    while (found == null && grow(growthMin, wantedSectors)) {
      found = allocateInPlace(wantedSectors, kind);
    }
    for (int length = wantedSectors; found == null && length > minSectors; length /= 2) {
      found = allocateAnywhere(length, kind);
    }
    if (found == null) {
      found = allocateAnywhere(minSectors, kind);
    }
    while (found == null && grow(minSectors, minSectors)) {
      found = allocateAnywhere(minSectors, kind);
    }
    if (found == null) {
      throw new OutOfSpaceException(device.name() + ": no space left in the pool");
    }
    return found;
  }

  /** Where this kind belongs. */
  private SectorRange allocateInPlace(int length, AllocationKind kind) {
    synchronized (stateLock) {
      if (kind == AllocationKind.DATA) {
        claimReserve();
        return takeData(map.findRun(Region.View.DATA, dataCursor, length), length);
      }
      long sector = map.findRun(Region.View.NODES, nodeCursor, length);
      if (sector < 0 && claimNodeChunk()) {
        sector = map.findRun(Region.View.NODES, nodeCursor, length);
      }
      return takeNode(sector, length);
    }
  }

  /**
   * Allocates a place for the second copy of a node, in another region than the first one where the
   * device has several, as far away as there is room. A copy takes nothing that is promised to
   * others: where the pool is so full that it would, there is none, and the node has to do with one
   * place.
   *
   * @param first where the node is
   * @return as many sectors; null when the pool is too full
   */
  public SectorRange allocateNodeCopy(SectorRange first) throws IOException {
    int length = first.count();
    Avoided avoided = regionsOf(first.sector());
    SectorRange found = nodeCopyInPlace(length, avoided);
    if (found == null && growApart(Region.CHUNK_SECTORS, NODE_COPY_GROWTH_SECTORS, avoided)) {
      found = nodeCopyInPlace(length, avoided);
    }
    synchronized (stateLock) {
      if (found == null && mayTakeNodeCopy(length)) {
        long sector = map.findRun(Region.View.ANY, nodeCopyCursor, length, avoided);
        if (isNear(sector, first.sector())) {
          sector = map.findRun(Region.View.ANY, halfRoundFrom(first.sector()), length);
        }
        found = isNear(sector, first.sector()) ? null : takeNodeCopy(sector, length);
      }
      nodesWithoutCopy += found == null ? 1 : 0;
    }
    return found;
  }

  /** How many nodes had to do with one place, since the pool was opened. */
  public long nodesWithoutCopy() {
    synchronized (stateLock) {
      return nodesWithoutCopy;
    }
  }

  private SectorRange nodeCopyInPlace(int length, Avoided avoided) {
    synchronized (stateLock) {
      if (!mayTakeNodeCopy(length)) {
        return null;
      }
      long sector = map.findRun(Region.View.NODE_COPIES, nodeCopyCursor, length, avoided);
      if (sector < 0 && claimNodeCopyChunk(avoided)) {
        sector = map.findRun(Region.View.NODE_COPIES, nodeCopyCursor, length, avoided);
      }
      return takeNodeCopy(sector, length);
    }
  }

  /** What is left for those whose space is reserved, and for what a commit cannot do without. */
  private boolean mayTakeNodeCopy(int length) {
    long promised = Math.max(0, reserved - dataOfTxg) + ReserveTier.DESTROY.leaves(reserve);
    return map.available() - length >= promised;
  }

  private boolean claimNodeCopyChunk(Avoided avoided) {
    long cursor = farFrom(avoided);
    int firstChunk = (int) (cursor % Region.SECTORS) / Region.CHUNK_SECTORS;
    long sector = map.findFreeChunk(cursor, firstChunk, avoided);
    if (sector < 0) {
      return false;
    }
    map.setNodeCopyChunk(
        SpaceMap.indexOf(sector), (int) (sector % Region.SECTORS) / Region.CHUNK_SECTORS);
    nodeCopyCursor = sector;
    return true;
  }

  private SectorRange takeNodeCopy(long sector, int length) {
    if (sector < 0) {
      return null;
    }
    take(sector, length);
    nodeCopyCursor = sector + length;
    return new SectorRange(sector, length);
  }

  /**
   * Allocates a run for a further copy of data, in another region than the copies before it where
   * the device has as many. Space was reserved for it, so it is found, near them if need be.
   *
   * @param kind {@link AllocationKind#DATA_COPY} or {@link AllocationKind#DATA_THIRD_COPY}
   * @param before where the other copies begin, one or two
   * @throws OutOfSpaceException when there is no run of {@code minSectors}
   */
  public SectorRange allocateDataCopy(
      int wantedSectors, int minSectors, AllocationKind kind, long... before) throws IOException {
    Avoided avoided = regionsOf(before);
    SectorRange found = dataCopyApart(wantedSectors, kind, avoided, before[0]);
    while (found == null && growApart(wantedSectors, GROWTH_SECTORS, avoided)) {
      found = dataCopyApart(wantedSectors, kind, avoided, before[0]);
    }
    for (int length = wantedSectors; found == null && length > minSectors; ) {
      length = Math.max(minSectors, length / 2);
      found = dataCopyApart(length, kind, avoided, before[0]);
    }
    if (found == null && endsDraining()) {
      return allocateDataCopy(wantedSectors, minSectors, kind, before);
    }
    return found == null ? allocate(wantedSectors, minSectors, AllocationKind.DATA) : found;
  }

  private SectorRange dataCopyApart(
      int length, AllocationKind kind, Avoided avoided, long firstCopy) {
    synchronized (stateLock) {
      claimReserve();
      long cursor = dataCopyCursors.getOrDefault(kind, farFrom(avoided));
      long sector = map.findRun(Region.View.DATA, cursor, length, avoided);
      if (sector < 0 || isNear(sector, firstCopy)) {
        return null;
      }
      take(sector, length);
      dataOfTxg += length;
      dataCopyCursors.put(kind, sector + length);
      return new SectorRange(sector, length);
    }
  }

  /**
   * Allocates one run for data that is moved together, as near to the front of the device as there
   * is one behind the run before: so what is moved one after the other follows each other, and long
   * runs stay free behind it. Space was reserved for it.
   *
   * @return null when there is no such run
   */
  public SectorRange allocateRun(int sectors) throws IOException {
    SectorRange found = movedInPlace(sectors);
    // What is made available may go to the chunks of nodes first.
    for (int i = 0; found == null && i < GROWTHS_FOR_A_RUN && grow(sectors, sectors); i++) {
      found = movedInPlace(sectors);
    }
    return found;
  }

  private SectorRange movedInPlace(int sectors) {
    synchronized (stateLock) {
      claimReserve();
      long sector = map.findRun(Region.View.DATA, movedCursor, sectors);
      if (sector < 0) {
        return null;
      }
      take(sector, sectors);
      dataOfTxg += sectors;
      movedCursor = sector + sectors;
      return new SectorRange(sector, sectors);
    }
  }

  /**
   * Parts of the device of which only little is in use by data: so little that it pays to move it
   * elsewhere, and as far as it does not become free by itself in coming commits.
   */
  public SparseChunks findSparseChunks() {
    SparseChunks sparse = new SparseChunks();
    for (int index = touchedRegions() - 1; index >= 0 && !sparse.isFull(); index--) {
      synchronized (stateLock) {
        map.addSparseChunks(index, sparse);
      }
    }
    pendingRanges().forEach(range -> sparse.leaving(range.sector(), range.count()));
    return sparse;
  }

  /**
   * From now on data go elsewhere, until {@link #endDraining}, or until something is to be written
   * for which there is no run elsewhere. What is moved next goes to the front of the device.
   *
   * @param sparse those that have filled meanwhile are left out of it
   */
  public void drain(SparseChunks sparse) {
    synchronized (stateLock) {
      map.drain(sparse);
      movedCursor = map.firstSector();
    }
  }

  /** Whether data still go elsewhere. */
  public boolean isDraining() {
    synchronized (stateLock) {
      return map.isDraining();
    }
  }

  /** All space may be used again. */
  public void endDraining() {
    endsDraining();
  }

  private boolean endsDraining() {
    synchronized (stateLock) {
      return map.endDraining();
    }
  }

  /**
   * Takes back what was just allocated for data and is not used after all. Nothing may have been
   * written there.
   */
  public void takeBack(SectorRange unused) {
    synchronized (stateLock) {
      map.release(unused.sector(), unused.count(), second());
      dataOfTxg -= unused.count();
    }
  }

  /** Those to keep away from; none where there is only one region. */
  private Avoided regionsOf(long... sectors) {
    if (map.regionCount() == 1) {
      return Avoided.NONE;
    }
    int last = sectors.length > 1 && map.regionCount() > 2 ? sectors.length - 1 : 0;
    return new Avoided(SpaceMap.indexOf(sectors[0]), SpaceMap.indexOf(sectors[last]));
  }

  private static boolean isNear(long sector, long other) {
    return sector < 0 || Math.abs(sector - other) < COPY_DISTANCE_MIN;
  }

  private long halfRoundFrom(long sector) {
    return (sector + map.endSector() / 2) % map.endSector();
  }

  /** Where to look for copies of what is in a region: in the other half of what is in use. */
  private long farFrom(Avoided avoided) {
    if (avoided.equals(Avoided.NONE)) {
      return map.endSector() / 2;
    }
    int regions = Math.max(2, map.touchedEnd());
    return SpaceMap.start((avoided.second() + Math.max(1, regions / 2)) % regions);
  }

  /**
   * Makes a part of another region available. False when there is none, or the host is short of
   * space.
   */
  private boolean growApart(int minRun, int step, Avoided avoided) throws IOException {
    synchronized (hostLock) {
      int length = growthApartFailed ? 0 : Math.min(step, hostStep());
      if (length < minRun) {
        return false;
      }
      SectorRange range;
      synchronized (stateLock) {
        range = findUnbackedApart(minRun, length, avoided);
      }
      if (range == null || !hasPreallocated(range)) {
        growthApartFailed = true;
        return false;
      }
      synchronized (stateLock) {
        makeAvailable(range);
        claimReserve();
      }
      return true;
    }
  }

  /** The search goes on behind each region that it must not end in. */
  private SectorRange findUnbackedApart(int minRun, int length, Avoided avoided) {
    long cursor = farFrom(avoided);
    for (int tries = 0; tries < 3; tries++) {
      SectorRange range = map.findUnbacked(cursor, minRun, length);
      if (range == null || !avoided.has(SpaceMap.indexOf(range.sector()))) {
        return range;
      }
      cursor = SpaceMap.start((SpaceMap.indexOf(range.sector()) + 1) % map.regionCount());
    }
    return null;
  }

  private boolean hasPreallocated(SectorRange range) throws IOException {
    try {
      device.preallocate(range.sector() * SECTOR_BYTES, (long) range.count() * SECTOR_BYTES);
      return true;
    } catch (HostFullException e) {
      return false;
    }
  }

  private void makeAvailable(SectorRange range) {
    map.makeAvailable(
        SpaceMap.indexOf(range.sector()), (int) (range.sector() % Region.SECTORS), range.count());
    freeChunksExhausted = false;
  }

  /** Data may use what nodes have beyond the reserve, nodes may use anything. */
  private SectorRange allocateAnywhere(int length, AllocationKind kind) {
    synchronized (stateLock) {
      if (kind == AllocationKind.NODE) {
        return takeNode(map.findRun(Region.View.ANY, nodeCursor, length), length);
      }
      SectorRange found = takeData(map.findRun(Region.View.DATA, dataCursor, length), length);
      if (found == null && map.endDraining()) {
        found = takeData(map.findRun(Region.View.DATA, dataCursor, length), length);
      }
      if (found == null && map.nodeAvailable() - length >= Math.min(reserve, reserveInNodes())) {
        found = takeData(map.findRun(Region.View.NODES, dataCursor, length), length);
        if (found == null) {
          found = takeData(map.findRun(Region.View.NODE_COPIES, dataCursor, length), length);
        }
      }
      return found;
    }
  }

  /** What is reserved for data is there for data, even where the reserve could not be backed. */
  private long reserveInNodes() {
    return Math.max(0, map.available() - reserved);
  }

  private SectorRange takeData(long sector, int length) {
    if (sector < 0) {
      return null;
    }
    take(sector, length);
    dataOfTxg += length;
    dataCursor = sector + length;
    return new SectorRange(sector, length);
  }

  private SectorRange takeNode(long sector, int length) {
    if (sector < 0) {
      return null;
    }
    take(sector, length);
    nodeCursor = sector + length;
    return new SectorRange(sector, length);
  }

  /** A run found lies in one region. */
  private void take(long sector, int length) {
    map.allocate(SpaceMap.indexOf(sector), (int) (sector % Region.SECTORS), length);
  }

  /** Keeps enough space in the chunks of nodes to back the reserve. */
  private void claimReserve() {
    while (map.nodeAvailable() < reserve && claimNodeChunk()) {}
  }

  private boolean claimNodeChunk() {
    if (freeChunksExhausted) {
      return false;
    }
    long sector = map.findFreeChunk(nodeCursor, 0, Avoided.NONE);
    if (sector < 0) {
      freeChunksExhausted = true;
      return false;
    }
    map.setNodeChunk(
        SpaceMap.indexOf(sector), (int) (sector % Region.SECTORS) / Region.CHUNK_SECTORS);
    return true;
  }

  /**
   * Promises space to a writer, so that its data can be allocated later without failing.
   *
   * @return false when there is none, or the host has none; pending sectors may be worth a commit
   */
  public boolean tryReserve(long sectors, ReserveTier tier) throws IOException {
    while (true) {
      synchronized (stateLock) {
        long needed = sectors + reserved + tier.leaves(reserve);
        if (needed > map.capacity() - map.allocated()) {
          return false;
        }
        boolean whole = sectors + reserved + reserve <= map.available();
        if (whole || (needed <= map.available() && hostIsFull())) {
          reserved += sectors;
          return true;
        }
      }
      if (!grow(1, sectors)) {
        synchronized (stateLock) {
          if (sectors + reserved + tier.leaves(reserve) > map.available()) {
            return false;
          }
          reserved += sectors;
          return true;
        }
      }
    }
  }

  /** Takes a promise back, used or not. */
  public void unreserve(long sectors) {
    synchronized (stateLock) {
      if (sectors < 0 || sectors > reserved) {
        throw new IllegalStateException("unreserve " + sectors + " of " + reserved + " sectors");
      }
      reserved -= sectors;
    }
  }

  /**
   * Defers a free: the range stays allocated until later txgs are durable.
   *
   * @param txg the txg being synced, whose changes were not taken yet
   * @throws DamagedPoolException when the range is not allocated: the tree that named it is damaged
   */
  public void free(long sector, int count, long txg) throws DamagedPoolException {
    synchronized (stateLock) {
      if (!map.isAllocated(sector, count)) {
        throw new DamagedPoolException(
            device.name() + ": sector " + sector + " is freed but not in use");
      }
      freed.add(sector, count, txg);
    }
  }

  /**
   * Begins the sync of a txg; the one before is durable. Releases what was freed three txgs ago or
   * earlier, where no reader pins a view from before.
   *
   * @param oldestPinnedTxg the oldest txg whose view a reader uses; {@link Long#MAX_VALUE} for none
   */
  public void beginTxg(long txg, long oldestPinnedTxg) throws DamagedPoolException {
    synchronized (stateLock) {
      int second = second();
      freeChunksExhausted = false;
      dataOfTxg = 0;
      growthApartFailed = false;
      FreedRanges list = freed.pollReusable(txg, oldestPinnedTxg);
      while (list != null) {
        release(list, second);
        list = freed.pollReusable(txg, oldestPinnedTxg);
      }
    }
  }

  private void release(FreedRanges list, int second) throws DamagedPoolException {
    for (long range : list.sorted()) {
      long sector = PackedRange.sector(range);
      int count = PackedRange.count(range);
      if (!map.isAllocated(sector, count)) {
        throw FreedRanges.freedTwice(device.name(), sector);
      }
      map.release(sector, count, second);
      returnNodeChunks(sector, count);
    }
  }

  /** Chunks that became free altogether go back to data, as far as the reserve allows. */
  private void returnNodeChunks(long sector, int count) {
    long first = sector / Region.CHUNK_SECTORS;
    long last = (sector + count - 1) / Region.CHUNK_SECTORS;
    for (long i = first; i <= last; i++) {
      int index = SpaceMap.indexOf(i * Region.CHUNK_SECTORS);
      int chunk = (int) (i % Region.CHUNKS);
      Region region = map.region(index);
      if (region.isNodeChunk(chunk)
          && region.isChunkAvailable(chunk)
          && map.nodeAvailable() - Region.CHUNK_SECTORS >= reserve) {
        map.clearNodeChunk(index, chunk);
      }
    }
  }

  /** Ends the sync of a txg: everything it changed, to be persisted in its commit. */
  public SpaceChanges takeChanges(long txg) throws DamagedPoolException {
    synchronized (stateLock) {
      byte[] deferred = freed.seal(txg);
      return new SpaceChanges(map.takeChanged(), deferred, freed.takeReleasedTxgs());
    }
  }

  /** Sectors that were freed and will be reusable after coming commits. */
  public long pendingSectors() {
    synchronized (stateLock) {
      return freed.sectors();
    }
  }

  /** The space of the pool as of now. */
  public SpaceStatus status() {
    synchronized (stateLock) {
      return new SpaceStatus(
          map.capacity(),
          map.allocated(),
          freed.sectors(),
          reserved,
          map.capacity() - map.allocated(),
          map.available(),
          reserve);
    }
  }

  /**
   * The runs of free space. They are counted a part of the device after the other, so what is
   * allocated or freed meanwhile may be counted or not.
   */
  public FreeRuns freeRuns() {
    SpaceMap.FreeRunCount count = map.newFreeRunCount();
    boolean more = true;
    while (more) {
      synchronized (stateLock) {
        more = count.countSome(REGIONS_COUNTED_AT_ONCE);
      }
    }
    return count.result();
  }

  /** Whether a range is in use or pending. For audits. */
  public boolean isAllocated(long sector, int count) {
    synchronized (stateLock) {
      return map.isAllocated(sector, count);
    }
  }

  /** What was freed and is not reusable yet, in no order. For audits. */
  public List<SectorRange> pendingRanges() {
    synchronized (stateLock) {
      return freed.ranges();
    }
  }

  private boolean hostIsFull() {
    return hostFull && nanoClock.getAsLong() - hostFullAt < HOST_FULL_NANOS;
  }

  /**
   * Makes more free space available. False when there is none, or the host has none.
   *
   * @param minRun shorter runs are of no use
   * @param neededSectors grow by at least this where one run allows it
   */
  private boolean grow(int minRun, long neededSectors) throws IOException {
    if (hostIsFull()) {
      return false;
    }
    synchronized (hostLock) {
      int step = (int) Math.max(Math.min(neededSectors, GROWTH_SECTORS), hostStep());
      boolean retried = false;
      while (true) {
        SectorRange range = chooseGrowth(minRun, step);
        if (range == null) {
          return false;
        }
        try {
          device.preallocate(range.sector() * SECTOR_BYTES, (long) range.count() * SECTOR_BYTES);
        } catch (HostFullException e) {
          if (step > SMALL_GROWTH_SECTORS) {
            step = Math.max(SMALL_GROWTH_SECTORS, step / 4);
          } else if (retried || !punchUnknown()) {
            hostFullAt = nanoClock.getAsLong();
            hostFull = true;
            return false;
          } else {
            retried = true;
          }
          continue;
        }
        hostFull = false;
        growthCursor = range.end();
        synchronized (stateLock) {
          makeAvailable(range);
          claimReserve();
        }
        return true;
      }
    }
  }

  /** Does not take the last of a host that is nearly full at once. */
  private int hostStep() {
    long share = device.hostFreeBytes() / 8 / SECTOR_BYTES;
    return (int) Math.max(SMALL_GROWTH_SECTORS, Math.min(GROWTH_SECTORS, share));
  }

  private SectorRange chooseGrowth(int minRun, int step) {
    synchronized (stateLock) {
      if (map.unbacked() < minRun) {
        return null;
      }
      int atLeast = Math.max(minRun, Math.min(step, MEBIBYTE_SECTORS));
      SectorRange range = map.findUnbacked(growthCursor, atLeast, Math.max(atLeast, step));
      while (range == null && atLeast > minRun) {
        atLeast = Math.max(minRun, atLeast / 4);
        range = map.findUnbacked(growthCursor, atLeast, Math.max(atLeast, step));
      }
      return range == null && map.endDraining()
          ? map.findUnbacked(growthCursor, minRun, Math.max(minRun, step))
          : range;
    }
  }

  /**
   * Gives freed space back to the host: what has been free for some seconds, and once after opening
   * what is of unknown backing. For a background thread; a bounded piece of work at a time.
   *
   * @return the bytes given back; 0 when there is nothing to do now
   */
  public long punchSome(long maxBytes) throws IOException {
    synchronized (hostLock) {
      long done = 0;
      int runs = 0;
      int regions = touchedRegions();
      for (int i = 0; i <= regions; i++) {
        synchronized (stateLock) {
          Region region = map.regionIfTouched(punchRegion);
          if (region == null
              || !region.selectDue(
                  second(), PUNCH_AGE_SECONDS, PUNCH_AGE_SECONDS_OF_WHOLE_CHUNKS)) {
            punchRegion = punchRegion + 1 < regions ? punchRegion + 1 : 0;
            continue;
          }
        }
        while (done < maxBytes && runs < PUNCH_RUNS_AT_ONCE) {
          int maxSectors = (int) Math.min((maxBytes - done) / SECTOR_BYTES, Region.SECTORS);
          long bytes = punchNext(punchRegion, maxSectors, PUNCH_SLACK_SECTORS);
          if (bytes == 0) {
            break;
          }
          done += bytes;
          runs++;
        }
        if (done >= maxBytes || runs >= PUNCH_RUNS_AT_ONCE) {
          return done;
        }
        punchRegion = punchRegion + 1 < regions ? punchRegion + 1 : 0;
      }
      return done;
    }
  }

  /** A pool without a limit has a hundred thousand regions, of which most are never looked at. */
  private int touchedRegions() {
    synchronized (stateLock) {
      return map.touchedEnd();
    }
  }

  /**
   * Gives all free space back to the host that was freed or preallocated by this process, save a
   * reserve for the next start. For closing the pool: nothing may be reserved or allocated any
   * more.
   */
  public void punchAll() throws IOException {
    synchronized (hostLock) {
      int regions = touchedRegions();
      for (int index = 0; index < regions; index++) {
        synchronized (stateLock) {
          Region region = map.regionIfTouched(index);
          if (region == null || region.availableCount() == 0) {
            continue;
          }
          region.selectAll();
        }
        long bytes;
        do {
          bytes = punchNext(index, Region.SECTORS, 0);
        } while (bytes > 0);
      }
    }
  }

  /**
   * Gives back what is free now, save what the next writes are held ready for. May be called at any
   * time, and takes a moment for each region.
   *
   * @param start of the part of the device to look at, in bytes; by whole regions
   * @param lengthMin shorter runs are left, in bytes
   * @return the bytes given back; empty when the part begins behind the end
   */
  public OptionalLong trim(long start, long length, long lengthMin) throws IOException {
    long first = start / (Region.SECTORS * (long) SECTOR_BYTES);
    if (start < 0 || first >= map.regionCount()) {
      return OptionalLong.empty();
    }
    long end = length < 0 || start + length < 0 ? Long.MAX_VALUE : start + length;
    int minSectors = (int) Math.min(Region.SECTORS + 1, Math.max(0, lengthMin) / SECTOR_BYTES);
    long done = 0;
    for (int index = (int) first;
        index < map.regionCount() && SpaceMap.start(index) * SECTOR_BYTES < end;
        index++) {
      done += trimRegion(index, minSectors);
    }
    return OptionalLong.of(done);
  }

  private long trimRegion(int index, int minSectors) throws IOException {
    synchronized (hostLock) {
      synchronized (stateLock) {
        Region region = map.regionIfTouched(index);
        if (region == null || region.availableCount() == 0) {
          return 0;
        }
        region.selectAll();
      }
      long done = 0;
      for (long bytes = -1; bytes != 0; done += bytes) {
        synchronized (stateLock) {
          skipShortRuns(map.region(index), minSectors);
        }
        bytes = punchNext(index, Region.SECTORS, PUNCH_SLACK_SECTORS);
      }
      return done;
    }
  }

  private static void skipShortRuns(Region region, int minSectors) {
    for (int from = region.nextToPunch(); from >= 0; from = region.nextToPunch()) {
      int count = region.runAt(Region.View.PUNCHABLE, from, Region.SECTORS);
      if (count >= minSectors) {
        return;
      }
      region.punched(from + count);
    }
  }

  /** What earlier processes left behind; when the host is full. */
  private boolean punchUnknown() throws IOException {
    boolean any = false;
    int regions = touchedRegions();
    for (int index = 0; index < regions; index++) {
      synchronized (stateLock) {
        Region region = map.regionIfTouched(index);
        if (region == null || !region.hasUnknown()) {
          continue;
        }
        region.selectUnknownOnly();
      }
      while (punchNext(index, Region.SECTORS, 0) > 0) {
        any = true;
      }
    }
    return any;
  }

  /**
   * Punches the next run of a region whose due chunks were selected. While it lasts, the run is
   * neither allocated nor available, so nobody else touches it.
   */
  private long punchNext(int index, int maxSectors, int slackSectors) throws IOException {
    int from;
    int count;
    synchronized (stateLock) {
      Region region = map.region(index);
      from = region.nextToPunch();
      if (from < 0) {
        return 0;
      }
      count = region.runAt(Region.View.PUNCHABLE, from, maxSectors);
      long excess = map.available() - reserved - reserve - slackSectors;
      if (slackSectors > 0 && region.countAvailable(from, count) > Math.max(0, excess)) {
        if (excess < Region.PUNCH_RUN_MIN) {
          return 0;
        }
        count = (int) excess;
      }
      map.makeUnbacked(index, from, count);
      region.punched(from + count);
    }
    growthCursor = Math.min(growthCursor, SpaceMap.start(index) + from);
    long bytes = (long) count * SECTOR_BYTES;
    device.punch((SpaceMap.start(index) + from) * SECTOR_BYTES, bytes);
    return bytes;
  }

  private int second() {
    return (int) (nanoClock.getAsLong() / 1_000_000_000L);
  }
}
