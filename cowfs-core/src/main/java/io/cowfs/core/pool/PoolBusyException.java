package io.cowfs.core.pool;

import io.cowfs.core.device.StorageException;

/** Another process has the pool open: try again later, or ask that process. */
public final class PoolBusyException extends StorageException {
  private static final long serialVersionUID = 1L;

  public PoolBusyException(String message) {
    super(message);
  }
}
