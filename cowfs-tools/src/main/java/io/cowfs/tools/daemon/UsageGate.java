package io.cowfs.tools.daemon;

/** Counts who is using the pool, so that it is closed only behind the last of them. Thread-safe. */
final class UsageGate {
  private int inside;
  private boolean closed;

  /** Enters, unless the gate is closed. */
  synchronized boolean enter() {
    if (closed) {
      return false;
    }
    inside++;
    return true;
  }

  synchronized void leave() {
    inside--;
    notifyAll();
  }

  /** Lets nobody in any more and waits until all have left. */
  synchronized void closeAndAwaitEmpty() throws InterruptedException {
    closed = true;
    while (inside > 0) {
      wait();
    }
  }
}
