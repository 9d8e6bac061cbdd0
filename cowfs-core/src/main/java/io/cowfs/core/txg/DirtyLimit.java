package io.cowfs.core.txg;

/**
 * How much may be changed and not yet committed.
 *
 * @param bytesMax over this, writers wait
 * @param bytesToSync an open txg with this much is synced without waiting for its time
 * @param intervalMillis a txg with any change is synced after this time
 */
public record DirtyLimit(long bytesMax, long bytesToSync, long intervalMillis) {
  /**
   * 256 MiB in all, txgs of a quarter of it; started early enough to be durable after five seconds.
   */
  public static final DirtyLimit DEFAULT = new DirtyLimit(256L << 20, 64L << 20, 4_500);
}
