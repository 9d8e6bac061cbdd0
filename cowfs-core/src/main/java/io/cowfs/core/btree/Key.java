package io.cowfs.core.btree;

/**
 * A key of 17 bytes, ordered by its parts as unsigned numbers. The tree attaches no meaning to
 * them.
 *
 * @param high most significant eight bytes
 * @param kind one byte, 0 to 255
 * @param low least significant eight bytes
 */
public record Key(long high, int kind, long low) implements Comparable<Key> {
  public static final Key MIN = new Key(0, 0, 0);
  public static final Key MAX = new Key(-1L, 255, -1L);

  /** The greatest key that is less; the least key itself has none, and gives itself. */
  public Key previous() {
    if (low != 0) {
      return new Key(high, kind, low - 1);
    }
    if (kind != 0) {
      return new Key(high, kind - 1, -1L);
    }
    return high == 0 ? this : new Key(high - 1, 255, -1L);
  }

  @Override
  public int compareTo(Key other) {
    int byHigh = Long.compareUnsigned(high, other.high);
    if (byHigh != 0) {
      return byHigh;
    }
    int byKind = Integer.compare(kind, other.kind);
    return byKind != 0 ? byKind : Long.compareUnsigned(low, other.low);
  }
}
