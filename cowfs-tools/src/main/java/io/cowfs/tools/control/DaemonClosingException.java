package io.cowfs.tools.control;

import java.io.IOException;

/** The daemon is closing its pool and did nothing: start over, the pool will be free soon. */
public final class DaemonClosingException extends IOException {
  private static final long serialVersionUID = 1L;

  public DaemonClosingException() {
    super("the daemon of the pool is ending");
  }
}
