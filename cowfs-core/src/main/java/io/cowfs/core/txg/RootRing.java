package io.cowfs.core.txg;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedIndexException;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.DeviceCopy;
import io.cowfs.core.device.DeviceLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * The newest root records, at the front of the device: txg N is in slot N modulo {@link
 * DeviceLayout#RING_SLOTS}. The first txg of a pool is 1, and each one has a record, so it is known
 * of every slot what must be in it. Used by the thread that commits.
 *
 * <p>Order: the record of txg N is written after the index has committed N, and is made durable by
 * the device sync of N + 1, which comes before the index commits N + 1. So when the index says N,
 * the record of N - 1 is certainly there, that of N may be missing, and one newer than N means that
 * the index is not the one that belongs to the device: an old copy of it was put back. Using that
 * one would overwrite what is in use.
 */
public final class RootRing {
  private final BlockDevice device;
  private final UUID poolUuid;
  private RootRecord newest;

  private RootRing(BlockDevice device, UUID poolUuid) {
    this.device = device;
    this.poolUuid = poolUuid;
  }

  /** The ring of a new pool, whose device has only zeros there. Writes nothing. */
  public static RootRing create(BlockDevice device, UUID poolUuid) {
    return new RootRing(device, poolUuid);
  }

  /**
   * Reads and verifies the whole ring. Of the copies of a device that has several, one that is
   * whole is enough; of several that are, the one counts that ends first: the index has what it
   * takes to write the last record again, and a copy may be told of that is not there. Changes
   * nothing.
   *
   * @param indexTxg the newest txg that the index has committed
   * @param indexName the index's file, for the message when it does not belong to the ring
   * @throws DamagedPoolException when any slot is damaged or does not belong to this pool, or the
   *     index is older than the ring, or newer by more than one txg
   */
  public static RootRing open(BlockDevice device, UUID poolUuid, long indexTxg, String indexName)
      throws IOException {
    IOException first = null;
    RootRing earliest = null;
    for (DeviceCopy copy : device.copies(offset(0))) {
      if (copy.trust() != DeviceCopy.Trust.COMPLETE) {
        continue;
      }
      RootRing ring = new RootRing(device, poolUuid);
      long newestTxg;
      try {
        ring.readAll(copy);
        newestTxg = ring.newestTxg();
        if (newestTxg < indexTxg - 1) {
          throw new DamagedPoolException(
              "%s: the ring of root records ends at transaction %d, the index has %d"
                  .formatted(device.name(), newestTxg, indexTxg));
        }
      } catch (DamagedPoolException damaged) {
        copy.mismatched();
        first = first == null ? damaged : first;
        continue;
      } catch (IOException failure) {
        first = first == null ? failure : first;
        continue;
      }
      if (newestTxg > indexTxg) {
        throw new DamagedIndexException(
            "%s: the index is stale: it has transaction %d, the pool has %d"
                .formatted(indexName, indexTxg, newestTxg));
      }
      if (earliest == null || newestTxg < earliest.newestTxg()) {
        earliest = ring;
      }
    }
    if (earliest != null) {
      return earliest;
    }
    throw first != null
        ? first
        : new DamagedPoolException(device.name() + ": no device has all of the pool");
  }

  /**
   * The records of a pool that are whole, from new to old, whatever else is in the ring. Changes
   * nothing.
   */
  public static List<RootRecord> survivors(BlockDevice device, UUID poolUuid) throws IOException {
    List<RootRecord> found = new ArrayList<>();
    for (RootRecord record : new RootRing(device, poolUuid).wholeRecords()) {
      if (record != null) {
        found.add(record);
      }
    }
    found.sort(Comparator.comparingLong(RootRecord::txg).reversed());
    return found;
  }

  /** The txg of the newest record that is whole; 0 when there is none. Changes nothing. */
  public static long newestTxg(BlockDevice device, UUID poolUuid) throws IOException {
    return survivors(device, poolUuid).stream().mapToLong(RootRecord::txg).findFirst().orElse(0);
  }

  /** The slots of a ring that was whole when they were read. Not thread-safe. */
  public static final class Image {
    private final ByteBuffer slots;
    private final UUID poolUuid;
    private final long newestTxg;

    private Image(ByteBuffer slots, UUID poolUuid, long newestTxg) {
      this.slots = slots;
      this.poolUuid = poolUuid;
      this.newestTxg = newestTxg;
    }

    /**
     * Reads the ring of a device. Of several copies, the first that is as it must be is taken; what
     * is wrong with one is counted where it was read. One that is whole may be of long ago, as a
     * device that lies returns it: so it must be known where it ends.
     *
     * @param newestTxg of its newest record
     * @throws DamagedPoolException when no copy is whole and ends there
     */
    public static Image of(BlockDevice device, UUID poolUuid, long newestTxg) throws IOException {
      IOException first = null;
      for (DeviceCopy copy : device.copies(offset(0))) {
        if (copy.trust() != DeviceCopy.Trust.COMPLETE) {
          continue;
        }
        try {
          RootRing ring = new RootRing(device, poolUuid);
          ByteBuffer slots = ring.readAll(copy);
          ring.requireEnd(copy.name(), newestTxg);
          return new Image(slots, poolUuid, newestTxg);
        } catch (DamagedPoolException damaged) {
          copy.mismatched();
          first = first == null ? damaged : first;
        } catch (IOException failure) {
          first = first == null ? failure : first;
        }
      }
      throw first != null
          ? first
          : new DamagedPoolException(device.name() + ": no device has all of the pool");
    }

    /**
     * Writes it to a device where that has anything else. Durable with the next sync.
     *
     * @return whether it was written
     * @throws DamagedPoolException when the device has a newer record: then this one was misread,
     *     as a ring of some time ago, or of none at all
     */
    public boolean copyTo(BlockDevice device) throws IOException {
      ByteBuffer target = newSlots();
      device.read(target, offset(0));
      if (slots.equals(target.clear())) {
        return false;
      }
      for (RootRecord record : new RootRing(device, poolUuid).wholeRecords(target)) {
        if (record != null && record.txg() > newestTxg) {
          throw new DamagedPoolException(
              "%s: the ring of root records has transaction %d, the other one ends at %d"
                  .formatted(device.name(), record.txg(), newestTxg));
        }
      }
      device.write(slots.duplicate(), offset(0));
      return true;
    }
  }

  /** Whether each slot has the record that must be in it. Changes nothing. */
  public static boolean isWhole(BlockDevice device, UUID poolUuid) throws IOException {
    try {
      new RootRing(device, poolUuid).readAll(device.copies(offset(0)).get(0));
      return true;
    } catch (DamagedPoolException damaged) {
      return false;
    }
  }

  /**
   * Writes what is missing in a ring that ends in a record, durably. A record that was damaged
   * becomes one of the state before it: that of its own txg cannot be found any more.
   *
   * @param newest not older than any whole record of the ring
   */
  public static void mend(BlockDevice device, UUID poolUuid, RootRecord newest) throws IOException {
    RootRing ring = new RootRing(device, poolUuid);
    RootRecord[] records = ring.wholeRecords();
    BlockPointer directory = null;
    for (long txg = newest.txg() - DeviceLayout.RING_SLOTS + 1; txg < newest.txg(); txg++) {
      RootRecord record = records[slot(txg)];
      if (txg >= 1 && record != null && record.txg() == txg) {
        directory = record.directoryRoot();
      } else if (txg >= 1) {
        RootRecord before = new RootRecord(txg, poolUuid, newest.timeMillis(), directory);
        device.write(RootRecordFormat.encode(before), offset(slot(txg)));
      } else if (!ring.isEmpty(slot(txg))) {
        device.write(ByteBuffer.allocateDirect(RootRecordFormat.BYTES), offset(slot(txg)));
      }
    }
    if (!newest.equals(records[slot(newest.txg())])) {
      device.write(RootRecordFormat.encode(newest), offset(slot(newest.txg())));
    }
    device.sync();
  }

  /**
   * The newest record. When it is older than the index, the record of the index's txg was lost in a
   * crash: whoever opens the pool to change it writes that one again before the next commit.
   */
  public Optional<RootRecord> newest() {
    return Optional.ofNullable(newest);
  }

  /**
   * Writes a record over the oldest one. Durable with the next sync of the device.
   *
   * @param record of the txg after the newest one, or again of the newest one
   */
  public void write(RootRecord record) throws IOException {
    long newestTxg = newestTxg();
    if (record.txg() < 1 || record.txg() < newestTxg || record.txg() > newestTxg + 1) {
      throw new IllegalArgumentException(
          "root record %d after %d".formatted(record.txg(), newestTxg));
    }
    if (!record.poolUuid().equals(poolUuid)) {
      throw new IllegalArgumentException("a root record of another pool: " + record.poolUuid());
    }
    device.write(RootRecordFormat.encode(record), offset(slot(record.txg())));
    newest = record;
  }

  private long newestTxg() {
    return newest == null ? 0 : newest.txg();
  }

  /** By slot; null for one that is empty or damaged. */
  private RootRecord[] wholeRecords() throws IOException {
    return wholeRecords(readSlots());
  }

  private RootRecord[] wholeRecords(ByteBuffer slots) {
    RootRecord[] records = new RootRecord[DeviceLayout.RING_SLOTS];
    for (int slot = 0; slot < records.length; slot++) {
      ByteBuffer sector = sector(slots, slot);
      try {
        records[slot] = RootRecordFormat.isEmpty(sector) ? null : decode(slot, sector);
      } catch (DamagedPoolException damaged) {
        records[slot] = null;
      }
    }
    return records;
  }

  private boolean isEmpty(int slot) throws IOException {
    return RootRecordFormat.isEmpty(sector(readSlots(), slot));
  }

  private ByteBuffer readSlots() throws IOException {
    ByteBuffer slots = newSlots();
    device.read(slots, offset(0));
    return slots;
  }

  private static ByteBuffer newSlots() {
    return ByteBuffer.allocate(DeviceLayout.RING_SLOTS * DeviceLayout.SECTOR_BYTES);
  }

  private static ByteBuffer sector(ByteBuffer slots, int slot) {
    return slots.slice(slot * DeviceLayout.SECTOR_BYTES, DeviceLayout.SECTOR_BYTES);
  }

  private ByteBuffer readAll(DeviceCopy copy) throws IOException {
    ByteBuffer slots = newSlots();
    copy.read(slots.duplicate(), offset(0), DeviceCopy.Source.CACHE);
    verify(slots);
    return slots;
  }

  private void requireEnd(String name, long txg) throws DamagedPoolException {
    if (newestTxg() != txg) {
      throw new DamagedIndexException(
          "%s: the ring of root records ends at transaction %d and not at %d"
              .formatted(name, newestTxg(), txg));
    }
  }

  private void verify(ByteBuffer slots) throws IOException {
    RootRecord[] records = new RootRecord[DeviceLayout.RING_SLOTS];
    for (int slot = 0; slot < records.length; slot++) {
      ByteBuffer sector = sector(slots, slot);
      records[slot] = RootRecordFormat.isEmpty(sector) ? null : decode(slot, sector);
      if (records[slot] != null && records[slot].txg() > newestTxg()) {
        newest = records[slot];
      }
    }
    for (long txg = newestTxg(); txg > newestTxg() - DeviceLayout.RING_SLOTS; txg--) {
      int slot = slot(txg);
      long found = records[slot] == null ? 0 : records[slot].txg();
      if (found != Math.max(0, txg)) {
        throw damaged(slot, "transaction %d is there and not %d".formatted(found, txg));
      }
    }
  }

  private RootRecord decode(int slot, ByteBuffer sector) throws DamagedPoolException {
    RootRecord record;
    try {
      record = RootRecordFormat.decode(sector);
    } catch (CorruptBlockException e) {
      throw damaged(slot, e.getMessage());
    }
    if (!record.poolUuid().equals(poolUuid)) {
      throw damaged(slot, "it belongs to pool " + record.poolUuid());
    }
    if (slot(record.txg()) != slot) {
      throw damaged(slot, "the record of transaction %d is there".formatted(record.txg()));
    }
    return record;
  }

  private DamagedPoolException damaged(int slot, String what) {
    return new DamagedIndexException(
        "%s: root record %d is damaged: %s".formatted(device.name(), slot, what));
  }

  private static int slot(long txg) {
    return Math.floorMod(txg, DeviceLayout.RING_SLOTS);
  }

  private static long offset(int slot) {
    return (long) (DeviceLayout.RING_FIRST_SECTOR + slot) * DeviceLayout.SECTOR_BYTES;
  }
}
