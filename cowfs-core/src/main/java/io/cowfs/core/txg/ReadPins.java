package io.cowfs.core.txg;

import io.cowfs.core.block.BlockWriter;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.LongSupplier;

/**
 * Holds of readers on whatever was durable when they began: on snapshots, and on the heads of
 * datasets that no volume has open. While a hold of txg N lasts, no space freed after N is used
 * again, so every root that was valid at N can be read in peace, also when its snapshot is
 * destroyed meanwhile.
 *
 * <p>Take the hold first, then look the root up. A hold that is taken while a later txg syncs comes
 * in time: what that txg frees is not reusable before two more are durable. Thread-safe.
 */
public final class ReadPins implements Participant {
  private final LongSupplier durableTxg;
  private final ConcurrentSkipListMap<Long, Integer> counts = new ConcurrentSkipListMap<>();

  ReadPins(LongSupplier durableTxg) {
    this.durableTxg = durableTxg;
  }

  /** One hold. Close it soon: it delays the reuse of freed space. */
  public final class Pin implements AutoCloseable {
    private final long txg;
    private boolean closed;

    private Pin(long txg) {
      this.txg = txg;
    }

    /** The newest txg that was durable when the hold was taken. */
    public long txg() {
      return txg;
    }

    @Override
    public synchronized void close() {
      if (!closed) {
        closed = true;
        counts.computeIfPresent(txg, (key, count) -> count == 1 ? null : count - 1);
      }
    }
  }

  /** Holds everything that is durable now. */
  public Pin pin() {
    long txg = durableTxg.getAsLong();
    counts.merge(txg, 1, Integer::sum);
    return new Pin(txg);
  }

  @Override
  public void freeze(long next) {}

  @Override
  public void sync(long txg, BlockWriter writer) {}

  @Override
  public void published(long txg) {}

  @Override
  public boolean hasBacklog() {
    return false;
  }

  @Override
  public long oldestPinnedTxg() {
    var oldest = counts.firstEntry();
    return oldest == null ? Long.MAX_VALUE : oldest.getKey();
  }
}
