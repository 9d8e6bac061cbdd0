package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.txg.PoolSuspendedException;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A {@link Mutation} of one file's content: one locked inode, space for its pages, and the dirty
 * layer of the txg joined. Confined to one thread.
 */
final class DataMutation implements AutoCloseable {
  private final VolumeState volume;
  private final Mutation change;
  private final Inode inode;
  private final int reserved;
  private DirtyFile layer;
  private int pagesBefore;

  private DataMutation(VolumeState volume, Mutation change, Inode inode, int reserved) {
    this.volume = volume;
    this.change = change;
    this.inode = inode;
    this.reserved = reserved;
  }

  /**
   * What is to be changed.
   *
   * @param offset where the change begins in the file, in bytes
   * @param end where it ends
   * @param pages the most pages of dirty data that it may add
   */
  record Target(long inode, long offset, long end, int pages) {}

  /** Reserves space, then locks the file; what the change cuts can be written anew. */
  static DataMutation begin(VolumeState volume, Caller caller, Target target, ReserveTier tier)
      throws FsException, IOException {
    volume.checkWritable();
    if (tier == ReserveTier.WRITE) {
      volume.requireQuota(target.pages);
    }
    volume.space().reserve(target.pages, tier);
    DataMutation begun = null;
    try {
      begun = lock(volume, caller, target, tier, 0);
      if (begun == null) {
        begun = lock(volume, caller, target, tier, 2 * DataExtent.SECTORS_MAX);
      }
      return begun;
    } finally {
      if (begun == null) {
        volume.space().unreserve(target.pages);
      }
    }
  }

  /**
   * Locks the file.
   *
   * @param cutSectors reserved for writing cut extents anew
   * @return null when more has to be reserved, which cannot be done with the file locked
   */
  private static DataMutation lock(
      VolumeState volume, Caller caller, Target target, ReserveTier tier, int cutSectors)
      throws FsException, IOException {
    while (true) {
      Mutation change = Mutation.begin(volume, caller, tier, cutSectors);
      boolean kept = false;
      Inode inode;
      try {
        inode = change.use(target.inode);
        change.lock(inode);
        if (!inode.isRegular()) {
          throw new FsException(inode.isDirectory() ? FsError.IS_A_DIRECTORY : FsError.INVALID);
        }
        if (inode.clonedTxg == 0) {
          int cut =
              volume.reads().cutExtents(inode, target.offset, target.end, volume.txgs().openTxg());
          kept = cut * DataExtent.SECTORS_MAX <= cutSectors;
          return kept ? new DataMutation(volume, change, inode, target.pages) : null;
        }
      } finally {
        if (!kept) {
          change.close();
        }
      }
      volume.awaitClone(inode);
    }
  }

  Inode inode() {
    return inode;
  }

  Timestamp now() {
    return change.now();
  }

  /** Joins the txg and gives the layer of dirty data to change. */
  DirtyFile join() throws PoolSuspendedException {
    change.join();
    layer = volume.dirtyLayer(inode, change.txg());
    pagesBefore = layer.pageCount();
    return layer;
  }

  /** Makes a hole in the joined layer, in sectors. */
  void punch(long from, long to) {
    layer.punch(from, to);
    change.txg().log(new LogEntry.HoleMade(volume.head().id(), inode.number, from, to));
  }

  /** Pages of the joined layer have their content now, in sectors: each of them has one. */
  void written(long from, long to) {
    int bytes = (int) Math.min(Integer.MAX_VALUE, (to - from) * PageArena.PAGE_BYTES);
    if (!change.txg().mayLog(bytes)) {
      return;
    }
    ByteBuffer content = ByteBuffer.allocate(bytes);
    for (long sector = from; sector < to; sector++) {
      volume.arena().copyOut(layer.page(sector), 0, PageArena.PAGE_BYTES, content);
    }
    change
        .txg()
        .log(LogEntry.SectorsWritten.of(volume.head().id(), inode.number, from, content.array()));
  }

  void store() {
    change.store(inode);
  }

  @Override
  public void close() {
    if (layer == null) {
      volume.space().unreserve(reserved);
    } else {
      // Each page in the layer holds one reserved sector until the layer is dropped.
      int more = layer.pageCount() - pagesBefore;
      volume.space().unreserve((long) reserved - more);
      volume.countDirty(change.txg(), more);
    }
    change.close();
  }
}
