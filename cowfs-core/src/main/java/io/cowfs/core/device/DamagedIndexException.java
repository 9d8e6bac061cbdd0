package io.cowfs.core.device;

/**
 * The index of a pool is damaged, lost or stale, or the ring of root records is damaged: both can
 * be made anew from what is left.
 */
public final class DamagedIndexException extends DamagedPoolException {
  private static final long serialVersionUID = 1L;

  public DamagedIndexException(String message) {
    super(message);
  }

  public DamagedIndexException(String message, Throwable cause) {
    super(message, cause);
  }
}
