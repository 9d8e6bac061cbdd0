package io.cowfs.core.fs;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicLong;

/** Goes on by a microsecond whenever somebody looks at it, and can be turned. Thread-safe. */
final class SteadyClock extends Clock {
  private static final long NANOS_PER_TICK = 1_000;

  private final Instant start;
  private final AtomicLong nanos = new AtomicLong();

  SteadyClock(Duration sinceEpoch) {
    start = Instant.EPOCH.plus(sinceEpoch);
  }

  /** Turns it on, or back by a negative duration. */
  void turn(Duration by) {
    nanos.addAndGet(by.toNanos());
  }

  /** What it shows, without a tick. */
  Instant now() {
    return start.plusNanos(nanos.get());
  }

  @Override
  public Instant instant() {
    return start.plusNanos(nanos.addAndGet(NANOS_PER_TICK));
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
