package io.cowfs.core.alloc;

import io.cowfs.core.device.StorageException;

/** No space is left for this kind of request: the writer gets ENOSPC, nothing was changed. */
public final class OutOfSpaceException extends StorageException {
  private static final long serialVersionUID = 1L;

  public OutOfSpaceException(String message) {
    super(message);
  }

  public OutOfSpaceException(String message, Throwable cause) {
    super(message, cause);
  }
}
