package io.cowfs.core.pool;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.alloc.RegionBitmap;
import io.cowfs.core.alloc.SpacePuncher;
import io.cowfs.core.alloc.SpaceStatus;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.BlockWriter;
import io.cowfs.core.block.Repair;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.Books;
import io.cowfs.core.dataset.Catalog;
import io.cowfs.core.dataset.CatalogState;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.DatasetSettings;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.dataset.IndexBackup;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedIndexException;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.FileDevice;
import io.cowfs.core.device.MirrorDevice;
import io.cowfs.core.device.NewDevice;
import io.cowfs.core.device.PoolLabel;
import io.cowfs.core.device.UnsupportedFormatException;
import io.cowfs.core.fs.BrowsableFileSystem;
import io.cowfs.core.fs.ExtentItems;
import io.cowfs.core.fs.LogReplay;
import io.cowfs.core.fs.SnapshotRights;
import io.cowfs.core.fs.SpaceRelief;
import io.cowfs.core.fs.UnreplayableLogException;
import io.cowfs.core.fs.Volume;
import io.cowfs.core.fs.VolumeServices;
import io.cowfs.core.scrub.Scrub;
import io.cowfs.core.scrub.SpaceAudit;
import io.cowfs.core.txg.CommitSequence;
import io.cowfs.core.txg.IntentLog;
import io.cowfs.core.txg.RootRecord;
import io.cowfs.core.txg.RootRing;
import io.cowfs.core.txg.TransactionGroups;
import io.cowfs.core.vfs.FileSystem;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongSupplier;

/**
 * A pool that is open in this process. Thread-safe: operations on its structure are done one at a
 * time ({@code this} is their lock), file systems are used concurrently.
 *
 * <p>Every error is one line fit for a user. What fails has changed nothing, if not said otherwise.
 */
public final class Pool implements Closeable {
  private static final Logger LOG = System.getLogger(Pool.class.getName());

  /**
   * How a pool is made.
   *
   * @param capacityBytes size limit; 0 for none
   * @param compression of new data
   * @param blockDevice where data goes instead of a file in the pool directory; may be null
   * @param mirror where data goes, all of it to each of them, instead of all that; may be empty
   */
  public record CreateOptions(
      long capacityBytes,
      CompressionSetting compression,
      NewDevice blockDevice,
      List<NewMember> mirror) {
    /** Of a pool with one device. */
    public CreateOptions(
        long capacityBytes, CompressionSetting compression, NewDevice blockDevice) {
      this(capacityBytes, compression, blockDevice, List.of());
    }
  }

  /** The least size limit: an empty pool, and some room to write. */
  public static final long CAPACITY_BYTES_MIN = 16L << 20;

  /** The largest size limit. */
  public static final long CAPACITY_BYTES_MAX = FileDevice.UNLIMITED_BYTES;

  private final PoolLock lock;
  private final PoolLabel label;
  private final BlockDevice device;
  private final Allocator allocator;
  private final BlockStore store;
  private final Catalog catalog;
  private final IndexBackup backup;
  private final Datasets datasets;
  private final TransactionGroups txgs;

  /** Null where the pool is not changed. */
  private final SpacePuncher puncher;

  private final VolumeServices services;
  private final PoolAdministration administration;
  private final Scrub scrub;
  private final PoolMirror mirror;
  private final Defragmenter defragmenter;
  private final Clock clock;
  private final Environment.Rounds rounds;

  /** Guarded by this; null until there is one. */
  private Housekeeper housekeeper;

  /** Likewise. */
  private Environment.Ending backgroundDefragmentation;

  /** The file systems that are open, by the name of their dataset. */
  private final Map<String, Volume> volumes = new HashMap<>();

  /** Those of them that are open for work beside all others' only. */
  private final Set<String> lent = new HashSet<>();

  private boolean closed;
  private final Purpose purpose;
  private final Optional<IOException> readOnlyReason;

  /** What a pool is opened for. */
  private enum Purpose {
    USE,
    /** Nothing of it is changed. */
    CHECK,
    /** As USE, but it cannot be changed: it has unknown features, or is too damaged for that. */
    READ
  }

  /**
   * How a pool is opened.
   *
   * @param readOnly why it cannot be changed, where that is so
   */
  private record Terms(Purpose purpose, Optional<IOException> readOnly) {}

  private Pool(
      PoolLock lock,
      PoolLabel label,
      PoolDevices.Opened opened,
      Catalog catalog,
      Environment environment,
      Terms terms)
      throws IOException {
    MirrorDevice device = opened.device();
    MemberTable members = new MemberTable(device, catalog.members(), opened.completeTxgs());
    this.lock = lock;
    this.purpose = terms.purpose;
    this.readOnlyReason = terms.readOnly;
    this.clock = environment.clock();
    this.label = label;
    this.device = device;
    this.catalog = catalog;
    this.backup = new IndexBackup(catalog.poolDirectory());
    CatalogState state = catalog.load();
    long txg = state.pool().txg();
    RootRing ring = RootRing.open(device, label.uuid(), txg, catalog.name());
    requireWhole(device, state);
    Environment.Execution execution = environment.execution();
    this.rounds = execution.rounds();
    this.allocator =
        Allocator.restore(
            device,
            label.dataFirstSector(),
            state.regions(),
            state.deferred(),
            execution.nanoTime());
    IntentLog log =
        new IntentLog(
            device, label.uuid(), label.logSectors(), state.pool().log(), members::isMissedUnknown);
    this.store =
        new BlockStore(
            device,
            purpose == Purpose.USE ? Repair.IN_PLACE : Repair.NEVER,
            allocator,
            environment.caches(),
            execution.writers().get(),
            execution.readers());
    this.datasets =
        Datasets.open(
            new Datasets.Storage(
                catalog,
                log,
                allocator,
                store::readBlock,
                new ExtentItems(),
                clock,
                execution.nanoTime()),
            state);
    if (purpose == Purpose.USE) {
      catalog.keepReserve();
    }
    if (purpose == Purpose.USE && txg > 0 && ring.newest().map(RootRecord::txg).orElse(0L) < txg) {
      // The record of the last commit did not survive a crash; the next one must find it in place.
      BlockPointer directory = state.pool().directoryRoot().orElse(null);
      ring.write(new RootRecord(txg, label.uuid(), clock.millis(), directory));
    }
    CommitSequence sequence =
        new CommitSequence(
            label.uuid(),
            device,
            allocator,
            store,
            new PoolIndex(datasets, catalog, allocator, backup, members),
            ring,
            clock);
    List<IntentLog.Section> beyond = purpose == Purpose.CHECK ? List.of() : log.recover(txg);
    this.txgs =
        purpose == Purpose.READ
            ? TransactionGroups.readOnly(
                sequence,
                log,
                environment.limit(),
                execution.nanoTime(),
                txg,
                readOnlyReason.orElseThrow())
            : new TransactionGroups(sequence, log, environment.limit(), execution.nanoTime(), txg);
    this.puncher =
        purpose != Purpose.USE
            ? null
            : new SpacePuncher(
                allocator,
                execution.nanoTime(),
                failure ->
                    LOG.log(Level.WARNING, "freed space is not given back to the host", failure));
    this.services =
        new VolumeServices(
            txgs,
            allocator,
            store,
            store::readBlock,
            new VolumeServices.SharedPages(),
            () -> device.hostFreeBytes() / BlockPointer.SECTOR_BYTES,
            relief(datasets),
            clock,
            processOwner());
    recover(beyond);
    this.administration = new PoolAdministration(this, datasets, txgs, clock);
    PoolMetadata metadata = new PoolMetadata(label, device, catalog, store, txgs);
    this.mirror =
        new PoolMirror(
            new PoolPath(catalog.poolDirectory()),
            label,
            environment,
            device,
            members,
            txgs,
            scrubSources(metadata::directory, execution.nanoTime()));
    this.scrub =
        new Scrub(
            scrubSources(() -> metadata.run(mirror::checkFronts), execution.nanoTime()),
            txgs,
            clock,
            catalog.scrub());
    this.defragmenter =
        new Defragmenter(this, datasets, txgs, store, allocator, execution.nanoTime());
  }

  /** Replays the log; only then anything else takes part in commits. */
  private void recover(List<IntentLog.Section> beyond) throws IOException {
    if (purpose == Purpose.READ && !beyond.isEmpty()) {
      LOG.log(
          Level.WARNING, "what was synced after the last commit cannot be shown: it is in the log");
    }
    if (purpose != Purpose.USE) {
      return;
    }
    boolean recovered = false;
    try {
      if (!beyond.isEmpty()) {
        LogReplay.run(services, datasets.heads(), beyond);
      }
      txgs.addIndependent(datasets.backgroundFrees());
      recovered = true;
    } finally {
      if (!recovered) {
        txgs.abandon();
        puncher.stop();
        store.close();
      }
    }
  }

  private static Optional<IOException> readOnlyReason(PoolLabel label, String name) {
    try {
      label.requireWritable(name);
      return Optional.empty();
    } catch (UnsupportedFormatException unknown) {
      return Optional.of(unknown);
    }
  }

  private Scrub.Sources scrubSources(Scrub.MetadataCheck metadata, LongSupplier nanoTime) {
    return new Scrub.Sources(
        datasets, store, new FileItems(), metadata, datasets::scrubBytesPerSecond, nanoTime);
  }

  /** Checkpoints go before a writer is refused, and what was destroyed is waited for. */
  private static SpaceRelief relief(Datasets datasets) {
    return new SpaceRelief() {
      @Override
      public boolean giveWay() {
        return datasets.checkpoints().giveWay();
      }

      @Override
      public boolean isFreeing() {
        // Not what is damaged and cannot be freed: nobody can wait for that.
        return datasets.backgroundFrees().hasBacklog();
      }
    };
  }

  private static void requireWhole(BlockDevice device, CatalogState state) throws IOException {
    long endSector =
        state.regions().stream().mapToLong(RegionBitmap::endOfAllocated).max().orElse(0);
    if (endSector * BlockPointer.SECTOR_BYTES > device.usedExtent()) {
      throw new DamagedPoolException(
          "%s is cut short: it ends at byte %d, but data reaches to %d"
              .formatted(
                  device.name(), device.usedExtent(), endSector * BlockPointer.SECTOR_BYTES));
    }
  }

  private static VolumeServices.Owner processOwner() throws IOException {
    Path self = Path.of("/proc/self");
    return new VolumeServices.Owner(
        (Integer) Files.getAttribute(self, "unix:uid"),
        (Integer) Files.getAttribute(self, "unix:gid"));
  }

  /** True when the directory has the files of a pool; says nothing of their state. */
  public static boolean isPool(Path directory) {
    return new PoolPath(directory).looksLikePool();
  }

  /**
   * Makes a pool with one empty dataset, {@code root}, durably. The directory must be new or empty.
   * What fails leaves nothing behind, except perhaps a label on a block device.
   */
  public static void create(Path directory, CreateOptions options) throws IOException {
    long limit = options.capacityBytes();
    if (limit != 0 && (limit < CAPACITY_BYTES_MIN || limit > CAPACITY_BYTES_MAX)) {
      throw new IOException(
          "%s: a pool cannot have %d bytes: use at least %d, at most %d"
              .formatted(directory, limit, CAPACITY_BYTES_MIN, CAPACITY_BYTES_MAX));
    }
    if (options.blockDevice() != null) {
      options.blockDevice().requireFit(CAPACITY_BYTES_MIN);
    }
    for (NewMember member : options.mirror()) {
      member.requireFit(Math.max(CAPACITY_BYTES_MIN, limit));
    }
    create(directory, options, Environment.HOST);
  }

  static void create(Path directory, CreateOptions options, Environment environment)
      throws IOException {
    PoolPath path = new PoolPath(directory);
    PoolPath.Origin origin = path.prepareNew();
    List<NewMember.Undo> undo = new ArrayList<>();
    try {
      fill(path, options, environment, undo);
      try (Pool pool = open(directory, environment)) {
        pool.administration.createRoot(Map.of("compression", options.compression().toString()));
        pool.fileSystem("root");
      }
    } catch (IOException | RuntimeException failure) {
      try {
        for (NewMember.Undo each : undo) {
          each.run();
        }
        path.removeNew(origin);
      } catch (IOException alsoFailed) {
        failure.addSuppressed(alsoFailed);
      }
      throw failure;
    }
  }

  /** Makes the files of a pool, which has no dataset yet. */
  @SuppressWarnings("try") // The lock is for what is made.
  private static void fill(
      PoolPath path, CreateOptions options, Environment environment, List<NewMember.Undo> undo)
      throws IOException {
    UUID uuid = environment.execution().uuids().get();
    CompressionSetting compression = options.compression();
    NewDevice blockDevice = options.blockDevice();
    try (PoolLock lock = path.lock()) {
      long limit = sizeLimit(options);
      PoolLabel label =
          new PoolLabel(
              uuid,
              limit,
              environment.clock().millis(),
              compression.compression().id(),
              compression.level(),
              ChecksumAlgorithm.CRC32C.id(),
              BlockWriter.BLOCK_CHECKSUM.id());
      if (blockDevice != null) {
        Files.createSymbolicLink(path.data(), blockDevice.path());
      }
      Catalog.create(path.directory(), uuid, limit).close();
      int number = 0;
      for (NewMember member : options.mirror()) {
        UUID memberUuid = environment.execution().uuids().get();
        undo.add(
            member.make(
                path, number++, label.withLog(capacity(limit)).ofMember(memberUuid), environment));
      }
      if (options.mirror().isEmpty()) {
        try (BlockDevice device =
            blockDevice == null
                ? environment.devices().create(path.data(), capacity(limit))
                : environment.devices().open(path.data(), capacity(limit))) {
          label.withLog(device.capacity()).write(device);
          FrontOfDevice.reserve(device);
          device.sync();
        }
      }
      path.sync();
    }
  }

  /** The smallest device of a mirror tells how much each of them can hold. */
  private static long sizeLimit(CreateOptions options) throws IOException {
    long least = capacity(options.capacityBytes());
    for (NewMember member : options.mirror()) {
      least = Math.min(least, member.capacityBytes());
    }
    return least == FileDevice.UNLIMITED_BYTES ? 0 : least;
  }

  static long capacity(long limit) {
    return limit == 0 ? FileDevice.UNLIMITED_BYTES : limit;
  }

  /**
   * Opens a pool: recovers what a crash left, and keeps other processes out until it is closed.
   *
   * @throws PoolBusyException when another process has it open
   * @throws io.cowfs.core.device.DamagedPoolException when its label, ring or index is damaged
   * @throws UnsupportedFormatException when it is no pool, or of a newer format. One that this
   *     program can only read is opened, see {@link #requireWritable}
   */
  public static Pool open(Path directory) throws IOException {
    return open(directory, MemoryUse.NORMAL);
  }

  /** The same, with a say in how much memory it takes. */
  public static Pool open(Path directory, MemoryUse memory) throws IOException {
    return open(directory, Environment.host(memory));
  }

  /** Opens a pool for {@link #audit()} alone: nothing of it is changed, and nothing may be. */
  public static Pool openToCheck(Path directory) throws IOException {
    return open(directory, Environment.HOST, Purpose.CHECK);
  }

  static Pool open(Path directory, Environment environment) throws IOException {
    return open(directory, environment, Purpose.USE);
  }

  private static Pool open(Path directory, Environment environment, Purpose purpose)
      throws IOException {
    try {
      return openFiles(directory, environment, purpose, Optional.empty());
    } catch (UnreplayableLogException damage) {
      LOG.log(Level.WARNING, directory + " is opened to be read: " + damage.getMessage(), damage);
      return openFiles(directory, environment, Purpose.READ, Optional.of(damage));
    } catch (DamagedIndexException damage) {
      throw new DamagedPoolException(
          "%s; 'cowfs check --rebuild-index %s' mends it".formatted(damage.getMessage(), directory),
          damage);
    }
  }

  /**
   * Opens a pool.
   *
   * @param damage what makes it one that can only be read, if anything does
   */
  private static Pool openFiles(
      Path directory, Environment environment, Purpose purpose, Optional<IOException> damage)
      throws IOException {
    PoolPath path = new PoolPath(directory);
    path.requirePool();
    PoolLock lock = path.lock();
    BlockDevice device = null;
    Catalog catalog = null;
    try {
      PoolDevices devices = PoolDevices.find(path, environment);
      PoolLabel label = devices.label();
      Optional<IOException> readOnly = readOnlyReason(label, directory.toString()).or(() -> damage);
      Purpose possible = purpose == Purpose.USE && readOnly.isPresent() ? Purpose.READ : purpose;
      catalog = Catalog.open(directory, label.uuid(), label.capacityBytes());
      PoolDevices.Opened opened =
          devices.open(
              catalog.members(),
              catalog.pool().txg(),
              possible == Purpose.USE ? PoolDevices.Purpose.USE : PoolDevices.Purpose.READ);
      device = opened.device();
      return new Pool(lock, label, opened, catalog, environment, new Terms(possible, readOnly));
    } catch (IOException | RuntimeException failure) {
      if (catalog != null) {
        catalog.close();
      }
      if (device != null) {
        device.close();
      }
      lock.close();
      throw failure;
    }
  }

  /** The file system of a dataset; opened at the first call, then shared until it is closed. */
  public synchronized FileSystem fileSystem(String dataset) throws IOException {
    lent.remove(dataset);
    return volume(dataset);
  }

  /**
   * The same for work that nobody is to notice: until somebody asks for it, it counts as not open,
   * and {@link #takeBack} closes it. To be used under the lock of the pool, and not kept.
   */
  synchronized Volume lend(String dataset) throws IOException {
    if (!volumes.containsKey(dataset)) {
      volume(dataset);
      lent.add(dataset);
    }
    return volumes.get(dataset);
  }

  /** Closes a file system that is open for such work only. */
  synchronized void takeBack(String dataset) throws IOException {
    if (lent.contains(dataset)) {
      closeFileSystem(dataset);
    }
  }

  private Volume volume(String dataset) throws IOException {
    Volume volume = volumes.get(dataset);
    if (volume == null) {
      volume = Volume.open(services, datasets.head(dataset));
      volumes.put(dataset, volume);
    }
    return volume;
  }

  /**
   * Keeps checkpoints, carries the schedules of snapshots out, defragments files where that is
   * wanted, and has a scrub that was interrupted go on, until the pool is closed.
   *
   * @param beforeSnapshot has everything that users wrote reach the file systems; called by a
   *     thread of the pool
   */
  public synchronized void startHousekeeping(Runnable beforeSnapshot) {
    if (housekeeper == null && !closed && purpose == Purpose.USE) {
      datasets.checkpoints().enable(this::usableSectors);
      scrub.goOn();
      mirror.goOn();
      Retention retention = new Retention(administration, datasets);
      housekeeper =
          new Housekeeper(
              administration, retention, clock, beforeSnapshot, this::tidyCheckpoints, rounds);
      backgroundDefragmentation = newBackgroundDefragmentation().start(rounds);
    }
  }

  BackgroundDefragmentation newBackgroundDefragmentation() {
    return new BackgroundDefragmentation(datasets, txgs, defragmenter);
  }

  /** Lets go of checkpoints that are too old, or hold too much, when nothing else is committed. */
  void tidyCheckpoints() throws IOException {
    if (datasets.checkpoints().isCommitDue(clock.instant())) {
      txgs.runTask(txg -> () -> {});
    }
  }

  /** Properties changed, and with them perhaps what is listed in root directories. */
  void rootListingsChanged() {
    List<Volume> open;
    synchronized (this) {
      open = List.copyOf(volumes.values());
    }
    // Not under the lock: it tells kernels.
    open.forEach(Volume::rootListingChanged);
  }

  /** The file system of a dataset, if it is open. */
  synchronized Optional<Volume> openVolume(String dataset) {
    return Optional.ofNullable(volumes.get(dataset));
  }

  /** The space of the pool as of now. */
  SpaceStatus space() {
    return allocator.status();
  }

  private long usableSectors() {
    SpaceStatus now = allocator.status();
    return now.allocated() + freeBytes(now) / BlockPointer.SECTOR_BYTES;
  }

  /** What can still be allocated, where the host has space for it. */
  long freeBytes(SpaceStatus space) {
    long hostFree = device.hostFreeBytes() / BlockPointer.SECTOR_BYTES;
    return Math.min(space.free(), space.backed() + hostFree) * BlockPointer.SECTOR_BYTES;
  }

  /**
   * The same with the dataset's snapshots below {@code .cowfs} in its root directory, as it is
   * mounted. Closed with the file system of the dataset.
   *
   * @param rights who may take, destroy and rename snapshots there
   */
  public synchronized FileSystem browsableFileSystem(String dataset, SnapshotRights rights)
      throws IOException {
    fileSystem(dataset);
    DatasetHead head = datasets.head(dataset);
    return new BrowsableFileSystem(
        volumes.get(dataset),
        new DatasetShelf(this, head, datasets.snapshots(head)),
        rights,
        () -> head.settings().snapdir() == DatasetSettings.Snapdir.VISIBLE);
  }

  /** Commits everything of a dataset's file system and closes it. No operation may be active. */
  public synchronized void closeFileSystem(String dataset) throws IOException {
    Volume volume = volumes.remove(dataset);
    lent.remove(dataset);
    if (volume != null) {
      volume.close();
    }
  }

  /** Datasets by name, each followed by its snapshots from old to new; as of the last commit. */
  public List<DatasetInfo> list() {
    return datasets.list();
  }

  /** Operations on datasets and snapshots. */
  public PoolAdministration administration() {
    return administration;
  }

  /**
   * Tells what changed between two states of a dataset, mounted or not, in either direction; what
   * is written meanwhile has no influence. Takes time in proportion to what changed, and bounded
   * memory: lists of more than about 100,000 changes are made in several rounds, and until the last
   * round is made, space that is freed is not used again. So the visitor should not wait for long.
   *
   * @param from the snapshot that has the earlier state; null for everything that was written to
   *     the dataset before the call
   * @param to the snapshot that has the later state; null as with {@code from}
   * @throws DatasetException NOT_FOUND, INVALID_NAME, NAME_TOO_LONG
   */
  public void diff(String dataset, String from, String to, ChangeVisitor visitor)
      throws IOException {
    new PoolDiff(datasets, txgs, store::readBlock).run(dataset, from, to, visitor);
  }

  /**
   * Tells how the files of all datasets, and the free space, lie on the device. What was written
   * before the call is counted.
   */
  public Fragmentation fragmentation() throws IOException {
    return newFragmentation().ofPool();
  }

  /**
   * The same of the files at and below a path of a dataset, mounted or not.
   *
   * @param path relative to the root of the dataset; empty for all of it
   * @throws DatasetException NOT_FOUND, INVALID_NAME, NAME_TOO_LONG
   */
  public Fragmentation fragmentation(String dataset, byte[] path) throws IOException {
    return newFragmentation().ofPath(dataset, path);
  }

  private PoolFragmentation newFragmentation() {
    return new PoolFragmentation(datasets, txgs, store::readBlock, allocator);
  }

  /**
   * Reads everything that the pool reaches, and compares it with the books of its space. While the
   * pool is in use, data is read beside other work, and changes wait for their commit only while
   * the books are compared.
   *
   * @return what is wrong, one line each; empty when all is well
   */
  public List<String> audit() throws IOException {
    PoolAudit audit = new PoolAudit(datasets, store::readBlock, this::auditSources);
    return purpose == Purpose.USE ? audit.whileInUse(txgs) : audit.whole();
  }

  /** Audits a pool that is not open, and changes nothing of it. */
  public static List<String> audit(Path directory) throws IOException {
    try (Pool pool = openToCheck(directory)) {
      return pool.audit();
    }
  }

  /** As {@link Datasets#clonedRanges} has it. */
  long clonedRanges() {
    return datasets.clonedRanges();
  }

  /** Nothing may be committed meanwhile. */
  List<String> auditNow() {
    return new PoolAudit(datasets, store::readBlock, this::auditSources).whole();
  }

  /** What the last commit left, as an audit sees it. */
  SpaceAudit.Sources auditSources() throws IOException {
    return new SpaceAudit.Sources(
        datasets.nodes(),
        catalog.pool().directoryRoot().orElse(null),
        new Books(catalog, datasets),
        store,
        allocator,
        new FileItems());
  }

  /** The devices, and the commands that change them. */
  public PoolMirror mirror() {
    return mirror;
  }

  /** Puts the extents of files together, beside all other work. */
  public Defragmenter defragmenter() {
    return defragmenter;
  }

  /** Reads everything now and then, beside all other work. */
  public Scrub scrub() {
    return scrub;
  }

  /**
   * Refuses what would change a pool that can only be read.
   *
   * @throws UnsupportedFormatException saying which features keep it from being changed
   * @throws UnreplayableLogException saying what is damaged
   */
  public void requireWritable() throws IOException {
    if (readOnlyReason.isPresent()) {
      throw readOnlyReason.get();
    }
  }

  /** Makes everything durable that was done before the call. */
  public void sync() throws IOException {
    if (purpose == Purpose.READ) {
      return;
    }
    txgs.syncAll();
  }

  public PoolStatus status() {
    SpaceStatus space = allocator.status();
    return new PoolStatus(
        stateText(),
        label.capacityBytes(),
        space.allocated() * BlockPointer.SECTOR_BYTES,
        space.pending() * BlockPointer.SECTOR_BYTES,
        datasets.destroyingBytes(),
        txgs.durableTxg(),
        txgs.dirtyDataBytes(),
        scrub.status(),
        mirror.devices());
  }

  private String stateText() {
    IOException suspended = txgs.suspendedBy();
    if (suspended == null) {
      return mirror.isDegraded() ? "degraded" : "active";
    }
    return (txgs.isReadOnly() ? "read-only: " : "suspended: ") + suspended.getMessage();
  }

  /**
   * Commits everything and closes the pool; no file system of it may be in use.
   *
   * @throws IOException when the last changes could not be committed; the pool is closed all the
   *     same
   */
  @Override
  public void close() throws IOException {
    Housekeeper ending;
    Environment.Ending defragmenting;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      ending = housekeeper;
      defragmenting = backgroundDefragmentation;
    }
    defragmenter.stop();
    if (ending != null) {
      ending.close();
      defragmenting.end();
    }
    scrub.stop();
    mirror.stop();
    // Whatever fails: everything is let go, the last resource first.
    try (lock;
        device;
        catalog;
        store) {
      commitAndPunch();
    }
  }

  /** A pool without one is as good; only the way back from a lost index takes longer. */
  private void backUpIndex() {
    try {
      if (!backup.make(catalog)) {
        LOG.log(Level.INFO, "the host has too little room for a backup of the index");
      }
    } catch (IOException failure) {
      LOG.log(Level.WARNING, "there is no backup of the index", failure);
    }
  }

  private void commitAndPunch() throws IOException {
    if (purpose != Purpose.USE) {
      txgs.close();
      return;
    }
    boolean committed = false;
    try {
      txgs.close();
      committed = !txgs.isAbandoned();
    } finally {
      if (!committed) {
        puncher.stop();
      }
    }
    if (committed) {
      puncher.close();
      device.sync();
      backUpIndex();
    }
  }
}
