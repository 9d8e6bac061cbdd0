package io.cowfs.core.dataset;

import java.util.Arrays;
import java.util.stream.LongStream;

/**
 * References to single sectors, each with its birth: a bag, for a tree may refer to a sector more
 * than once. Small numbers only.
 */
final class SectorReferences {
  private static final int BIRTH_BITS = 24;

  private long[] packed = new long[64];
  private int size;
  private boolean sorted = true;

  void add(long sector, int sectors, long birthTxg) {
    if (birthTxg >= 1L << BIRTH_BITS) {
      throw new IllegalArgumentException("too many txgs");
    }
    for (long s = sector; s < sector + sectors; s++) {
      push(s << BIRTH_BITS | birthTxg);
    }
  }

  private void push(long reference) {
    if (size == packed.length) {
      packed = Arrays.copyOf(packed, 2 * size);
    }
    packed[size++] = reference;
    sorted = false;
  }

  void addAll(SectorReferences others) {
    for (int i = 0; i < others.size; i++) {
      push(others.packed[i]);
    }
  }

  int size() {
    return size;
  }

  static long sector(long reference) {
    return reference >>> BIRTH_BITS;
  }

  static long birth(long reference) {
    return reference & (1L << BIRTH_BITS) - 1;
  }

  /** Ascending by sector, then by birth. */
  long[] sorted() {
    if (!sorted) {
      Arrays.sort(packed, 0, size);
      sorted = true;
    }
    return Arrays.copyOf(packed, size);
  }

  /** How often each sector is referred to, up to the last that is. */
  int[] countsBySector() {
    long last = LongStream.of(packed).limit(size).map(SectorReferences::sector).max().orElse(-1);
    int[] counts = new int[Math.toIntExact(last + 1)];
    for (int i = 0; i < size; i++) {
      counts[(int) sector(packed[i])]++;
    }
    return counts;
  }

  SectorReferences bornAfter(long txg) {
    return filtered(txg, true);
  }

  SectorReferences notBornAfter(long txg) {
    return filtered(txg, false);
  }

  private SectorReferences filtered(long txg, boolean after) {
    SectorReferences found = new SectorReferences();
    for (int i = 0; i < size; i++) {
      if (birth(packed[i]) > txg == after) {
        found.push(packed[i]);
      }
    }
    return found;
  }

  /** What is here and not in others, each as often as it is here more often. */
  SectorReferences without(SectorReferences others) {
    long[] own = sorted();
    long[] gone = others.sorted();
    SectorReferences left = new SectorReferences();
    int other = 0;
    for (long reference : own) {
      while (other < gone.length && gone[other] < reference) {
        other++;
      }
      if (other < gone.length && gone[other] == reference) {
        other++;
      } else {
        left.push(reference);
      }
    }
    return left;
  }

  @Override
  public String toString() {
    return LongStream.of(sorted())
        .limit(20)
        .mapToObj(reference -> sector(reference) + " born " + birth(reference))
        .toList()
        .toString();
  }
}
