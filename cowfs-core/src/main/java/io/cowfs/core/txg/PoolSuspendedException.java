package io.cowfs.core.txg;

import io.cowfs.core.device.StorageException;

/**
 * A write or sync of the pool failed earlier: nothing is changed any more until it is opened again.
 */
public final class PoolSuspendedException extends StorageException {
  private static final long serialVersionUID = 1L;

  public PoolSuspendedException(String message) {
    super(message);
  }

  public PoolSuspendedException(String message, Throwable cause) {
    super(message, cause);
  }
}
