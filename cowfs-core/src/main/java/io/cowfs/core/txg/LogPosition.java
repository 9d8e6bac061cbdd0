package io.cowfs.core.txg;

/**
 * Where the intent log begins that goes beyond a commit.
 *
 * @param sector counted from the first of the log
 * @param sequence the number of the record that lies there, or will
 */
public record LogPosition(int sector, long sequence) {
  /** Of a pool that never logged anything. */
  public static final LogPosition START = new LogPosition(0, 0);

  /**
   * Of a pool that counts as another than it was: no record that the log has from before is of this
   * one.
   *
   * @param txg above all that were ever committed
   */
  public static LogPosition anew(long txg) {
    return new LogPosition(0, txg << Integer.SIZE);
  }
}
