package io.cowfs.core.alloc;

import java.io.Closeable;
import java.io.IOException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Gives freed space back to the host in the background. Owns one thread, which starts its work a
 * moment after the pool was opened, so that short commands are not burdened with it.
 *
 * <p>An error of the host ends the work and is reported once: space that is not given back is no
 * loss of data.
 */
public final class SpacePuncher implements Closeable {
  private static final long START_MILLIS = 3_000;
  private static final long PAUSE_MILLIS = 200;
  private static final long BYTES_AT_ONCE = 128L << 20;

  private final Allocator allocator;
  private final LongSupplier nanoTime;
  private final Consumer<IOException> onError;
  private final Thread thread;
  private final Object signal = new Object();
  private boolean closed;
  private boolean failed;

  /**
   * Starts the thread.
   *
   * @param nanoTime by which it pauses, as {@link System#nanoTime}
   * @param onError called at most once
   */
  public SpacePuncher(Allocator allocator, LongSupplier nanoTime, Consumer<IOException> onError) {
    this.allocator = allocator;
    this.nanoTime = nanoTime;
    this.onError = onError;
    thread = new Thread(this::run, "cowfs-punch");
    thread.setDaemon(true);
    thread.start();
  }

  private void run() {
    long pause = START_MILLIS;
    try {
      while (!pause(pause)) {
        allocator.punchSome(BYTES_AT_ONCE);
        pause = PAUSE_MILLIS;
      }
    } catch (IOException e) {
      fail(e);
    }
  }

  /** Waits; not by interrupts, which would close the device. Returns whether to end. */
  private boolean pause(long millis) {
    long end = nanoTime.getAsLong() + millis * 1_000_000;
    synchronized (signal) {
      while (!closed) {
        long left = (end - nanoTime.getAsLong()) / 1_000_000;
        if (left <= 0) {
          return false;
        }
        try {
          signal.wait(left);
        } catch (InterruptedException e) {
          return true;
        }
      }
      return true;
    }
  }

  private void fail(IOException e) {
    synchronized (signal) {
      if (failed) {
        return;
      }
      failed = true;
    }
    onError.accept(e);
  }

  /**
   * Ends the thread, then gives back everything that is free. For closing a pool that was
   * committed: nothing may be allocated any more.
   */
  @Override
  public void close() {
    stop();
    try {
      allocator.punchAll();
    } catch (IOException e) {
      fail(e);
    }
  }

  /** Ends the thread and leaves free space as it is: for a pool that failed. */
  public void stop() {
    synchronized (signal) {
      closed = true;
      signal.notifyAll();
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
