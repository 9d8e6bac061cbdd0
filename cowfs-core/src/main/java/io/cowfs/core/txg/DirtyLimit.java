package io.cowfs.core.txg;

/**
 * How much may be changed and not yet committed.
 *
 * @param bytesMax with this much file data in memory, writers wait
 * @param bytesToSync an open txg with this much file data is synced without waiting for its time
 * @param itemBytesMax with this much of changed items in the open txg, all changes wait; it is
 *     synced at half of it
 * @param logPercentToSync with this much of the intent log in use, the open txg is synced
 * @param logBytesToSync the same, with this much logged since a sync was last asked for: what is
 *     logged between two commits is to stay within a small part of a large log
 * @param intervalMillis a txg with any change is synced after this time
 */
public record DirtyLimit(
    long bytesMax,
    long bytesToSync,
    long itemBytesMax,
    int logPercentToSync,
    long logBytesToSync,
    long intervalMillis) {
  /**
   * A txg is synced as soon as it has 16 MiB and the one before it is durable, so that the device
   * is idle neither when a program begins to write nor, for long, when it waits at the end; more
   * gathers while the device is the slower one. Data are durable after five seconds.
   */
  public static final DirtyLimit DEFAULT =
      new DirtyLimit(128L << 20, 16L << 20, 32L << 20, 50, 8L << 20, 4_500);

  /** For small machines. */
  public static final DirtyLimit SMALL =
      new DirtyLimit(32L << 20, 8L << 20, 8L << 20, 50, 8L << 20, 4_500);
}
