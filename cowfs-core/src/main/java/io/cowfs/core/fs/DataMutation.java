package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.block.DataExtent;
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
  private final Claim claim;
  private DirtyFile layer;
  private int pagesBefore;
  private int sectorsBefore;

  private DataMutation(VolumeState volume, Mutation change, Inode inode, Claim claim) {
    this.volume = volume;
    this.change = change;
    this.inode = inode;
    this.claim = claim;
  }

  /**
   * What is to be changed.
   *
   * @param offset where the change begins in the file, in bytes
   * @param end where it ends
   * @param pages the most pages of dirty data that it may add
   */
  record Target(long inode, long offset, long end, int pages) {}

  /**
   * What is held for the pages until the change is closed.
   *
   * @param copies how often each page will be stored
   * @param reserved sectors of space
   * @param ofQuota sectors
   */
  private record Claim(int copies, int reserved, long ofQuota) {
    void drop(VolumeState volume) {
      volume.space().unreserve(reserved);
      volume.quota().count(-ofQuota);
    }
  }

  /** On whose behalf, and with what. */
  private record Terms(Caller caller, ReserveTier tier, Claim claim) {}

  /** Reserves space, then locks the file; what the change cuts can be written anew. */
  static DataMutation begin(VolumeState volume, Caller caller, Target target, ReserveTier tier)
      throws FsException, IOException {
    volume.checkWritable();
    int copies = volume.head().settings().copies();
    Claim claim = claim(volume, copies, copies * target.pages, tier);
    DataMutation begun = null;
    try {
      Terms terms = new Terms(caller, tier, claim);
      begun = lock(volume, terms, target, 0);
      if (begun == null) {
        begun = lock(volume, terms, target, 2 * DataExtent.SECTORS_MAX * copies);
      }
      return begun;
    } finally {
      if (begun == null) {
        claim.drop(volume);
      }
    }
  }

  private static Claim claim(VolumeState volume, int copies, int sectors, ReserveTier tier)
      throws FsException, IOException {
    long ofQuota = tier == ReserveTier.WRITE ? volume.quota().claim(sectors) : 0;
    boolean reserved = false;
    try {
      volume.space().reserve(sectors, tier);
      reserved = true;
      return new Claim(copies, sectors, ofQuota);
    } finally {
      if (!reserved) {
        volume.quota().count(-ofQuota);
      }
    }
  }

  /**
   * Locks the file.
   *
   * @param cutSectors reserved for writing cut extents anew
   * @return null when more has to be reserved, which cannot be done with the file locked
   */
  private static DataMutation lock(VolumeState volume, Terms terms, Target target, int cutSectors)
      throws FsException, IOException {
    while (true) {
      Mutation change = Mutation.beginWithinQuota(volume, terms.caller, terms.tier, cutSectors);
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
          kept = cut * DataExtent.SECTORS_MAX * terms.claim.copies <= cutSectors;
          return kept ? new DataMutation(volume, change, inode, terms.claim) : null;
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
  DirtyFile join() throws IOException {
    change.join();
    layer = volume.dirtyLayer(inode, change.txg(), claim.copies);
    pagesBefore = layer.pageCount();
    sectorsBefore = layer.reservedSectors();
    // More may be in force by now, but this is what space was reserved for.
    layer.limitCopies(claim.copies);
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
      claim.drop(volume);
    } else {
      // Each page in the layer holds its reserved sectors until the layer is dropped.
      int more = layer.reservedSectors() - sectorsBefore;
      volume.space().unreserve(claim.reserved - more);
      volume.quota().count(more - claim.ofQuota);
      volume.countDirty(change.txg(), layer.pageCount() - pagesBefore);
    }
    change.close();
  }
}
