package io.cowfs.core.device;

import java.io.IOException;

/**
 * Storage failed. The subclasses are named by what the caller does next; each message is one line
 * fit for a user and names the file concerned.
 */
public abstract class StorageException extends IOException {
  private static final long serialVersionUID = 1L;

  protected StorageException(String message) {
    super(message);
  }

  protected StorageException(String message, Throwable cause) {
    super(message, cause);
  }
}
