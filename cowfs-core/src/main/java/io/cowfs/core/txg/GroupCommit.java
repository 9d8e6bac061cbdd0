package io.cowfs.core.txg;

import io.cowfs.core.txg.TransactionGroups.Cut;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Makes durable what was done before a call, for all who ask for it at the same time at once: the
 * first to come writes the log, and those who come meanwhile are served together by the next of
 * them. What cannot be logged is committed.
 *
 * <p>All changes are logged, of whichever file, in whole epochs: so what a crash leaves is what
 * everybody saw at one moment. Thread-safe; the lock is not held over I/O.
 */
final class GroupCommit {
  private final TransactionGroups txgs;
  private final IntentLog log;
  private final DirtyLimit limit;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition done = lock.newCondition();

  // Guarded by the lock.
  private long asked;
  private long served;
  private boolean writing;

  /** How much had been logged when a commit was last asked for. Of the thread that writes. */
  private long appendedAtRequest;

  /**
   * @param limit for what it says of the log
   */
  GroupCommit(TransactionGroups txgs, IntentLog log, DirtyLimit limit) {
    this.txgs = txgs;
    this.log = log;
    this.limit = limit;
  }

  /**
   * Returns when everything is durable that was done before the call.
   *
   * @throws PoolSuspendedException when it will never be
   */
  void save() throws PoolSuspendedException {
    lock.lock();
    try {
      long ticket = ++asked;
      while (served < ticket) {
        if (writing) {
          done.awaitUninterruptibly();
        } else {
          write();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** Serves all who have asked, without the lock. */
  private void write() throws PoolSuspendedException {
    long serving = asked;
    boolean complete = false;
    writing = true;
    lock.unlock();
    try {
      saveAll();
      complete = true;
    } finally {
      lock.lock();
      writing = false;
      if (complete) {
        served = serving;
      }
      done.signalAll();
    }
  }

  private void saveAll() throws PoolSuspendedException {
    Cut cut = txgs.cut();
    List<Txg> epochs = cut.epochs();
    long durable = cut.durableTxg();
    for (int i = epochs.size() - 1; i >= 0; i--) {
      epochs.get(i).awaitEmpty();
      if (epochs.get(i).isLogRefused()) {
        durable = Math.max(durable, epochs.get(i).number());
      }
    }
    if (durable > cut.durableTxg()) {
      txgs.awaitDurable(durable, () -> false);
    }
    long base = durable;
    List<Txg> rest = epochs.stream().filter(epoch -> epoch.number() > base).toList();
    if (!rest.isEmpty()) {
      append(rest, base);
    }
  }

  private void append(List<Txg> epochs, long base) throws PoolSuspendedException {
    long newest = epochs.get(epochs.size() - 1).number();
    boolean appended;
    try {
      appended = log.append(epochs, base);
    } catch (IOException | RuntimeException | Error failure) {
      txgs.suspend(failure);
      throw new PoolSuspendedException("the pool is suspended: " + failure.getMessage(), failure);
    }
    if (!appended) {
      txgs.awaitDurable(newest, () -> false);
      return;
    }
    txgs.logged(epochs);
    long appendedSince = log.bytesAppended() - appendedAtRequest;
    if (log.percentUsed() >= limit.logPercentToSync() || appendedSince >= limit.logBytesToSync()) {
      // Before it is full, so that nobody will have to wait for that commit.
      txgs.requestSync(newest);
      appendedAtRequest = log.bytesAppended();
    }
  }
}
