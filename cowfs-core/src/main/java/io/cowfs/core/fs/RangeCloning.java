package io.cowfs.core.fs;

import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.txg.PoolSuspendedException;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.Lock;
import java.util.stream.Stream;

/**
 * Puts a range of one file into another by reference, as FICLONERANGE does. Thread-safe.
 *
 * <p>What is dirty of both files is committed first, and the gates of both volumes are shut while a
 * change is prepared, in the order of their datasets: so the source's references are in its tree
 * and stay there. Within one volume, the change is then handed in to the open txg: in its sync,
 * counts go up before anything is taken out of a file. Until that is durable, whoever wants to see
 * or change the target's content waits for it, and nobody else does ({@link Inode#clonedTxg}). The
 * volumes of a pool are synced one after the other, so between two of them the change is committed
 * with the gates shut.
 *
 * <p>Sectors stored plain are shared one by one. A compressed extent is shared whole, or, where the
 * range has only a part of it, copied. So is a content that is kept in the tree.
 */
final class RangeCloning {
  private static final int SECTOR = PageArena.PAGE_BYTES;

  /** What one call clones at most: its items are in memory until they are committed. */
  static final int EXTENTS_MAX = 32_768;

  /** How often what is dirty is committed before the gates are shut for it. */
  private static final int TRIES_WITH_OPEN_GATES = 3;

  private final VolumeState volume;

  RangeCloning(VolumeState volume) {
    this.volume = volume;
  }

  /**
   * What is cloned, in bytes: offsets are multiples of a sector, and so is the length, unless the
   * range ends where both files end.
   */
  record Range(long fromOffset, long toOffset, long length) {
    Range withLength(long other) {
      return new Range(fromOffset, toOffset, other);
    }

    long toEnd() {
      return toOffset + length;
    }
  }

  /**
   * A file to clone from, as its tree has it.
   *
   * @param snapshot that must still be there; null for a live file
   */
  record Source(ItemSource tree, Inode inode, SourceTree snapshot) {}

  /**
   * Clones from a live file, of this volume or another of the pool. No lock may be held. Between
   * two volumes it is durable afterwards, within one with the next commit.
   *
   * @param killPrivileges clear suid and sgid of the target
   * @return the bytes cloned: fewer than asked for where the source ends before, or has very many
   *     extents
   * @throws FsException INVALID where offsets and length do not allow it, or source and target
   *     overlap
   */
  long clone(
      VolumeState from, Handle fromHandle, Handle toHandle, Range range, boolean killPrivileges)
      throws FsException, IOException {
    check(range);
    if (from == volume
        && fromHandle.inode() == toHandle.inode()
        && Math.abs(range.fromOffset - range.toOffset) < range.length) {
      throw new FsException(FsError.INVALID);
    }
    for (int tries = 0; tries < TRIES_WITH_OPEN_GATES && isDirty(fromHandle, toHandle); tries++) {
      volume.txgs().syncAll();
    }
    volume.awaitRoomForClones();
    List<Lock> gates = shutGates(from);
    Inode inode = from.inodes().use(fromHandle.inode());
    try {
      if (isDirty(fromHandle, toHandle)) {
        volume.txgs().syncAll();
      }
      from.inodes().load(inode);
      fromHandle.check();
      try (TransactionalTree.Pin pin = from.tree().pin()) {
        Source source = new Source(ItemSource.of(pin.tree()), inode, null);
        ClonedRange prepared = prepare(source, toHandle, range, killPrivileges);
        if (from != volume) {
          return commit(prepared);
        }
        return prepared == null ? 0 : handIn(prepared);
      }
    } finally {
      from.inodes().release(inode);
      gates.forEach(Lock::unlock);
    }
  }

  private long handIn(ClonedRange prepared) throws IOException {
    boolean done = false;
    try {
      prepared.handIn();
      done = true;
      return prepared.length();
    } finally {
      if (!done) {
        prepared.drop();
      }
    }
  }

  /** The same from a file of a snapshot. */
  long clone(SourceTree snapshot, long number, Handle toHandle, Range range)
      throws FsException, IOException {
    check(range);
    ItemSource tree = ItemSource.of(new Tree(snapshot.root(), volume.nodes()));
    Inode inode = tree.inode(number);
    if (inode == null) {
      throw new FsException(FsError.STALE);
    }
    List<Lock> gates = shutGates(volume);
    try {
      volume.txgs().syncAll();
      return commit(prepare(new Source(tree, inode, snapshot), toHandle, range, true));
    } finally {
      gates.forEach(Lock::unlock);
    }
  }

  /** True while data of one of the files is not in its tree, or is to be elsewhere. */
  private static boolean isDirty(Handle... handles) {
    for (Handle handle : handles) {
      Inode inode = handle.target();
      inode.readLock().lock();
      try {
        if (inode.dirty != null
            || inode.syncing != null
            || inode.clonedTxg != 0
            || inode.relocatedTxg != 0) {
          return true;
        }
      } finally {
        inode.readLock().unlock();
      }
    }
    return false;
  }

  private void check(Range range) throws FsException, IOException {
    volume.checkWritable();
    if (range.length < 0 || range.fromOffset < 0 || range.toOffset < 0) {
      throw new FsException(FsError.INVALID);
    }
    if (range.toOffset > FileWrites.FILE_BYTES_MAX - range.length) {
      throw new FsException(FsError.FILE_TOO_LARGE);
    }
    if (range.fromOffset % SECTOR != 0 || range.toOffset % SECTOR != 0) {
      throw new FsException(FsError.INVALID);
    }
    volume.txgs().throttle(() -> false);
  }

  private List<Lock> shutGates(VolumeState from) {
    List<Lock> gates =
        Stream.of(volume, from)
            .distinct()
            .sorted((a, b) -> Integer.compare(a.head().id(), b.head().id()))
            .map(VolumeState::closedGate)
            .toList();
    gates.forEach(Lock::lock);
    return gates;
  }

  /**
   * Prepares the change of the target, with the gates shut and the data of both files committed.
   *
   * @return null when there is nothing to clone
   */
  private ClonedRange prepare(Source source, Handle toHandle, Range asked, boolean killPrivileges)
      throws FsException, IOException {
    Inode target = toHandle.target();
    volume.inodes().load(target);
    toHandle.check();
    if (volume.inodes().isUnsettled(target)) {
      throw new FsException(FsError.STALE);
    }
    requireFile(source.inode);
    requireFile(target);
    Range range =
        asked.withLength(Math.max(0, Math.min(asked.length, source.inode.size - asked.fromOffset)));
    if (range.length == 0) {
      return null;
    }
    boolean toBothEnds =
        range.fromOffset + range.length == source.inode.size && range.toEnd() >= target.size;
    if (range.length % SECTOR != 0 && !toBothEnds) {
      throw new FsException(FsError.INVALID);
    }
    volume.tree().requireChangeable(Items.inode(target.number));
    ClonedRange prepared = new ClonedRange(volume, source, target, range);
    boolean done = false;
    try {
      prepared.prepare(killPrivileges);
      long end = range.toOffset + prepared.length();
      int cut = volume.reads().cutExtents(target, range.toOffset, end, volume.txgs().openTxg());
      prepared.reserve(cut * DataExtent.SECTORS_MAX);
      done = true;
      return prepared;
    } finally {
      if (!done) {
        prepared.drop();
      }
    }
  }

  /** Commits the change at once, with the gates shut. */
  private long commit(ClonedRange prepared) throws IOException {
    if (prepared == null) {
      return 0;
    }
    boolean mayBeWritten = false;
    try {
      volume.edits().commit(prepared);
      prepared.committed();
      return prepared.length();
    } catch (PoolSuspendedException e) {
      mayBeWritten = true;
      throw e;
    } finally {
      if (mayBeWritten) {
        prepared.release();
      } else {
        prepared.drop();
      }
    }
  }

  private static void requireFile(Inode inode) throws FsException {
    if (!inode.isRegular()) {
      throw new FsException(inode.isDirectory() ? FsError.IS_A_DIRECTORY : FsError.INVALID);
    }
  }
}
