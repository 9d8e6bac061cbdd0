package io.cowfs.tools.client;

import io.cowfs.core.pool.PoolBusyException;
import io.cowfs.tools.control.DaemonClosingException;
import java.io.IOException;
import java.io.InterruptedIOException;

/** Waits for a pool that another process has for a moment, but not for ever. One thread. */
final class Patience {
  /** One attempt at something that takes an open pool, or the daemon that has it open. */
  interface Attempt<T> {
    /**
     * Tries once.
     *
     * @throws DaemonClosingException when the daemon is about to end: it is tried again
     * @throws PoolBusyException when another process has the pool: it is tried again
     */
    T run() throws IOException;
  }

  private static final long LIMIT_NANOS = 10_000_000_000L;
  private static final long PAUSE_MS = 25;

  private final long deadlineNanos = System.nanoTime() + LIMIT_NANOS;

  /**
   * Tries until nobody is in the way, or the time is up.
   *
   * @return what the attempt that succeeded returned
   * @throws IOException of the last attempt
   */
  static <T> T await(Attempt<T> attempt) throws IOException {
    Patience patience = new Patience();
    while (true) {
      try {
        return attempt.run();
      } catch (DaemonClosingException | PoolBusyException e) {
        patience.pauseOrThrow(e);
      }
    }
  }

  /**
   * Pauses.
   *
   * @throws IOException that which was given, when the time is up
   */
  void pauseOrThrow(IOException reason) throws IOException {
    if (System.nanoTime() >= deadlineNanos) {
      throw reason;
    }
    try {
      Thread.sleep(PAUSE_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
