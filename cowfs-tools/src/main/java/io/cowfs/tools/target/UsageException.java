package io.cowfs.tools.target;

/** A command line that makes no sense whatever there is: wrong usage, and not a failure. */
public final class UsageException extends TargetException {
  private static final long serialVersionUID = 1L;

  public UsageException(String message) {
    super(message);
  }
}
