package io.cowfs.core.fs;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.txg.PoolSuspendedException;
import io.cowfs.core.txg.TransactionGroups;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.txg.Txg;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import java.io.IOException;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * What the operations of one volume share: its tree, its inodes, the txgs' gatherings, and the
 * gate. Thread-safe.
 *
 * <p>{@code gate} is held shared by every operation and exclusively by a rollback, so that no
 * operation sees two trees. It is not held while an operation waits for a commit.
 */
final class VolumeState {
  /** Sectors of one copy of a tree node that cannot be compressed. */
  private static final int NODE_SECTORS = 4;

  /** The dirty inodes and reservations of the two txgs that may have any. */
  private record States(TxgState syncing, TxgState open) {}

  private final VolumeServices services;
  private final DatasetHead head;
  private final TransactionalTree tree;
  private final InodeTable inodes;
  private final DirectoryItems directories;
  private final SpaceBudget space;
  private final Quota quota;
  private final Reaper reaper;
  private final TreeEdits edits;
  private final FileReads reads;
  private final AtomicLong nextInodeNumber;
  private final ReentrantReadWriteLock gate = new ReentrantReadWriteLock();

  /** Nodes of the committed tree. */
  private final AtomicLong treeNodes = new AtomicLong();

  /** What ranges that are to be cloned take in memory, counted in extents. */
  private final AtomicInteger clonesWeight = new AtomicInteger();

  private volatile boolean opened;
  private volatile States states;

  /** Made by the sync thread between two commits. */
  VolumeState(VolumeServices services, DatasetHead head, long openTxg) {
    this.services = services;
    this.head = head;
    this.reaper = new Reaper(services.txgs()::backlogGrew);
    this.edits = new TreeEdits(services.txgs());
    Tree committed = new Tree(head.root(), services.nodes());
    this.tree = new TransactionalTree(committed, openTxg - 1, openTxg);
    this.states = new States(null, new TxgState(openTxg));
    this.nextInodeNumber =
        new AtomicLong(Math.max(head.nextObjectNumber(), FileSystem.ROOT_INODE + 1));
    // Not before the txg that changed it last: that one writes its attributes once more.
    this.inodes =
        new InodeTable(
            tree,
            orphan -> reaper.add(orphan.number, Math.max(orphan.unlinkedTxg, orphan.changedTxg)));
    this.directories = new DirectoryItems(tree);
    this.space = new SpaceBudget(services.allocator(), services.txgs(), services.relief());
    this.quota = new Quota(head, services.txgs(), reaper);
    this.reads = new FileReads(tree, services.store(), arena());
  }

  DatasetHead head() {
    return head;
  }

  VolumeServices services() {
    return services;
  }

  /** The committed tree was opened: its orphans are freed unless somebody holds them. */
  void treeWasOpened() throws IOException {
    try (TransactionalTree.Pin pin = tree.pin()) {
      treeNodes.set(pin.tree().nodeCount());
    }
    addOrphans();
  }

  /**
   * Another tree took the place of the committed one: its orphans are freed unless somebody holds
   * them. No operation may be active.
   *
   * @param moreNodes that it has
   */
  void treeWasReplaced(long moreNodes) throws IOException {
    treeNodes.addAndGet(moreNodes);
    addOrphans();
  }

  private void addOrphans() throws IOException {
    try (TransactionalTree.Pin pin = tree.pin()) {
      reaper.addAllOf(pin.tree(), orphan -> !inodes.keepOrphan(orphan));
    }
  }

  TransactionGroups txgs() {
    return services.txgs();
  }

  TransactionalTree tree() {
    return tree;
  }

  InodeTable inodes() {
    return inodes;
  }

  DirectoryItems directories() {
    return directories;
  }

  SpaceBudget space() {
    return space;
  }

  Quota quota() {
    return quota;
  }

  Reaper reaper() {
    return reaper;
  }

  TreeEdits edits() {
    return edits;
  }

  BlockStore store() {
    return services.store();
  }

  NodeReader nodes() {
    return services.nodes();
  }

  FileReads reads() {
    return reads;
  }

  PageArena arena() {
    return services.pages().arena;
  }

  VolumeServices.Owner owner() {
    return services.owner();
  }

  /** Shared, for an operation. */
  Lock gate() {
    return gate.readLock();
  }

  /** Exclusive, for what replaces the tree. */
  Lock closedGate() {
    return gate.writeLock();
  }

  Timestamp now() {
    Instant now = services.clock().instant();
    return new Timestamp(now.getEpochSecond(), now.getNano());
  }

  long nextInodeNumber() {
    return nextInodeNumber.getAndIncrement();
  }

  /** A number for an inode that the tree can take. Asked for before the change joins. */
  long newInodeNumber() throws IOException {
    long number = nextInodeNumber();
    tree.requireChangeable(Items.firstOf(number), Items.lastOf(number));
    return number;
  }

  /** An inode, or the value of an attribute, has this number already. */
  void skipInodeNumber(long number) {
    nextInodeNumber.accumulateAndGet(number + 1, Math::max);
  }

  /** Inodes with links. */
  long files() {
    States now = states;
    long more = now.open.moreFiles().get();
    more += now.syncing == null ? 0 : now.syncing.moreFiles().get();
    return head.files() + more;
  }

  long peekNextInodeNumber() {
    return nextInodeNumber.get();
  }

  boolean isReadOnly() {
    return services.txgs().suspendedBy() != null || (opened && head.settings().readonly());
  }

  /** From here on the dataset's own setting decides whether it may be changed. */
  void opened() {
    opened = true;
  }

  void checkWritable() throws FsException {
    if (isReadOnly()) {
      throw new FsException(FsError.READ_ONLY);
    }
  }

  void requireDirectory(Inode inode) throws FsException {
    if (!inode.isDirectory()) {
      throw new FsException(FsError.NOT_A_DIRECTORY);
    }
  }

  /** A directory that was removed takes no new names. */
  void requireLiveDirectory(Inode inode) throws FsException {
    requireDirectory(inode);
    if (inode.nlink == 0) {
      throw new FsException(FsError.NOT_FOUND);
    }
  }

  /** Looks a name up under the directory's read lock, for those who then lock what it leads to. */
  DirectoryItems.Found findEntry(Inode directory, byte[] name) throws FsException, IOException {
    directory.readLock().lock();
    try {
      requireDirectory(directory);
      return directories.find(directory.number, name);
    } finally {
      directory.readLock().unlock();
    }
  }

  /**
   * Takes into use what an entry led to when it was looked up. No inode may be locked.
   *
   * @return null when the entry was removed since; then it is to be looked up again
   */
  Inode useEntry(Mutation change, Inode directory, byte[] name, DirectoryItems.Found seen)
      throws FsException, IOException {
    try {
      return change.use(seen.inode());
    } catch (FsException refused) {
      DirectoryItems.Found now = findEntry(directory, name);
      if (refused.error() != FsError.STALE || (now != null && now.inode() == seen.inode())) {
        throw refused;
      }
      return null;
    }
  }

  TxgState stateOf(long txg) {
    States now = states;
    if (now.open.txg() == txg) {
      return now.open;
    }
    if (now.syncing != null && now.syncing.txg() == txg) {
      return now.syncing;
    }
    throw new IllegalStateException("txg " + txg + " is neither open nor syncing");
  }

  /**
   * True when the open txg has enough space reserved to write every node of the tree anew, which it
   * does at most once. What changes join another txg than they were begun in is for the reserve to
   * bear.
   */
  boolean allNodesAreReserved() {
    return states.open.reservedForRewrites().get()
        >= treeNodes.get() * NODE_SECTORS * BlockPointer.COPIES;
  }

  /**
   * How many orphans there is space to free now: nodes are written anew for it. Second copies need
   * not be thought of, for they take only what is left.
   */
  int orphansToReap() {
    long free = space.free(services.hostFreeSectors().getAsLong());
    return free >= treeNodes.get() * NODE_SECTORS
        ? Integer.MAX_VALUE
        : (int) (free / (Mutation.REWRITE_SECTORS / BlockPointer.COPIES));
  }

  /** Sync thread: the tree has so many nodes more. */
  void addTreeNodes(long more) {
    treeNodes.addAndGet(more);
  }

  void freezeState(long next) {
    states = new States(states.open, new TxgState(next));
  }

  void forgetState(long txg) {
    space.unreserve(stateOf(txg).reservedForItems().get());
    quota.settle(stateOf(txg).claimedForItems().get());
    states = new States(null, states.open);
  }

  /**
   * The layer for a member of {@code txg} to change. The inode must be write-locked.
   *
   * @param copies how often a new layer is stored; one that is there may say otherwise
   */
  DirtyFile dirtyLayer(Inode inode, Txg txg, int copies) {
    if (inode.dirty == null || inode.dirty.txg() != txg.number()) {
      if (inode.syncing != null) {
        throw new IllegalStateException("inode " + inode.number + " is dirty in three txgs");
      }
      inode.syncing = inode.dirty;
      inode.dirty = new DirtyFile(txg.number(), copies, arena());
      inodes.use(inode.number);
      stateOf(txg.number()).dirtyInodes().add(inode);
    }
    return inode.dirty;
  }

  /** A range is cloned by the sync of a txg that was joined. */
  void addClone(Txg txg, ClonedRange clone) {
    if (clonesWeight.addAndGet(clone.weight()) >= RangeCloning.EXTENTS_MAX) {
      services.txgs().requestSync(txg.number());
    }
    stateOf(txg.number()).clones().add(clone);
  }

  /** Sync thread: it was. */
  void removeClone(ClonedRange clone) {
    clonesWeight.addAndGet(-clone.weight());
    clone.published();
  }

  /** Waits while much is to be cloned: it is in memory. No lock may be held. */
  void awaitRoomForClones() throws PoolSuspendedException {
    if (clonesWeight.get() >= 2 * RangeCloning.EXTENTS_MAX) {
      services.txgs().awaitDurable(services.txgs().openTxg(), () -> false);
    }
  }

  /**
   * Waits until the file has the content that was cloned into it. No lock may be held.
   *
   * @throws FsException IO when it never will
   */
  void awaitClone(Inode inode) throws FsException {
    long txg = inode.clonedTxg;
    try {
      if (txg != 0) {
        services.txgs().awaitDurable(txg, () -> false);
      }
    } catch (PoolSuspendedException suspended) {
      throw new FsException(FsError.IO, suspended);
    }
  }

  /** A member of a txg has so many more pages of dirty data. */
  void countDirty(Txg txg, int pages) {
    if (pages > 0) {
      services.txgs().addDirtyData(txg, (long) pages * BlockPointer.SECTOR_BYTES);
    } else if (pages < 0) {
      services.txgs().removeDirtyData((long) -pages * BlockPointer.SECTOR_BYTES);
    }
  }

  /** Sync thread: the txg's data of this file is in the published tree. */
  void dropDirty(Inode inode, long txg) {
    int pages;
    int sectors;
    inode.writeLock().lock();
    try {
      DirtyFile layer = inode.dirtyOf(txg);
      if (inode.syncing == layer) {
        inode.syncing = null;
      } else {
        inode.dirty = null;
      }
      pages = layer.reservedPages();
      sectors = layer.reservedSectors();
      layer.drop();
    } finally {
      inode.writeLock().unlock();
    }
    space.unreserve(sectors);
    quota.settle(sectors);
    countDirty(null, -pages);
    inodes.release(inode);
  }
}
