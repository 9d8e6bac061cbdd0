package io.cowfs.core.txg;

import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * One transaction group during one of its epochs, as seen by its members. A new epoch begins
 * whenever the intent log is written: what members did in the one before is in the log as a whole.
 * A member has joined through {@link TransactionGroups#join} and must {@link #leave}, also after an
 * error. Thread-safe.
 */
public final class Txg {
  /** An epoch with more than this is not logged: to commit it is as good. In bytes. */
  public static final int LOGGED_BYTES_MAX = 1 << 20;

  /** What the epochs of a txg have in common. */
  private static final class Totals {
    final long number;
    final AtomicLong dataBytes = new AtomicLong();
    final AtomicLong itemBytes = new AtomicLong();

    /** Those that may have members. */
    final List<Txg> epochs = new CopyOnWriteArrayList<>();

    Totals(long number) {
      this.number = number;
    }
  }

  /** Whether changes are kept for the intent log. */
  enum Logging {
    KEPT,
    REFUSED
  }

  private final Totals totals;
  private final AtomicInteger members = new AtomicInteger();
  private final Queue<Thread> quiescers = new ConcurrentLinkedQueue<>();
  private final Queue<LoggedChange> changes = new ConcurrentLinkedQueue<>();
  private final AtomicInteger changeBytes = new AtomicInteger();
  private volatile Logging logging;

  /** The first epoch of a txg. */
  Txg(long number, Logging logging) {
    this(new Totals(number), logging);
  }

  private Txg(Totals totals, Logging logging) {
    this.totals = totals;
    this.logging = logging;
    totals.epochs.add(this);
  }

  /** The epoch that follows. */
  Txg nextEpoch() {
    return new Txg(totals, Logging.KEPT);
  }

  /** Counts up by one with each txg of the pool, over its whole life. */
  public long number() {
    return totals.number;
  }

  void enter() {
    members.incrementAndGet();
  }

  /** The member makes no more changes in this txg. */
  public void leave() {
    if (members.decrementAndGet() == 0) {
      for (Thread waiting : quiescers) {
        LockSupport.unpark(waiting);
      }
    }
  }

  /** Waits until the last member of the epoch has left. New ones are kept out since before. */
  void awaitEmpty() {
    Thread current = Thread.currentThread();
    quiescers.add(current);
    while (members.get() != 0) {
      LockSupport.park(this);
    }
    quiescers.remove(current);
    totals.epochs.remove(this);
  }

  /** The same for all epochs of the txg. */
  void awaitAllEmpty() {
    totals.epochs.forEach(Txg::awaitEmpty);
  }

  /** File data that waits in memory. */
  void addData(long bytes) {
    totals.dataBytes.addAndGet(bytes);
  }

  long dataBytes() {
    return totals.dataBytes.get();
  }

  /** Changed items, which are kept on the heap. */
  void addItem(long bytes) {
    totals.itemBytes.addAndGet(bytes);
  }

  long itemBytes() {
    return totals.itemBytes.get();
  }

  boolean isDirty() {
    return itemBytes() > 0 || dataBytes() > 0;
  }

  /**
   * True while a change of so many bytes may still be logged: what takes work to describe need not
   * be described otherwise.
   */
  public boolean mayLog(int bytes) {
    boolean room = logging == Logging.KEPT && changeBytes.get() + bytes <= LOGGED_BYTES_MAX;
    if (!room) {
      refuseLog();
    }
    return room;
  }

  /** A member's change is to be logged, after those that were handed in before. */
  public void log(LoggedChange change) {
    if (logging == Logging.REFUSED) {
      return;
    }
    if (changeBytes.addAndGet(change.logBytes()) > LOGGED_BYTES_MAX) {
      refuseLog();
    } else {
      changes.add(change);
    }
  }

  /**
   * What a member does cannot be described for the log: whoever wants anything of this txg to be
   * durable waits for its commit.
   */
  public void refuseLog() {
    logging = Logging.REFUSED;
    changes.clear();
  }

  boolean isLogRefused() {
    return logging == Logging.REFUSED;
  }

  /** Nothing that could be logged was done in this epoch, nor anything that could not. */
  boolean hasNothingToLog() {
    return logging == Logging.KEPT && changes.isEmpty();
  }

  /** In the order in which they were made, as far as that matters. */
  Iterable<LoggedChange> changes() {
    return changes;
  }

  /** What the changes take in the log. */
  int changeBytes() {
    return changeBytes.get();
  }
}
