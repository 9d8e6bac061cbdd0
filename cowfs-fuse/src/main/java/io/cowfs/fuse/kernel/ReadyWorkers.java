package io.cowfs.fuse.kernel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Lets as few workers of a mount wait for requests as keep up with them; the others rest. The
 * kernel wakes the one that has waited longest, so all that wait take turns, each with cold caches
 * and on a processor that may be asleep; and each request that nobody waits for, such as RELEASE,
 * wakes one more.
 *
 * <p>A thread looks every millisecond while there are requests. Where all workers that do not rest
 * are busy, and have served nothing meanwhile, or were so each time it looked, it calls one more.
 * So what a busy worker waits for is served, be it another request: at most two milliseconds later.
 *
 * <p>Thread-safe; shared by the workers of one mount.
 */
final class ReadyWorkers {
  /** So often in a row one too many was there before it rests. */
  private static final int TIMES_TOO_MANY = 64;

  private static final long NANOS_BETWEEN_LOOKS = 1_000_000;
  private static final int LOOKS_WITHOUT_REQUESTS = 10;
  private static final int LOOKS_WITH_ALL_BUSY = 6;

  /** Those that wait for a request, or are about to, and wait for nothing else. */
  private final AtomicInteger ready;

  private final AtomicLong served = new AtomicLong();

  /** How often one too many came since nobody was ready. */
  private final AtomicInteger tooMany = new AtomicInteger();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition call = lock.newCondition();
  private final Condition wake = lock.newCondition();

  /** Whether nobody looks. */
  private volatile boolean asleep;

  /** Guarded by the lock. */
  private int resting;

  /** Of those that rest, how many were called and have not gone yet. Guarded by the lock. */
  private int called;

  private volatile boolean ended;

  /**
   * @param workers of the mount, all ready
   */
  ReadyWorkers(int workers) {
    ready = new AtomicInteger(workers);
  }

  /**
   * Starts the thread that looks, until {@link #end}. To be called before the first worker runs.
   */
  void start() {
    Thread watch = new Thread(this::watch, "fuse-watch");
    watch.setDaemon(true);
    watch.start();
  }

  /** Before a worker that is ready waits for a request: it may have to rest first. */
  void restIfTooMany() {
    if (ready.get() > 1 && tooMany.incrementAndGet() > TIMES_TOO_MANY) {
      tooMany.set(0);
      rest();
    }
  }

  /** When a worker has a request, before it serves it. */
  void busy() {
    if (ready.decrementAndGet() == 0) {
      tooMany.set(0);
      if (asleep) {
        wakeWatch();
      }
    }
  }

  /** When it has served it, before it replies: the next request may come while it still does. */
  void ready() {
    served.incrementAndGet();
    ready.incrementAndGet();
  }

  private void rest() {
    lock.lock();
    try {
      if (ready.decrementAndGet() > 0) {
        resting++;
        while (called == 0 && !ended) {
          call.awaitUninterruptibly();
        }
        called = Math.max(0, called - 1);
        resting--;
      }
      ready.incrementAndGet();
    } finally {
      lock.unlock();
    }
  }

  private void watch() {
    long servedBefore = 0;
    int withoutRequests = 0;
    int withAllBusy = 0;
    while (!ended) {
      if (withoutRequests > LOOKS_WITHOUT_REQUESTS) {
        sleepUntilAllAreBusy();
      } else {
        LockSupport.parkNanos(NANOS_BETWEEN_LOOKS);
      }
      long servedNow = served.get();
      boolean allBusy = ready.get() == 0;
      boolean stuck = servedNow == servedBefore;
      withoutRequests = stuck && !allBusy ? withoutRequests + 1 : 0;
      withAllBusy = allBusy ? withAllBusy + 1 : 0;
      if (allBusy && (stuck || withAllBusy > LOOKS_WITH_ALL_BUSY)) {
        callOne();
      }
      servedBefore = servedNow;
    }
  }

  private void sleepUntilAllAreBusy() {
    lock.lock();
    try {
      // Whoever takes the last that is ready from here on sees that nobody looks.
      asleep = true;
      while (asleep && !ended && ready.get() > 0) {
        wake.awaitUninterruptibly();
      }
      asleep = false;
    } finally {
      lock.unlock();
    }
  }

  private void wakeWatch() {
    lock.lock();
    try {
      asleep = false;
      wake.signal();
    } finally {
      lock.unlock();
    }
  }

  private void callOne() {
    lock.lock();
    try {
      if (resting > called) {
        called++;
        call.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /** A worker has ended: nobody rests any more, so that the others see why. */
  void end() {
    lock.lock();
    try {
      ended = true;
      call.signalAll();
      wake.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** How many rest and were not called, for tests. */
  int resting() {
    lock.lock();
    try {
      return resting - called;
    } finally {
      lock.unlock();
    }
  }
}
