package io.cowfs.core.pool;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.pool.KnownRoots.Newest;
import io.cowfs.core.txg.RootRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Makes the index of a pool anew from the ring of root records, when it is lost or damaged. The
 * newest record whose trees can all be read is used. An index that can be read and is not stale
 * counts as a record, too. Where the ring is whole and a backup of the index is of its newest
 * commit, that is verified and put in place, without a walk.
 *
 * <p>Order: the new index is made beside the old one and renamed into its place; then the ring is
 * mended. The index of an older record counts as the commit after the newest record of the ring, as
 * if that had gone back; so a crash before the ring has that commit's record leaves what a crash
 * after any commit leaves, and at each other point the rebuilding can be run again.
 */
public final class IndexRecovery {
  /**
   * What came of it.
   *
   * @param txg the commit that the pool is at now
   * @param committed when that was
   * @param passedOver newer commits that could not be used, from new to old, a line for each
   * @param damagedIndex what was in place of the index before; null when there was nothing
   * @param source what it was made from
   */
  public record Result(
      long txg, Instant committed, List<String> passedOver, Path damagedIndex, Source source) {}

  /** What an index can be made from. */
  public enum Source {
    /** The backup that was made when the pool was closed. */
    BACKUP,
    /** A walk through everything that a root record leads to. */
    WALK
  }

  private IndexRecovery() {}

  /**
   * Makes the index of a pool that nobody has open.
   *
   * @throws PoolBusyException when a process has it open
   * @throws DamagedPoolException when no root record is whole; nothing was changed then
   */
  public static Result run(Path directory) throws IOException {
    return run(directory, Environment.HOST);
  }

  static Result run(Path directory, Environment environment) throws IOException {
    try (UnopenedPool pool = UnopenedPool.open(directory, environment)) {
      return run(pool);
    }
  }

  private static Result run(UnopenedPool pool) throws IOException {
    KnownRoots roots = pool.roots();
    if (roots.newest() == Newest.BY_RING && !roots.records().isEmpty()) {
      RootRecord newest = roots.records().get(0);
      Optional<UnopenedPool.Restored> restored = pool.restoreBackup(newest);
      if (restored.isPresent()) {
        return new Result(
            newest.txg(),
            Instant.ofEpochMilli(newest.timeMillis()),
            List.of(),
            restored.get().oldIndex(),
            Source.BACKUP);
      }
    }
    List<String> passedOver = new ArrayList<>();
    if (!roots.isNewestKnown()) {
      passedOver.add("a root record is damaged, perhaps that of a newer commit");
    }
    for (RootRecord record : roots.byTrust()) {
      boolean isNewest = roots.isNewestKnown() && record.txg() == roots.newestTxg();
      Instant committed = Instant.ofEpochMilli(record.timeMillis());
      try {
        Path damaged =
            pool.rebuildIndex(
                record, isNewest ? record.txg() : roots.newestTxg() + 1, UnopenedPool.DAMAGED);
        return new Result(record.txg(), committed, List.copyOf(passedOver), damaged, Source.WALK);
      } catch (CorruptBlockException damage) {
        passedOver.add(
            "commit %d of %s: %s".formatted(record.txg(), committed, damage.getMessage()));
      }
    }
    throw new DamagedPoolException(
        "%s: no root record is whole%s"
            .formatted(
                pool.deviceName(),
                passedOver.isEmpty() ? "" : "; " + passedOver.get(passedOver.size() - 1)));
  }
}
