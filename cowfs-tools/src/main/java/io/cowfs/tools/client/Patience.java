package io.cowfs.tools.client;

import java.io.IOException;
import java.io.InterruptedIOException;

/** Waits for a pool that another process has for a moment, but not for ever. One thread. */
final class Patience {
  private static final long LIMIT_NANOS = 10_000_000_000L;
  private static final long PAUSE_MS = 25;

  private final long deadlineNanos = System.nanoTime() + LIMIT_NANOS;

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
