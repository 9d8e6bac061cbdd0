package io.cowfs.core.fs;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.txg.PoolSuspendedException;
import io.cowfs.core.txg.TransactionGroups;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * Keeps the changes of one volume within the quota of its dataset. A change claims what it may add
 * before it goes on: nobody else is granted that. What it does not add it gives back; the rest is
 * claimed until its commit is published, and from then on the committed tree counts instead. What
 * is overwritten counts until the commit that lets go of it.
 *
 * <p>So a dataset is never larger than its quota but for the nodes by which the extents of one
 * commit make its tree grow, and for what was added before there was a quota. Thread-safe.
 *
 * <p>Without a quota, only dirty data is counted, and nothing is locked to add some.
 */
final class Quota {
  /**
   * While a txg syncs, what overwrites may be counted already and what is overwritten still: so
   * often in a row there must be too little, whatever others have claimed.
   */
  private static final int FULL_MAX = 4;

  /**
   * What others have claimed may come to nothing, as they overwrite. But whoever waited for them
   * all might wait for ever.
   */
  private static final int COMMITS_MAX = 100;

  private final DatasetHead head;
  private final TransactionGroups txgs;
  private final Reaper reaper;

  /** Sectors that the committed tree may get. */
  private final AtomicLong claimed = new AtomicLong();

  Quota(DatasetHead head, TransactionGroups txgs, Reaper reaper) {
    this.head = head;
    this.txgs = txgs;
    this.reaper = reaper;
  }

  /** What is left, in sectors; all there can be where there is no quota. */
  long left() {
    // In this order: what is settled meanwhile is counted twice, and not left out.
    long notCommitted = claimed.get();
    long notTaken = notTaken();
    return notTaken == Long.MAX_VALUE ? notTaken : notTaken - notCommitted;
  }

  /** The same, as if nothing were claimed. */
  private long notTaken() {
    OptionalLong quota = head.settings().quotaBytes();
    return quota.isEmpty()
        ? Long.MAX_VALUE
        : quota.getAsLong() / BlockPointer.SECTOR_BYTES - head.referencedSectors();
  }

  /**
   * Claims what a change may add, after waiting for commits where there is not as much left. No
   * lock may be held, but shut gates, and no txg joined.
   *
   * @return the sectors claimed, for {@link #count} to change: none where there is no quota
   * @throws FsException QUOTA_EXCEEDED
   */
  long claim(long sectors) throws FsException, PoolSuspendedException {
    if (head.settings().quotaBytes().isEmpty()) {
      return 0;
    }
    await(sectors, () -> tryClaim(sectors));
    return sectors;
  }

  /**
   * Waits for commits until there is as much left as a change will need, which is not claimed. No
   * lock may be held and no txg joined.
   *
   * @throws FsException QUOTA_EXCEEDED
   */
  void require(long sectors) throws FsException, PoolSuspendedException {
    await(sectors, () -> left() >= sectors);
  }

  /**
   * What was overwritten is let go by the next commit, a large file that was deleted by several.
   */
  private void await(long sectors, BooleanSupplier granted)
      throws FsException, PoolSuspendedException {
    int full = 0;
    for (int commits = 0; !granted.getAsBoolean(); commits++) {
      full = notTaken() < sectors ? full + 1 : 0;
      boolean mayComeBack = claimed.get() > 0 && full <= FULL_MAX && commits < COMMITS_MAX;
      if (commits > 0 && reaper.isIdle() && !mayComeBack) {
        throw new FsException(FsError.QUOTA_EXCEEDED);
      }
      txgs.awaitDurable(txgs.openTxg(), () -> false);
    }
  }

  private synchronized boolean tryClaim(long sectors) {
    if (left() < sectors) {
      return false;
    }
    claimed.addAndGet(sectors);
    return true;
  }

  /**
   * A change adds more than it claimed, or less.
   *
   * @param more sectors, negative for what is given back
   */
  void count(long more) {
    if (more != 0) {
      claimed.addAndGet(more);
    }
  }

  /** Sync thread: what was claimed is in the published tree, as far as it was taken. */
  synchronized void settle(long sectors) {
    claimed.addAndGet(-sectors);
  }
}
