package io.cowfs.core.vfs;

import java.time.Instant;

/**
 * A point in time.
 *
 * @param seconds since the epoch, may be negative
 * @param nanos 0 to 999,999,999
 */
public record Timestamp(long seconds, int nanos) implements Comparable<Timestamp> {
  private static final int NANOS_PER_SECOND = 1_000_000_000;

  public static Timestamp of(Instant instant) {
    return new Timestamp(instant.getEpochSecond(), instant.getNano());
  }

  /** False when the nanoseconds are out of their range. */
  public boolean isValid() {
    return nanos >= 0 && nanos < NANOS_PER_SECOND;
  }

  @Override
  public int compareTo(Timestamp other) {
    int bySeconds = Long.compare(seconds, other.seconds);
    return bySeconds != 0 ? bySeconds : Integer.compare(nanos, other.nanos);
  }
}
