package io.cowfs.core.txg;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * One transaction group, as seen by its members. A member has joined through {@link
 * TransactionGroups#join} and must {@link #leave}, also after an error. Thread-safe.
 */
public final class Txg {
  private final long number;
  private final AtomicInteger members = new AtomicInteger();
  private final AtomicLong dataBytes = new AtomicLong();
  private final AtomicLong itemBytes = new AtomicLong();
  private volatile Thread quiescer;

  Txg(long number) {
    this.number = number;
  }

  /** Counts up by one with each txg of the pool, over its whole life. */
  public long number() {
    return number;
  }

  void enter() {
    members.incrementAndGet();
  }

  /** The member makes no more changes in this txg. */
  public void leave() {
    if (members.decrementAndGet() == 0) {
      Thread waiting = quiescer;
      if (waiting != null) {
        LockSupport.unpark(waiting);
      }
    }
  }

  /** Waits until the last member has left. New ones must be kept out before. */
  void awaitEmpty() {
    quiescer = Thread.currentThread();
    while (members.get() != 0) {
      LockSupport.park(this);
    }
    quiescer = null;
  }

  /** File data that waits in memory. */
  void addData(long bytes) {
    dataBytes.addAndGet(bytes);
  }

  long dataBytes() {
    return dataBytes.get();
  }

  /** Changed items, which are kept on the heap. */
  void addItem(long bytes) {
    itemBytes.addAndGet(bytes);
  }

  long itemBytes() {
    return itemBytes.get();
  }

  boolean isDirty() {
    return itemBytes.get() > 0 || dataBytes.get() > 0;
  }
}
