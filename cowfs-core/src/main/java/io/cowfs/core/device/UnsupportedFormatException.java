package io.cowfs.core.device;

/**
 * The pool was written by a newer version, or is no pool: it is not opened, nothing was changed.
 */
public final class UnsupportedFormatException extends StorageException {
  private static final long serialVersionUID = 1L;

  public UnsupportedFormatException(String message) {
    super(message);
  }

  public UnsupportedFormatException(String message, Throwable cause) {
    super(message, cause);
  }
}
