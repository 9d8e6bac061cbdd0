package io.cowfs.core.dataset;

import java.io.IOException;
import java.util.Arrays;

/**
 * A growing list of references to ranges of sectors, 16 bytes each. Neighbours on the device with
 * the same birth are joined. Not thread-safe.
 */
final class ReferenceList {
  /** The most sectors in one entry: its count has 16 bits. */
  static final int MAX_SECTORS = 0xffff;

  /** The first sector number too large for an entry: it has 48 bits. */
  static final long SECTOR_LIMIT = 1L << 48;

  private static final int COUNT_BITS = 16;
  private static final int INITIAL_ENTRIES = 16;

  /** Entry i: sector and count packed at 2i, the birth txg at 2i + 1. */
  private long[] packed = new long[2 * INITIAL_ENTRIES];

  private int size;

  /** Receives the entries. */
  @FunctionalInterface
  interface Visitor {
    void reference(long sector, int sectors, long birthTxg) throws IOException;
  }

  /** Adds a reference of one to {@link #MAX_SECTORS} sectors. */
  void add(long sector, int sectors, long birthTxg) {
    if (sector < 0 || sector >= SECTOR_LIMIT || sectors < 1 || sectors > MAX_SECTORS) {
      throw new IllegalArgumentException("no range of sectors: " + sectors + " at " + sector);
    }
    if (size > 0 && joinsLast(sector, sectors, birthTxg)) {
      packed[2 * size - 2] += sectors;
      return;
    }
    if (2 * size == packed.length) {
      packed = Arrays.copyOf(packed, Math.multiplyExact(packed.length, 2));
    }
    packed[2 * size] = sector << COUNT_BITS | sectors;
    packed[2 * size + 1] = birthTxg;
    size++;
  }

  private boolean joinsLast(long sector, int sectors, long birthTxg) {
    int last = size - 1;
    return birth(last) == birthTxg
        && sector(last) + sectors(last) == sector
        && sectors(last) + sectors <= MAX_SECTORS;
  }

  int size() {
    return size;
  }

  long sector(int index) {
    return packed[2 * index] >>> COUNT_BITS;
  }

  int sectors(int index) {
    return (int) (packed[2 * index] & MAX_SECTORS);
  }

  long birth(int index) {
    return packed[2 * index + 1];
  }

  void forEach(Visitor visitor) throws IOException {
    for (int i = 0; i < size; i++) {
      visitor.reference(sector(i), sectors(i), birth(i));
    }
  }

  /** The sectors of the entries born after {@code txg}. */
  long sectorsBornAfter(long txg) {
    long sum = 0;
    for (int i = 0; i < size; i++) {
      if (birth(i) > txg) {
        sum += sectors(i);
      }
    }
    return sum;
  }
}
