package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.FsException;
import io.cowfs.fuse.errno.Errno;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * What stands around every callback. A throwable that left a callback would be dropped by the
 * library, and the callback's result would be 0, which means success: so none does. Thread-safe.
 */
final class CallGate {
  private static final System.Logger LOG = System.getLogger(CallGate.class.getName());

  /** Held shared by calls under way, and exclusively once closed. */
  private final ReadWriteLock calls = new ReentrantReadWriteLock(true);

  private volatile boolean closed;

  /** What a callback does. */
  @FunctionalInterface
  interface Body {
    /** 0 or a count. */
    int run() throws FsException;
  }

  /** Runs the body: its result, or a negated errno. */
  int answer(String operation, Body body) {
    Lock call = calls.readLock();
    if (closed || !call.tryLock()) {
      return -Errno.ENOTCONN;
    }
    try {
      return body.run();
    } catch (FsException e) {
      return -Errno.of(e.error());
    } catch (Throwable e) {
      log(operation, e);
      return -Errno.EIO;
    } finally {
      call.unlock();
    }
  }

  private static void log(String operation, Throwable e) {
    try {
      LOG.log(System.Logger.Level.ERROR, "a request of the kernel (" + operation + ") failed", e);
    } catch (Throwable unreported) {
      e.addSuppressed(unreported);
    }
  }

  /** Refuses all further calls, and returns when none is under way any more. */
  void close() {
    closed = true;
    Lock all = calls.writeLock();
    all.lock();
    try {
      LOG.log(System.Logger.Level.DEBUG, "no request is under way any more");
    } finally {
      all.unlock();
    }
  }
}
