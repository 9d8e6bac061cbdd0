package io.cowfs.core.vfs;

/**
 * An operation was refused and has changed nothing. Expected and frequent (a lookup that finds
 * nothing), therefore without a stack trace unless it has a cause.
 */
public final class FsException extends Exception {
  private static final long serialVersionUID = 1L;

  private final FsError error;

  public FsException(FsError error) {
    super(error.text(), null, false, false);
    this.error = error;
  }

  /** An error of the storage below, with its cause kept for the log. */
  public FsException(FsError error, Throwable cause) {
    super(error.text() + ": " + cause.getMessage(), cause);
    this.error = error;
  }

  public FsError error() {
    return error;
  }
}
