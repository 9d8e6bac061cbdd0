package io.cowfs.core.block;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Says what was repaired, but not without end when a whole device is bad. Thread-safe. */
final class RepairLog {
  private static final Logger LOG = System.getLogger(GoodCopy.class.getName());
  private static final int LINES_MAX = 20;
  private static final long PERIOD_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final LongSupplier nanoTime;

  // ---- guarded by this
  private long periodStart;
  private int lines;
  private long untold;

  RepairLog(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.periodStart = nanoTime.getAsLong();
  }

  synchronized void warn(String line) {
    long now = nanoTime.getAsLong();
    if (now - periodStart > PERIOD_NANOS) {
      if (untold > 0) {
        LOG.log(Level.WARNING, "{0} more lines about damaged copies were left out", untold);
      }
      periodStart = now;
      lines = 0;
      untold = 0;
    }
    if (lines == LINES_MAX) {
      untold++;
      return;
    }
    lines++;
    LOG.log(Level.WARNING, line);
  }
}
