package io.cowfs.core.txg;

/**
 * How much may be changed and not yet committed.
 *
 * @param bytesMax with this much file data in memory, writers wait
 * @param bytesToSync an open txg with this much file data is synced without waiting for its time
 * @param itemBytesMax with this much of changed items in the open txg, all changes wait; it is
 *     synced at half of it
 * @param logPercentToSync with this much of the intent log in use, the open txg is synced
 * @param intervalMillis a txg with any change is synced after this time
 */
public record DirtyLimit(
    long bytesMax, long bytesToSync, long itemBytesMax, int logPercentToSync, long intervalMillis) {
  /**
   * Two txgs of 64 MiB: one is written while the next one fills. They are synced early enough to be
   * durable after five seconds.
   */
  public static final DirtyLimit DEFAULT =
      new DirtyLimit(128L << 20, 64L << 20, 32L << 20, 50, 4_500);

  /** A quarter of it. */
  public static final DirtyLimit SMALL = new DirtyLimit(32L << 20, 8L << 20, 8L << 20, 50, 4_500);
}
