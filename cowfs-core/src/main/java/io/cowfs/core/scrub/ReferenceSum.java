package io.cowfs.core.scrub;

/**
 * Stands for a bag of references to sectors, each with its birth, of whatever size: a sum over
 * hashes, in any order and however ranges are cut. Two bags with equal sums are equal, but for a
 * chance of one in 2^64. Confined to one thread.
 */
final class ReferenceSum {
  private static final long MULTIPLIER_1 = 0xBF58476D1CE4E5B9L;
  private static final long MULTIPLIER_2 = 0x94D049BB133111EBL;
  private static final long INCREMENT = 0x9E3779B97F4A7C15L;

  private final long youngAfterTxg;
  private long sum;
  private long sectors;
  private long youngSectors;

  /**
   * @param youngAfterTxg what was born after it is counted apart
   */
  ReferenceSum(long youngAfterTxg) {
    this.youngAfterTxg = youngAfterTxg;
  }

  void add(long sector, int count, long birthTxg) {
    change(sector, count, birthTxg, 1);
  }

  /** Takes out what was added, or is still to be. */
  void subtract(long sector, int count, long birthTxg) {
    change(sector, count, birthTxg, -1);
  }

  private void change(long sector, int count, long birthTxg, int sign) {
    for (long s = sector; s < sector + count; s++) {
      sum += sign * mixed(mixed(s) + birthTxg);
    }
    sectors += (long) sign * count;
    youngSectors += birthTxg > youngAfterTxg ? (long) sign * count : 0;
  }

  /** The finalizer of SplitMix64 (Steele, Lea and Flood, 2014). */
  private static long mixed(long value) {
    long z = value + INCREMENT;
    z = (z ^ (z >>> 30)) * MULTIPLIER_1;
    z = (z ^ (z >>> 27)) * MULTIPLIER_2;
    return z ^ (z >>> 31);
  }

  boolean equalsSum(ReferenceSum other) {
    return sum == other.sum && sectors == other.sectors;
  }

  long sectors() {
    return sectors;
  }

  /** Of those, the ones that were born after the txg given. */
  long youngSectors() {
    return youngSectors;
  }
}
