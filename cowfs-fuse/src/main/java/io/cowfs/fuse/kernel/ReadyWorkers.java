package io.cowfs.fuse.kernel;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;

/**
 * Lets as few workers of a mount wait for requests as keep up with them; the others rest. The
 * kernel wakes the one that has waited longest, so all that wait take turns, each with cold caches
 * and on a processor that may be asleep; and each request that no program waits for, such as
 * RELEASE, wakes one more.
 *
 * <p><b>Nobody is left waiting.</b> A worker may be held up for long, also by another request: in
 * what it does, and in its reply, for the kernel does there what it has put off. So a thread looks
 * every millisecond, from when nobody waits for requests until nothing is served for a while. Where
 * nobody waits and nothing was served since the last look, it calls workers that rest: one, then
 * two, then four, and so on. It calls as well where most times it looked there were requests that
 * nobody had read: there is more to do than those that are awake can.
 *
 * <p>Thread-safe; shared by the workers of one mount.
 */
final class ReadyWorkers {
  /** So often in a row one too many comes before one rests. */
  private static final int TIMES_TOO_MANY = 64;

  private static final long NANOS_BETWEEN_LOOKS = 1_000_000;

  /** At which nothing was served and somebody waited, before the thread sleeps. */
  private static final int QUIET_LOOKS = 10;

  /**
   * The load rises by this with each look at which there are requests that nobody has read, and
   * falls with each other one: it grows where that is more than seven of ten. One program alone
   * makes it half of them, for to wake a worker takes as long as to serve a request.
   */
  private static final int LOAD_RISE = 3;

  private static final int LOAD_FALL = 7;

  /** From this load on none may rest. */
  private static final int LOAD_PRESSED = 18;

  /** At this load, its highest, one is called at each look. */
  private static final int LOAD_MAX = 48;

  private static final int CALLS_MAX = 16;

  /** Those that wait for a request, or are about to. */
  private final AtomicInteger waiting = new AtomicInteger();

  /** Those, and the ones that reply or begin: they most likely wait for a request soon. */
  private final AtomicInteger ready;

  private final BooleanSupplier hasRequest;
  private final AtomicLong served = new AtomicLong();

  /** How often one too many came since nobody was ready. */
  private final AtomicInteger tooMany = new AtomicInteger();

  /** Whether those that are awake have more than enough to do. */
  private volatile boolean pressed;

  /** Whether nobody looks. */
  private volatile boolean asleep;

  private volatile boolean ended;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition call = lock.newCondition();
  private final Condition wake = lock.newCondition();

  /** Guarded by the lock. */
  private int resting;

  /** Of those that rest, how many were called and have not gone yet. Guarded by the lock. */
  private int called;

  private final Thread watch = new Thread(this::watch, "fuse-watch");

  /**
   * @param workers of the mount
   * @param hasRequest whether there is a request that nobody has read yet; asked by one thread
   */
  ReadyWorkers(int workers, BooleanSupplier hasRequest) {
    ready = new AtomicInteger(workers);
    this.hasRequest = hasRequest;
  }

  /**
   * Starts the thread that looks, until {@link #end}. To be called before the first worker runs.
   */
  void start() {
    watch.setDaemon(true);
    watch.start();
  }

  /** Before a worker waits for a request: it may have to rest first. */
  void beforeRequest() {
    waiting.incrementAndGet();
    if (ready.get() > 1 && !pressed && tooMany.incrementAndGet() > TIMES_TOO_MANY) {
      tooMany.set(0);
      rest();
    }
  }

  /** Whether nobody waits for a request but the worker that asks, between those two calls. */
  boolean onlyOneWaits() {
    return waiting.get() == 1;
  }

  /** When a worker has a request, before it serves it. */
  void afterRequest() {
    if (ready.decrementAndGet() == 0) {
      tooMany.set(0);
    }
    if (waiting.decrementAndGet() == 0 && asleep) {
      wakeWatch();
    }
  }

  /**
   * When a worker has served a request, before it replies: as a rule the program has sent the next
   * one before the reply has come back, and it is this worker's as well as anybody's.
   */
  void beforeReply() {
    served.incrementAndGet();
    ready.incrementAndGet();
  }

  private void rest() {
    lock.lock();
    try {
      // The last one that waits does not rest.
      if (waiting.decrementAndGet() > 0) {
        ready.decrementAndGet();
        resting++;
        while (called == 0 && !ended) {
          call.awaitUninterruptibly();
        }
        called = Math.max(0, called - 1);
        resting--;
        ready.incrementAndGet();
      }
      waiting.incrementAndGet();
    } finally {
      lock.unlock();
    }
  }

  private void watch() {
    try {
      long servedBefore = 0;
      int quiet = 0;
      int load = 0;
      int calls = 1;
      while (!ended) {
        if (quiet == QUIET_LOOKS) {
          sleepUntilNobodyWaits();
          quiet = 0;
        } else {
          boolean none = waiting.get() == 0;
          boolean servedNothing = served.get() == servedBefore;
          boolean unread = hasRequest.getAsBoolean();
          quiet = servedNothing && !none && !unread ? quiet + 1 : 0;
          load = Math.min(LOAD_MAX, Math.max(0, load + (unread ? LOAD_RISE : -LOAD_FALL)));
          pressed = load >= LOAD_PRESSED;
          if (none && servedNothing) {
            call(calls);
            calls = Math.min(2 * calls, CALLS_MAX);
          } else {
            call(load == LOAD_MAX ? 1 : 0);
            calls = 1;
          }
        }
        servedBefore = served.get();
        LockSupport.parkNanos(NANOS_BETWEEN_LOOKS);
      }
    } finally {
      end();
    }
  }

  private void sleepUntilNobodyWaits() {
    lock.lock();
    try {
      // Whoever takes the last that waits from here on sees that nobody looks.
      asleep = true;
      while (asleep && !ended && waiting.get() > 0) {
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

  /** So many are on their way then, or all that rest. */
  private void call(int workers) {
    if (workers == 0) {
      return;
    }
    lock.lock();
    try {
      while (called < workers && resting > called) {
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

  /** Waits, after {@link #end}, until nobody asks for requests any more: some milliseconds. */
  void awaitEnd() {
    boolean interrupted = false;
    while (watch.isAlive()) {
      try {
        watch.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
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
