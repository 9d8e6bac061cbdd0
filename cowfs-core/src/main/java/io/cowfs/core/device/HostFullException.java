package io.cowfs.core.device;

/** The file system below the pool has no space left. */
public final class HostFullException extends StorageException {
  private static final long serialVersionUID = 1L;

  public HostFullException(String message, Throwable cause) {
    super(message, cause);
  }
}
