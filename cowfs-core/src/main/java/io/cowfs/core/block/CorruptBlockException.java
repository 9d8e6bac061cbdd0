package io.cowfs.core.block;

import io.cowfs.core.device.StorageException;

/** A block does not match its checksum or cannot be decoded: its content is not used. */
public final class CorruptBlockException extends StorageException {
  private static final long serialVersionUID = 1L;

  public CorruptBlockException(String message) {
    super(message);
  }

  public CorruptBlockException(String message, Throwable cause) {
    super(message, cause);
  }
}
