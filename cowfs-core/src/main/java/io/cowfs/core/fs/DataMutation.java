package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.txg.PoolSuspendedException;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import java.io.IOException;

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
   * Reserves space, then locks the file.
   *
   * @param pages the most pages that the change may add
   */
  static DataMutation begin(
      VolumeState volume, Caller caller, long number, int pages, ReserveTier tier)
      throws FsException, IOException {
    volume.checkWritable();
    volume.space().reserve(pages, tier);
    Mutation change = null;
    boolean begun = false;
    try {
      change = Mutation.begin(volume, caller, tier, volume.cutSectors());
      Inode inode = change.use(number);
      change.lock(inode);
      if (!inode.isRegular()) {
        throw new FsException(inode.isDirectory() ? FsError.IS_A_DIRECTORY : FsError.INVALID);
      }
      begun = true;
      return new DataMutation(volume, change, inode, pages);
    } finally {
      if (!begun) {
        volume.space().unreserve(pages);
        if (change != null) {
          change.close();
        }
      }
    }
  }

  Inode inode() {
    return inode;
  }

  Timestamp now() {
    return change.now();
  }

  /**
   * Makes sure that what the change cuts can be written anew. Before {@link #join}.
   *
   * @param offset where the change begins in the file, in bytes
   * @param end where it ends
   */
  void prepareCut(long offset, long end) throws IOException {
    volume.reads().prepareCut(inode, offset, end);
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
