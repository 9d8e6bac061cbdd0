package io.cowfs.core.pool;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.CacheLimits;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.dataset.Catalog;
import io.cowfs.core.dataset.PoolRecord;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.device.PoolLabel;
import io.cowfs.core.scrub.IndexRebuild;
import io.cowfs.core.txg.RootRecord;
import io.cowfs.core.txg.RootRing;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Makes the index of a pool anew from the ring of root records, when it is lost or damaged. The
 * newest record whose trees can all be read is used. An index that can be read and is not stale
 * counts as a record, too.
 *
 * <p>Order: the new index is made beside the old one and renamed into its place; then the ring is
 * mended. The index of an older record counts as the commit after the newest record of the ring, as
 * if that had gone back; so a crash before the ring has that commit's record leaves what a crash
 * after any commit leaves, and at each other point the rebuilding can be run again.
 */
public final class IndexRecovery {
  private static final Logger LOG = System.getLogger(IndexRecovery.class.getName());

  private static final DateTimeFormatter SUFFIX =
      DateTimeFormatter.ofPattern("'.damaged-'yyyyMMdd-HHmmss.SSS").withZone(ZoneOffset.UTC);

  /**
   * What came of it.
   *
   * @param txg the commit that the pool is at now
   * @param committed when that was
   * @param passedOver newer commits that could not be used, from new to old, a line for each
   * @param damagedIndex what was in place of the index before; null when there was nothing
   */
  public record Result(long txg, Instant committed, List<String> passedOver, Path damagedIndex) {}

  private final Path directory;
  private final Environment environment;
  private final PoolLabel label;
  private final BlockDevice device;

  private IndexRecovery(
      Path directory, Environment environment, PoolLabel label, BlockDevice device) {
    this.directory = directory;
    this.environment = environment;
    this.label = label;
    this.device = device;
  }

  /**
   * Makes the index of a pool that nobody has open.
   *
   * @throws PoolBusyException when a process has it open
   * @throws DamagedPoolException when no root record is whole; nothing was changed then
   */
  public static Result run(Path directory) throws IOException {
    return run(directory, Environment.HOST);
  }

  @SuppressWarnings("try") // The lock is for what is made.
  static Result run(Path directory, Environment environment) throws IOException {
    PoolPath path = new PoolPath(directory);
    path.requirePool();
    try (PoolLock lock = path.lock()) {
      PoolLabel label = Pool.readLabel(path, environment);
      try (BlockDevice device =
          environment.devices().open(path.data(), Pool.capacity(label.capacityBytes()))) {
        return new IndexRecovery(directory, environment, label, device).run();
      }
    }
  }

  private Result run() throws IOException {
    List<RootRecord> records = new ArrayList<>(RootRing.survivors(device, label.uuid()));
    Optional<RootRecord> ofIndex = recordOfIndex(records);
    // The index commits before the ring: where it can be read, nothing is newer.
    boolean isNewestKnown = ofIndex.isPresent() || RootRing.isWhole(device, label.uuid());
    List<String> passedOver = new ArrayList<>();
    if (!isNewestKnown) {
      passedOver.add("a root record is damaged, perhaps that of a newer commit");
    }
    if (ofIndex.isPresent() && !records.contains(ofIndex.get())) {
      records.add(0, ofIndex.get());
    }
    for (RootRecord record : records) {
      if (record.directoryRoot() == null) {
        continue;
      }
      try {
        return rebuild(record, isNewestKnown, records.get(0), passedOver);
      } catch (CorruptBlockException damage) {
        passedOver.add(
            "commit %d of %s: %s"
                .formatted(
                    record.txg(), Instant.ofEpochMilli(record.timeMillis()), damage.getMessage()));
      }
    }
    throw new DamagedPoolException(
        "%s: no root record is whole%s"
            .formatted(
                device.name(),
                passedOver.isEmpty() ? "" : "; " + passedOver.get(passedOver.size() - 1)));
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

  private Result rebuild(
      RootRecord record, boolean isNewestKnown, RootRecord newest, List<String> passedOver)
      throws IOException {
    long txg = isNewestKnown && record.equals(newest) ? record.txg() : newest.txg() + 1;
    RootRecord last =
        new RootRecord(txg, label.uuid(), record.timeMillis(), record.directoryRoot());
    Path damaged;
    Allocator unused = Allocator.create(device);
    try (BlockStore store =
        new BlockStore(
            device, unused, CacheLimits.DEFAULT, environment.execution().writers().get())) {
      damaged =
          IndexRebuild.run(
              new IndexRebuild.Sources(
                  directory,
                  label.capacityBytes(),
                  device.usedExtent() / DeviceLayout.SECTOR_BYTES,
                  store::readBlock,
                  new FileItems()),
              record.directoryRoot(),
              txg,
              SUFFIX.format(environment.clock().instant()));
    }
    RootRing.mend(device, label.uuid(), last);
    return new Result(
        record.txg(), Instant.ofEpochMilli(record.timeMillis()), List.copyOf(passedOver), damaged);
  }
}
