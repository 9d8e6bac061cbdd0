package io.cowfs.core.fs;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.alloc.SpaceStatus;
import io.cowfs.core.txg.TransactionGroups;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;

/**
 * Promises space to changes before they are accepted, so that a commit never runs out of it. Where
 * space is only waiting for commits, the one who asks waits for them and is not refused.
 * Thread-safe.
 */
final class SpaceBudget {
  /**
   * An orphan is freed by the next commit, its sectors are reusable three later; some more to be
   * sure.
   */
  private static final int COMMITS_TO_WAIT_FOR = 6;

  /**
   * What may go goes by quarters, so this is enough for any number of it. New ones come while
   * others change things: whoever waited for those as well might wait for ever.
   */
  private static final int YIELDS_MAX = 100;

  private final Allocator allocator;
  private final TransactionGroups txgs;
  private final SpaceRelief relief;

  SpaceBudget(Allocator allocator, TransactionGroups txgs, SpaceRelief relief) {
    this.allocator = allocator;
    this.txgs = txgs;
    this.relief = relief;
  }

  /**
   * Reserves sectors, after waiting for commits where these free some. No lock may be held and no
   * txg joined.
   *
   * @throws FsException NO_SPACE
   */
  void reserve(long sectors, ReserveTier tier) throws FsException, IOException {
    int commits = 0;
    int yields = 0;
    while (!allocator.tryReserve(sectors, tier)) {
      boolean givesWay = yields < YIELDS_MAX && relief.giveWay();
      yields += givesWay ? 1 : 0;
      if (givesWay || relief.isFreeing()) {
        commits = 0;
      }
      boolean mayComeBack =
          allocator.status().pending() > 0
              || allocator.status().reserved() > 0
              || txgs.hasBacklog();
      if (commits++ == COMMITS_TO_WAIT_FOR || !(mayComeBack || commits == 1)) {
        throw new FsException(FsError.NO_SPACE);
      }
      txgs.awaitDurable(txgs.openTxg(), () -> false);
    }
  }

  /** Reserves sectors only where that needs no waiting. */
  boolean tryReserve(long sectors, ReserveTier tier) throws IOException {
    return allocator.tryReserve(sectors, tier);
  }

  /**
   * What the sync thread may use beyond all reservations, in sectors; leaves what commits need.
   *
   * @param hostFreeSectors what the host could still give
   */
  long free(long hostFreeSectors) {
    SpaceStatus now = allocator.status();
    long free = Math.min(now.free(), now.backed() + hostFreeSectors);
    return Math.max(0, free - now.reserved() - now.reserve() / 4);
  }

  void unreserve(long sectors) {
    if (sectors != 0) {
      allocator.unreserve(sectors);
    }
  }
}
