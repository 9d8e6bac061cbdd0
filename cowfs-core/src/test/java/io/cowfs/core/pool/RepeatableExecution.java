package io.cowfs.core.pool;

import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Takes chance out of a pool with one client that waits for each commit. Then the sync thread and
 * the client take turns: the one waits for the other. Blocks are written by the thread that hands
 * them in. Time stands still, so nothing is committed, punched or cut into pieces because of it.
 */
final class RepeatableExecution {
  private RepeatableExecution() {}

  /**
   * @param rounds run what a pool does again and again
   */
  static Environment.Execution of(long seed, Environment.Rounds rounds) {
    Random random = new Random(seed);
    return new Environment.Execution(
        () -> 0,
        SameThread::new,
        SameThread::new,
        () -> Runnable::run,
        () -> new UUID(random.nextLong(), random.nextLong()),
        rounds);
  }

  /** Runs everything at once. */
  private static final class SameThread extends AbstractExecutorService {
    private boolean ended;

    @Override
    public void execute(Runnable task) {
      task.run();
    }

    @Override
    public void shutdown() {
      ended = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
      ended = true;
      return List.of();
    }

    @Override
    public boolean isShutdown() {
      return ended;
    }

    @Override
    public boolean isTerminated() {
      return ended;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
      return ended;
    }
  }
}
