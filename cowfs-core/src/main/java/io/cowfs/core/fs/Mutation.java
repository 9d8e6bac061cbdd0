package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import io.cowfs.core.txg.Txg;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * One change of a volume, in the shape that all have: room, locks, txg, change; closing undoes them
 * in reverse. Confined to the thread that makes the change. Until {@link #join} nothing is changed;
 * after it, nothing may fail.
 */
final class Mutation implements AutoCloseable {
  /** Sectors by which the items that one operation adds make the tree grow, at most. */
  private static final int GROWTH_SECTORS = BlockPointer.COPIES * 2;

  /** Sectors of the nodes in which one operation changes items: four leaves of 16 KiB, twice. */
  static final int REWRITE_SECTORS = BlockPointer.COPIES * 16;

  private final VolumeState volume;
  private final List<Inode> used = new ArrayList<>(4);
  private final List<Inode> locked = new ArrayList<>(4);
  private Txg txg;
  private Timestamp now;
  private int moreFiles;

  /** Sectors that this change has claimed from the quota. */
  private final long claimed;

  /** Sectors for what is added. */
  private final int growth;

  /** Sectors for nodes that are there and are written anew. */
  private final int rewrites;

  private Mutation(VolumeState volume, long claimed, int growth, int rewrites) {
    this.volume = volume;
    this.claimed = claimed;
    this.growth = growth;
    this.rewrites = rewrites;
  }

  /**
   * Waits until there is room for a change, then keeps rollbacks out until it is closed.
   *
   * @throws FsException NO_SPACE, READ_ONLY, QUOTA_EXCEEDED
   */
  static Mutation begin(VolumeState volume, Caller caller, ReserveTier tier)
      throws FsException, IOException {
    return begin(volume, caller, tier, 0);
  }

  /**
   * The same with a greater reservation.
   *
   * @param more sectors that the sync of the change may need, beside those of its dirty pages and
   *     of ordinary items
   */
  static Mutation begin(VolumeState volume, Caller caller, ReserveTier tier, int more)
      throws FsException, IOException {
    volume.checkWritable();
    volume.txgs().throttle(caller.interrupted());
    return begin(volume, tier, tier == ReserveTier.WRITE ? GROWTH_SECTORS + more : 0, more);
  }

  /** The same for a change of content, which has claimed its data from the quota. */
  static Mutation beginWithinQuota(VolumeState volume, Caller caller, ReserveTier tier, int more)
      throws FsException, IOException {
    volume.checkWritable();
    volume.txgs().throttle(caller.interrupted());
    return begin(volume, tier, 0, more);
  }

  private static Mutation begin(VolumeState volume, ReserveTier tier, int claim, int more)
      throws FsException, IOException {
    int growth = GROWTH_SECTORS + more;
    int rewrites = rewrites(volume);
    long claimed = claim == 0 ? 0 : volume.quota().claim(claim);
    boolean reserved = false;
    try {
      volume.space().reserve(growth + rewrites, tier);
      reserved = true;
    } finally {
      if (!reserved) {
        volume.quota().count(-claimed);
      }
    }
    volume.gate().lock();
    return new Mutation(volume, claimed, growth, rewrites);
  }

  /** Sectors to reserve for items of so many bytes: they may leave their nodes half empty. */
  static int sectorsOfItems(int bytes) {
    return BlockPointer.COPIES * 2 * bytes / PageArena.PAGE_BYTES;
  }

  private static int rewrites(VolumeState volume) {
    return volume.allNodesAreReserved() ? 0 : REWRITE_SECTORS;
  }

  /** The same, but null where it would have to wait or is refused. */
  static Mutation beginAtOnce(VolumeState volume) throws IOException {
    int rewrites = rewrites(volume);
    if (volume.isReadOnly()
        || volume.txgs().isThrottled()
        || !volume.space().tryReserve(GROWTH_SECTORS + rewrites, ReserveTier.WRITE)) {
      return null;
    }
    volume.gate().lock();
    return new Mutation(volume, 0, GROWTH_SECTORS, rewrites);
  }

  /** Takes an inode into use until the change is closed, and reads it. */
  Inode use(long number) throws FsException {
    Inode inode = volume.inodes().use(number);
    used.add(inode);
    volume.inodes().load(inode);
    return inode;
  }

  /** An inode that is in no table yet, in use until the change is closed. */
  void add(Inode inode) {
    used.add(volume.inodes().add(inode));
  }

  /** The same of an inode that was not in the tree before. */
  void addNew(Inode inode) {
    add(inode);
    moreFiles++;
  }

  /** The inode has no links any more, or not yet. */
  void putOrphan(Inode inode) {
    put(Items.orphan(inode.number), new byte[0]);
    moreFiles--;
  }

  /** The inode gets its first link. */
  void deleteOrphan(Inode inode) {
    delete(Items.orphan(inode.number));
    moreFiles++;
  }

  /**
   * Locks inodes for writing, in the order of their numbers. None may be locked yet; some may be
   * null.
   */
  void lock(Inode... inodes) {
    for (Inode inode : inodes) {
      if (inode != null && !locked.contains(inode)) {
        locked.add(inode);
      }
    }
    locked.sort(Comparator.comparingLong(inode -> inode.number));
    for (Inode inode : locked) {
      inode.writeLock().lock();
    }
  }

  /** Unlocks everything, to lock anew with more. */
  void unlock() {
    for (Inode inode : locked) {
      inode.writeLock().unlock();
    }
    locked.clear();
  }

  /**
   * From here on everything belongs to one txg, and must succeed.
   *
   * @param touched the keys that will be put or deleted, besides the attributes of the inodes that
   *     are locked and all that belongs to new ones; nulls among them are passed over
   * @throws IOException when what the commit will need of the tree is damaged
   */
  void join(Key... touched) throws IOException {
    Key[] keys = Arrays.copyOf(touched, touched.length + locked.size());
    for (int i = 0; i < locked.size(); i++) {
      keys[touched.length + i] = Items.inode(locked.get(i).number);
    }
    volume.tree().requireChangeable(keys);
    txg = volume.txgs().join();
    now = volume.now();
  }

  Txg txg() {
    return txg;
  }

  /** The time of the change. */
  Timestamp now() {
    return now;
  }

  void put(Key key, byte[] value) {
    volume.tree().put(txg, key, value);
    txg.log(new LogEntry.ItemPut(volume.head().id(), key, value));
  }

  void delete(Key key) {
    volume.tree().delete(txg, key);
    txg.log(new LogEntry.ItemDeleted(volume.head().id(), key));
  }

  /** Puts the inode's attributes into the txg. The inode must be locked. */
  void store(Inode inode) {
    inode.changedTxg = txg.number();
    put(Items.inode(inode.number), inode.encode());
  }

  /** A directory has another entry or another name in it: its times are those of the change. */
  void touchDirectory(Inode directory, int moreEntries, int moreSubdirectories) {
    directory.size += moreEntries;
    directory.nlink += moreSubdirectories;
    directory.mtime = now;
    directory.ctime = now;
    store(directory);
  }

  /** The orphan that {@link #dropLink} would put; null where other links stay. */
  static Key orphanOfLast(Inode inode) {
    return inode.isDirectory() || inode.nlink == 1 ? Items.orphan(inode.number) : null;
  }

  /** Takes one link from an inode; the last one makes it an orphan. */
  void dropLink(Inode inode) {
    inode.ctime = now;
    inode.nlink = inode.isDirectory() ? 0 : inode.nlink - 1;
    if (inode.nlink == 0) {
      inode.unlinkedTxg = txg.number();
      inode.unlinked = true;
      putOrphan(inode);
    }
    store(inode);
  }

  @Override
  public void close() {
    if (txg != null) {
      TxgState state = volume.stateOf(txg.number());
      state.reservedForItems().addAndGet(growth + rewrites);
      state.reservedForRewrites().addAndGet(rewrites);
      if (claimed != 0) {
        state.claimedForItems().addAndGet(claimed);
      }
      state.moreFiles().addAndGet(moreFiles);
      txg.leave();
    } else {
      volume.space().unreserve(growth + rewrites);
      volume.quota().count(-claimed);
    }
    unlock();
    volume.gate().unlock();
    for (Inode inode : used) {
      volume.inodes().release(inode);
    }
  }

  /** The body of a change that may meet damaged or failing storage before it joins. */
  @FunctionalInterface
  interface Body<T> {
    T run() throws FsException, IOException;
  }
}
