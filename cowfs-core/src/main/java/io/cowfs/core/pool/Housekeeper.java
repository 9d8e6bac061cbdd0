package io.cowfs.core.pool;

import io.cowfs.core.pool.PoolAdministration.Mode;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/**
 * Carries the schedules of snapshots out while the pool is open, and has checkpoints go that no
 * commit lets go. Thread-safe.
 */
final class Housekeeper implements Closeable {
  private static final Logger LOG = System.getLogger(Housekeeper.class.getName());

  /** Schedules may change, and clocks be set: it looks at least so often. */
  private static final Duration LOOK_INTERVAL = Duration.ofSeconds(20);

  private final PoolAdministration administration;
  private final Retention retention;
  private final Clock clock;
  private final Runnable beforeSnapshot;
  private final Tidying tidying;
  private final Environment.Ending rounds;

  /** Lets go of checkpoints when nothing else is committed. */
  @FunctionalInterface
  interface Tidying {
    void run() throws IOException;
  }

  /**
   * Starts.
   *
   * @param beforeSnapshot has everything that was written reach the pool
   * @param rounds run what it does
   */
  Housekeeper(
      PoolAdministration administration,
      Retention retention,
      Clock clock,
      Runnable beforeSnapshot,
      Tidying tidying,
      Environment.Rounds rounds) {
    this.administration = administration;
    this.retention = retention;
    this.clock = clock;
    this.beforeSnapshot = beforeSnapshot;
    this.tidying = tidying;
    this.rounds = rounds.begin("cowfs-housekeeper", this::untilNextLook, this::look);
  }

  private void look() {
    try {
      if (retention.isDue(clock.instant())) {
        beforeSnapshot.run();
        Pruning done = administration.prune(Mode.EXECUTE);
        LOG.log(
            Level.INFO,
            "schedules: {0} snapshots taken, {1} destroyed",
            done.taken().size(),
            done.destroyed().size());
      }
      tidying.run();
    } catch (IOException | RuntimeException failure) {
      LOG.log(Level.WARNING, "schedules and checkpoints are not looked after", failure);
    }
  }

  private Duration untilNextLook() {
    Instant now = clock.instant();
    return retention
        .nextBoundary(now)
        .map(boundary -> Duration.between(now, boundary).plusMillis(1))
        .filter(until -> until.compareTo(LOOK_INTERVAL) < 0)
        .orElse(LOOK_INTERVAL);
  }

  /** Returns when nothing of it is under way any more. */
  @Override
  public void close() {
    rounds.end();
  }
}
