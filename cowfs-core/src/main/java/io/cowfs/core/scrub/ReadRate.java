package io.cowfs.core.scrub;

/**
 * Spreads reading over time. What was not used for a while is not saved up. Confined to one thread.
 */
final class ReadRate {
  private static final double NANOS_PER_SECOND = 1e9;

  private long freeAtNanos;

  /**
   * Counts what was read.
   *
   * @param bytesPerSecond as it is now
   * @param nowNanos of {@link System#nanoTime}
   * @return until when to wait, in the same time
   */
  long used(long bytes, long bytesPerSecond, long startNanos, long nowNanos) {
    long from = Math.max(freeAtNanos, startNanos);
    freeAtNanos = from + (long) (bytes * NANOS_PER_SECOND / bytesPerSecond);
    return Math.max(nowNanos, freeAtNanos);
  }
}
