package io.cowfs.core.device;

/**
 * A file of the pool (label, ring, index) is damaged: the pool is not opened, nothing was changed.
 */
public class DamagedPoolException extends StorageException {
  private static final long serialVersionUID = 1L;

  public DamagedPoolException(String message) {
    super(message);
  }

  public DamagedPoolException(String message, Throwable cause) {
    super(message, cause);
  }
}
