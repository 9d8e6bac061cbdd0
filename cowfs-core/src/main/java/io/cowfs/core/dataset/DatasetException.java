package io.cowfs.core.dataset;

import java.io.IOException;

/**
 * A request about datasets or snapshots cannot be carried out; nothing was changed. The message is
 * one line fit for a user.
 */
public final class DatasetException extends IOException {
  private static final long serialVersionUID = 1L;

  /** What the caller may do about it. */
  public enum Reason {
    NOT_FOUND,
    EXISTS,
    INVALID_NAME,
    NAME_TOO_LONG,
    /** Of a property. */
    INVALID_VALUE,
    /** It has snapshots or children, or is in use. */
    BUSY
  }

  private final Reason reason;

  public DatasetException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  public Reason reason() {
    return reason;
  }
}
