package io.cowfs.core.pool;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.Repair;
import io.cowfs.core.dataset.Catalog;
import io.cowfs.core.dataset.IndexBackup;
import io.cowfs.core.dataset.IndexBuilder;
import io.cowfs.core.dataset.PoolRecord;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedIndexException;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.device.PoolLabel;
import io.cowfs.core.pool.KnownRoots.Newest;
import io.cowfs.core.scrub.IndexRebuild;
import io.cowfs.core.txg.RootRecord;
import io.cowfs.core.txg.RootRing;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A pool that nobody has open: its lock, label and device, for whoever makes its index anew.
 * Confined to one thread.
 */
final class UnopenedPool implements Closeable {
  private static final Logger LOG = System.getLogger(UnopenedPool.class.getName());

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss.SSS").withZone(ZoneOffset.UTC);

  /** Why an index is replaced that cannot be read. */
  static final String DAMAGED = "damaged";

  private final Path directory;
  private final Environment environment;
  private final PoolLock lock;
  private final PoolLabel label;
  private final BlockDevice device;
  private final BlockStore store;

  /**
   * A backup is in place.
   *
   * @param oldIndex what was there before; null when there was nothing
   */
  record Restored(Path oldIndex) {}

  private UnopenedPool(
      Path directory, Environment environment, PoolLock lock, PoolLabel label, BlockDevice device) {
    this.directory = directory;
    this.environment = environment;
    this.lock = lock;
    this.label = label;
    this.device = device;
    // Nothing is allocated.
    this.store =
        new BlockStore(
            device,
            Repair.NEVER,
            Allocator.create(device),
            environment.caches(),
            environment.execution().writers().get());
  }

  /**
   * Takes the lock. Changes nothing.
   *
   * @throws PoolBusyException when a process has the pool open
   */
  static UnopenedPool open(Path directory, Environment environment) throws IOException {
    PoolPath path = new PoolPath(directory);
    path.requirePool();
    PoolLock lock = path.lock();
    BlockDevice device = null;
    try {
      PoolDevices devices = PoolDevices.find(path, environment);
      PoolLabel label = devices.label();
      device = devices.open(List.of(), -1, PoolDevices.Purpose.READ).device();
      return new UnopenedPool(directory, environment, lock, label, device);
    } catch (IOException | RuntimeException failure) {
      if (device != null) {
        device.close();
      }
      lock.close();
      throw failure;
    }
  }

  /** The device's name, for messages. */
  String deviceName() {
    return device.name();
  }

  BlockStore store() {
    return store;
  }

  /** Reads what is known of the commits. Changes nothing. */
  KnownRoots roots() throws IOException {
    List<RootRecord> records = new ArrayList<>(RootRing.survivors(device, label.uuid()));
    Optional<RootRecord> ofIndex = recordOfIndex(records);
    Newest newest = Newest.BY_INDEX;
    // The index commits before the ring: where it can be read, nothing is newer.
    if (ofIndex.isEmpty()) {
      newest = RootRing.isWhole(device, label.uuid()) ? Newest.BY_RING : Newest.UNKNOWN;
    }
    if (ofIndex.isPresent() && !records.contains(ofIndex.get())) {
      records.add(0, ofIndex.get());
    }
    records.removeIf(record -> record.directoryRoot() == null);
    return new KnownRoots(List.copyOf(records), newest);
  }

  /**
   * The newest record as the index in place has it, where that can still be read and is not stale.
   * After a crash the ring may not have it yet.
   */
  private Optional<RootRecord> recordOfIndex(List<RootRecord> ring) {
    Path file = new PoolPath(directory).index().resolve("data.mdb");
    try {
      long timeMillis = Files.getLastModifiedTime(file).toMillis();
      PoolRecord pool;
      try (Catalog catalog = Catalog.open(directory, label.uuid(), label.capacityBytes())) {
        pool = catalog.load().pool();
      }
      RootRecord newest =
          new RootRecord(pool.txg(), label.uuid(), timeMillis, pool.directoryRoot().orElse(null));
      if (ring.isEmpty() || newest.txg() > ring.get(0).txg()) {
        return Optional.of(newest);
      }
      boolean isInRing =
          newest.txg() == ring.get(0).txg()
              && Objects.equals(newest.directoryRoot(), ring.get(0).directoryRoot());
      return isInRing ? Optional.of(ring.get(0)) : Optional.empty();
    } catch (IOException damaged) {
      LOG.log(Level.DEBUG, "the index in place cannot be read", damaged);
      return Optional.empty();
    }
  }

  /**
   * Puts a backup of the index in its place, where there is one of a commit.
   *
   * @param newest the newest record of a ring that is whole
   * @return what came of it, if there was one that could be used
   */
  Optional<Restored> restoreBackup(RootRecord newest) throws IOException {
    label.requireWritable(device.name());
    IndexBackup backup = new IndexBackup(directory);
    if (!backup.isOf(newest.txg())) {
      return Optional.empty();
    }
    try {
      // Only where both say the same: a walk over what can be read is to decide otherwise.
      IndexBuilder.readDirectory(newest.directoryRoot(), store::readBlock);
      return Optional.of(
          new Restored(
              backup.restore(
                  label.uuid(),
                  label.capacityBytes(),
                  newest.txg(),
                  newest.directoryRoot(),
                  suffix(DAMAGED))));
    } catch (DamagedIndexException | CorruptBlockException damage) {
      LOG.log(Level.DEBUG, "the backup of the index cannot be used", damage);
      return Optional.empty();
    }
  }

  /**
   * Makes an index of what a record leads to, and has the ring end in it. A crash leaves the old
   * index or the new one in place, and each with a ring that fits.
   *
   * @param record has a directory
   * @param txg that counts as that of the last commit: the record's own, or one above all others
   * @param reason becomes a part of the name under which the old index is kept
   * @return the old index; null when there was none
   * @throws io.cowfs.core.block.CorruptBlockException when a node is damaged; nothing was changed
   */
  Path rebuildIndex(RootRecord record, long txg, String reason) throws IOException {
    label.requireWritable(device.name());
    Path kept =
        IndexRebuild.run(
            new IndexRebuild.Sources(
                directory,
                label.capacityBytes(),
                device.usedExtent() / DeviceLayout.SECTOR_BYTES,
                store::readBlock,
                new FileItems()),
            record.directoryRoot(),
            txg,
            suffix(reason));
    RootRing.mend(
        device,
        label.uuid(),
        new RootRecord(txg, label.uuid(), record.timeMillis(), record.directoryRoot()));
    return kept;
  }

  private String suffix(String reason) {
    return ".%s-%s".formatted(reason, TIME.format(environment.clock().instant()));
  }

  @Override
  public void close() throws IOException {
    try (lock;
        device) {
      store.close();
    }
  }
}
