package io.cowfs.core.dataset;

import io.cowfs.core.device.StorageException;

/** LMDB refused an operation on the index: the pool cannot commit, what was durable stays. */
public final class CatalogException extends StorageException {
  private static final long serialVersionUID = 1L;

  public CatalogException(String message) {
    super(message);
  }

  public CatalogException(String message, Throwable cause) {
    super(message, cause);
  }
}
