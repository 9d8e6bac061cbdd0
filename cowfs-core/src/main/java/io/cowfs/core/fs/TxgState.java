package io.cowfs.core.fs;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/** What one txg has gathered in one volume, beside the overlay of its tree. Thread-safe. */
final class TxgState {
  private final long txg;
  private final Queue<Inode> dirtyInodes = new ConcurrentLinkedQueue<>();
  private final Queue<ClonedRange> clones = new ConcurrentLinkedQueue<>();
  private final Queue<Relocation> relocations = new ConcurrentLinkedQueue<>();
  private final AtomicLong reservedForItems = new AtomicLong();
  private final AtomicLong reservedForRewrites = new AtomicLong();
  private final AtomicLong claimedForItems = new AtomicLong();
  private final AtomicLong moreFiles = new AtomicLong();

  TxgState(long txg) {
    this.txg = txg;
  }

  long txg() {
    return txg;
  }

  /** By how many there are more inodes with links than before the txg. */
  AtomicLong moreFiles() {
    return moreFiles;
  }

  /** Inodes with dirty data of this txg, each once and in use. */
  Queue<Inode> dirtyInodes() {
    return dirtyInodes;
  }

  /** Ranges to put into files in the sync of this txg, in the order in which that was asked for. */
  Queue<ClonedRange> clones() {
    return clones;
  }

  /** Parts of files to put elsewhere on the device at the end of this txg's sync. */
  Queue<Relocation> relocations() {
    return relocations;
  }

  /** The part of {@link #reservedForItems} for nodes that are there already. */
  AtomicLong reservedForRewrites() {
    return reservedForRewrites;
  }

  /** Sectors reserved for the tree nodes that the txg will write. */
  AtomicLong reservedForItems() {
    return reservedForItems;
  }

  /** Sectors claimed from the quota for the items that the txg adds. */
  AtomicLong claimedForItems() {
    return claimedForItems;
  }
}
