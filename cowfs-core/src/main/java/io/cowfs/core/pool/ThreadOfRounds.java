package io.cowfs.core.pool;

import java.time.Duration;
import java.util.function.Supplier;

/** Does something again and again on a thread of its own, until it is ended. Thread-safe. */
final class ThreadOfRounds {
  private final Supplier<Duration> untilNext;
  private final Runnable round;
  private final Thread thread;

  /** Guarded by this. */
  private boolean ended;

  private ThreadOfRounds(String name, Supplier<Duration> untilNext, Runnable round) {
    this.untilNext = untilNext;
    this.round = round;
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
  }

  /** As {@link Environment.Rounds#begin} has it. */
  static Environment.Ending start(String name, Supplier<Duration> untilNext, Runnable round) {
    ThreadOfRounds started = new ThreadOfRounds(name, untilNext, round);
    started.thread.start();
    return started::end;
  }

  private void run() {
    while (awaitNext()) {
      round.run();
    }
  }

  @SuppressWarnings("WaitNotInLoop") // A round too many does no harm.
  private synchronized boolean awaitNext() {
    Duration wait = untilNext.get();
    try {
      if (!ended) {
        wait(Math.max(1, wait.toMillis()));
      }
    } catch (InterruptedException e) {
      return false;
    }
    return !ended;
  }

  /** Returns when nothing of it is under way any more. */
  private void end() {
    synchronized (this) {
      ended = true;
      notifyAll();
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
