package io.cowfs.core.pool;

import io.cowfs.core.device.StorageException;

/** What was asked of the devices of a pool cannot be done; nothing was changed. */
public final class MirrorException extends StorageException {
  private static final long serialVersionUID = 1L;

  MirrorException(String message) {
    super(message);
  }
}
