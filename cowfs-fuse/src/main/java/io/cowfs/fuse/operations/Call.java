package io.cowfs.fuse.operations;

import io.cowfs.core.vfs.Caller;
import io.cowfs.fuse.wire.Request;

/**
 * A worker's request in progress. Owned by the worker; {@link #interrupt} alone may be called by
 * other threads.
 */
public final class Call {
  private static final long NONE = 0;

  private final Request request;

  /** The unique of the request that runs now. */
  private volatile long running = NONE;

  /**
   * The unique of the request that was interrupted last: a late interrupt hits no other request.
   */
  private volatile long interrupted = NONE;

  public Call(Request request) {
    this.request = request;
  }

  Request request() {
    return request;
  }

  void begin() {
    running = request.unique();
  }

  void end() {
    running = NONE;
  }

  boolean isRunning() {
    return running != NONE;
  }

  /** Tells the request with this unique, when it runs here, that its caller no longer waits. */
  boolean interrupt(long unique) {
    if (running != unique) {
      return false;
    }
    interrupted = unique;
    return true;
  }

  Caller caller() {
    return caller(0);
  }

  Caller caller(int umask) {
    long unique = request.unique();
    return new Caller(
        request.uid(), request.gid(), request.pid(), umask, () -> interrupted == unique);
  }
}
