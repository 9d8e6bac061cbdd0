package io.cowfs.core.pool;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** Stands still until it is turned. Thread-safe. */
final class TurnedClock extends Clock {
  private volatile Instant now = Instant.parse("2026-11-24T10:00:00.100Z");

  /** Turns it on, or back by a negative duration. For one thread. */
  void turn(Duration by) {
    now = now.plus(by);
  }

  @Override
  public Instant instant() {
    return now;
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    throw new UnsupportedOperationException();
  }
}
