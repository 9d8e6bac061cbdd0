package io.cowfs.tools.control;

import java.io.IOException;

/** The other side of the control socket is not understood. The message is one line. */
public final class ControlException extends IOException {
  private static final long serialVersionUID = 1L;

  ControlException(String message) {
    super(message);
  }

  ControlException(String message, Throwable cause) {
    super(message, cause);
  }
}
