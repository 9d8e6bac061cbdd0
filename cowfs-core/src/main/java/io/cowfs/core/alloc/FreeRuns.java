package io.cowfs.core.alloc;

/**
 * The runs of free sectors of a device at one moment. What was freed and waits for commits is not
 * free. Immutable; the arrays are the receiver's to read only.
 *
 * @param runs how many there are of 2^i sectors and more, but less than 2^(i+1), by i; the one
 *     behind everything that is in use is not among them
 * @param sectors the sectors in those runs
 * @param largest the longest of those runs
 * @param behind free sectors behind everything that is in use
 */
public record FreeRuns(long[] runs, long[] sectors, long largest, long behind) {
  /** The longest run there can be is shorter than 2 to this power, in sectors. */
  public static final int POWERS = 52;

  /** Receives runs one by one. */
  static final class Counter {
    private final long[] runs = new long[POWERS];
    private final long[] sectors = new long[POWERS];
    private long largest;

    void add(long length) {
      if (length > 0) {
        int power = Long.SIZE - 1 - Long.numberOfLeadingZeros(length);
        runs[power]++;
        sectors[power] += length;
        largest = Math.max(largest, length);
      }
    }

    FreeRuns with(long behind) {
      return new FreeRuns(runs, sectors, largest, behind);
    }
  }
}
