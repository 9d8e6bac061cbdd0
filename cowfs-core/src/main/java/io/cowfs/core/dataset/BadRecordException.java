package io.cowfs.core.dataset;

/**
 * A record of the index is not what it should be. Caught where the file is known, and turned into a
 * {@link io.cowfs.core.device.DamagedPoolException} that names it.
 */
final class BadRecordException extends Exception {
  private static final long serialVersionUID = 1L;

  BadRecordException(String message) {
    super(message);
  }
}
