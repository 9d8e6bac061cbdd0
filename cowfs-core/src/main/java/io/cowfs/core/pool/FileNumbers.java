package io.cowfs.core.pool;

import java.util.Arrays;

/** Numbers of files, eight bytes each. Belongs to one thread. */
final class FileNumbers {
  private long[] numbers = new long[64];
  private int size;

  void add(long number) {
    if (size == numbers.length) {
      numbers = Arrays.copyOf(numbers, 2 * size);
    }
    numbers[size++] = number;
  }

  int size() {
    return size;
  }

  /** Once all are there. */
  void sort() {
    Arrays.sort(numbers, 0, size);
  }

  /** The least one from a number on; -1 when there is none. */
  long next(long from) {
    int found = Arrays.binarySearch(numbers, 0, size, from);
    int at = found >= 0 ? found : -found - 1;
    return at < size ? numbers[at] : -1;
  }
}
