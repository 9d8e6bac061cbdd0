package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.block.BlockWriter;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.txg.Overlay;
import io.cowfs.core.txg.Txg;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.locks.Lock;

/**
 * A part of one file that is to lie elsewhere on the device, in one run or few. Neither what the
 * file contains nor any of its attributes changes: extents are written once more as they are
 * stored, and their items refer to the new place.
 *
 * <p>Made and read by one thread ({@link RelocationPlanner}), then handed in to a txg, at whose end
 * the sync thread moves all of it or nothing. By then it may be out of date: so it is done only
 * where the items of that part are, byte for byte, those that were read, where nothing of the txg
 * has changed the part, and where the file has the only reference to each extent. Since the new
 * place is allocated, written and committed with the txg, a crash leaves the old place or the new
 * one.
 *
 * <p>From being handed in until it is published, the file counts as one that has data outside of
 * its tree ({@link Inode#relocatedTxg}): a clone of a range refers to places, and waits.
 */
public final class Relocation {
  private static final int SECTOR = PageArena.PAGE_BYTES;

  /** What an item costs beside its value. */
  private static final int ITEM_BYTES = 64;

  /** What became of it. */
  public enum Outcome {
    /** To be known when its txg is durable. */
    PENDING,
    MOVED,
    /** The file was changed meanwhile; it may be tried again. */
    CHANGED,
    /** A snapshot, a clone or another range refers to it since; likewise. */
    SHARED,
    /** There is no space to write it once more. */
    NO_SPACE,
    /** There is space, but in runs that are too short. */
    NO_RUN
  }

  private final long number;
  private final List<Map.Entry<Key, byte[]>> items;
  private final List<DataExtent> extents;
  private final int runsMax;
  private final int sectors;
  private final ByteBuffer stored;

  /** The extents as they will be, with the offsets at which they begin. */
  private final List<Key> keys = new ArrayList<>();

  private final List<DataExtent> targets = new ArrayList<>();

  private volatile Outcome outcome = Outcome.PENDING;
  private long txg;
  private int reserved;
  private Inode inode;

  /**
   * @param items of extents that follow each other in the file, each with as many copies
   * @param runsMax in how many they may lie afterwards; with more it is not worth it
   * @param stored gets what they have on the device; whole sectors
   */
  Relocation(long inode, List<Map.Entry<Key, byte[]>> items, int runsMax, ByteBuffer stored)
      throws IOException {
    this.number = inode;
    this.items = List.copyOf(items);
    this.extents = new ArrayList<>(items.size());
    this.runsMax = runsMax;
    int sum = 0;
    for (Map.Entry<Key, byte[]> item : items) {
      DataExtent extent = DataExtentFormat.decode(item.getValue());
      extents.add(extent);
      sum += extent.sectors();
    }
    this.sectors = sum;
    this.stored = stored;
    join();
  }

  /** Small plain extents become as large ones as they would have been if written at once. */
  private void join() {
    List<DataExtent> parts = new ArrayList<>();
    long start = 0;
    long end = -1;
    for (int i = 0; i < extents.size(); i++) {
      DataExtent extent = extents.get(i);
      long at = items.get(i).getKey().low();
      boolean joins =
          end == at
              && extent.isPlain()
              && parts.get(0).isPlain()
              && (at - start) % SECTOR == 0
              && start / DataExtent.LOGICAL_BYTES_MAX == at / DataExtent.LOGICAL_BYTES_MAX
              && at + extent.logicalBytes() - start <= DataExtent.LOGICAL_BYTES_MAX;
      if (!joins) {
        addTarget(start, parts);
        start = at;
      }
      parts.add(extent);
      end = at + extent.logicalBytes();
    }
    addTarget(start, parts);
  }

  private void addTarget(long start, List<DataExtent> parts) {
    if (!parts.isEmpty()) {
      keys.add(Items.extent(number, start));
      targets.add(DataExtent.joined(parts));
      parts.clear();
    }
  }

  /** Where it lay when it was read. */
  public List<DataExtent> extents() {
    return extents;
  }

  ByteBuffer stored() {
    return stored;
  }

  /** What became of it: read when its txg is durable. */
  public Outcome outcome() {
    return outcome;
  }

  /** The txg in which it is decided; 0 where it is decided already. */
  public long txg() {
    return txg;
  }

  /** Whether it was not, or may be once more because there was no space. */
  public boolean isToBeHandedIn() {
    return txg == 0 && (outcome == Outcome.PENDING || outcome == Outcome.NO_SPACE);
  }

  /** What is written to the device, in bytes. */
  public long bytes() {
    return (long) sectors * extents.get(0).places() * SECTOR;
  }

  private long end() {
    int last = items.size() - 1;
    return items.get(last).getKey().low() + extents.get(last).logicalBytes();
  }

  /**
   * Makes it part of the open txg. No lock may be held.
   *
   * @throws FsException READ_ONLY
   */
  void handIn(VolumeState volume) throws FsException, IOException {
    outcome = Outcome.PENDING;
    volume.checkWritable();
    int itemBytes = items.size() * ITEM_BYTES;
    for (Map.Entry<Key, byte[]> item : items) {
      itemBytes += item.getValue().length;
    }
    int needed =
        sectors * extents.get(0).places()
            + Mutation.sectorsOfItems(itemBytes)
            + 2 * Mutation.REWRITE_SECTORS;
    if (!volume.space().tryReserve(needed, ReserveTier.WRITE)) {
      outcome = Outcome.NO_SPACE;
      return;
    }
    reserved = needed;
    volume.gate().lock();
    inode = volume.inodes().use(number);
    try {
      volume.inodes().load(inode);
      join(volume);
    } catch (FsException gone) {
      if (gone.error() != FsError.STALE) {
        throw gone;
      }
      outcome = Outcome.CHANGED;
    } finally {
      if (txg == 0) {
        drop(volume);
      }
      volume.gate().unlock();
    }
  }

  private void join(VolumeState volume) throws IOException {
    Txg joined = volume.txgs().join();
    Lock lock = inode.writeLock();
    lock.lock();
    try {
      txg = joined.number();
      inode.relocatedTxg = txg;
      volume.countDirty(joined, sectors);
      volume.stateOf(txg).relocations().add(this);
    } finally {
      lock.unlock();
      joined.leave();
    }
  }

  private void drop(VolumeState volume) {
    volume.space().unreserve(reserved);
    reserved = 0;
    volume.inodes().release(inode);
  }

  // ---- sync thread

  /**
   * The sync that it is part of.
   *
   * @param changes of the sync thread so far; those of the relocation are added
   */
  record Sync(
      Tree committed,
      Overlay overlay,
      NavigableMap<Key, byte[]> changes,
      DatasetHead head,
      BlockWriter writer) {}

  /** Moves the extents, if that is still to be done. An exception suspends the pool. */
  void apply(Sync sync) throws IOException {
    if (!isAsRead(sync)) {
      outcome = Outcome.CHANGED;
      return;
    }
    if (sync.head.isAnyShared(extents)) {
      outcome = Outcome.SHARED;
      return;
    }
    List<DataExtent> moved = sync.writer.move(targets, stored, runsMax);
    if (moved.isEmpty()) {
      outcome = Outcome.NO_RUN;
      return;
    }
    for (int i = 0; i < extents.size(); i++) {
      sync.changes.put(items.get(i).getKey(), null);
      sync.head.leaves(extents.get(i));
    }
    for (int i = 0; i < moved.size(); i++) {
      sync.changes.put(keys.get(i), DataExtentFormat.encode(moved.get(i)));
      sync.head.born(moved.get(i));
    }
    outcome = Outcome.MOVED;
  }

  /** Whether the file, as the txg leaves it, has the very items that were read, and a name. */
  private boolean isAsRead(Sync sync) {
    try {
      return hasSameItems(sync);
    } catch (IOException damaged) {
      return false;
    }
  }

  private boolean hasSameItems(Sync sync) throws IOException {
    Key from = items.get(0).getKey();
    Key to = Items.extent(number, end() - 1);
    if (!sync.changes.subMap(from, true, to, true).isEmpty() || isOrphan(sync)) {
      return false;
    }
    int[] next = {0};
    boolean[] same = {true};
    sync.committed.scan(
        from,
        to,
        (key, source, offset, length) -> {
          Map.Entry<Key, byte[]> item = next[0] < items.size() ? items.get(next[0]++) : null;
          same[0] =
              item != null
                  && item.getKey().equals(key)
                  && Arrays.equals(
                      item.getValue(), 0, item.getValue().length, source, offset, offset + length);
          return same[0];
        });
    return same[0] && next[0] == items.size();
  }

  /** What has no name is freed, in pieces perhaps, or soon. */
  private boolean isOrphan(Sync sync) throws IOException {
    Key key = Items.orphan(number);
    byte[] changed = sync.overlay.items().get(key);
    return changed != null ? changed != Overlay.DELETED : sync.committed.get(key) != null;
  }

  /** The txg is durable. */
  void published(VolumeState volume) {
    Lock lock = inode.writeLock();
    lock.lock();
    try {
      if (inode.relocatedTxg == txg) {
        inode.relocatedTxg = 0;
      }
    } finally {
      lock.unlock();
    }
    volume.countDirty(null, -sectors);
    drop(volume);
  }
}
