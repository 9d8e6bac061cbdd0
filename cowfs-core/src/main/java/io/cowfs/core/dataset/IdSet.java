package io.cowfs.core.dataset;

import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Iterator;
import java.util.PrimitiveIterator;

/**
 * A set of ids that takes eight bytes for each: an index may have millions of lists, and all of
 * them are known at once while it is opened. Does not change.
 */
final class IdSet extends AbstractSet<Long> {
  private static final int INITIAL_IDS = 16;

  /** Ascending. */
  private final long[] ids;

  private IdSet(long[] ids) {
    this.ids = ids;
  }

  /** Collects ids in any order. */
  static final class Builder {
    private long[] ids = new long[INITIAL_IDS];
    private int size;

    /** Adds an id. The one that was added last may come again, and counts once. */
    void add(long id) {
      if (size > 0 && ids[size - 1] == id) {
        return;
      }
      append(id);
    }

    /** Adds an id that is to be no other's. */
    void append(long id) {
      if (size == ids.length) {
        ids = Arrays.copyOf(ids, Math.addExact(size, size / 2));
      }
      ids[size++] = id;
    }

    /**
     * The set of what was added.
     *
     * @throws BadRecordException with the message given, when an id was added twice
     */
    IdSet build(String duplicate) throws BadRecordException {
      long[] sorted = Arrays.copyOf(ids, size);
      Arrays.sort(sorted);
      for (int i = 1; i < size; i++) {
        if (sorted[i - 1] == sorted[i]) {
          throw new BadRecordException(duplicate);
        }
      }
      return new IdSet(sorted);
    }
  }

  @Override
  public boolean contains(Object id) {
    return id instanceof Long wanted && Arrays.binarySearch(ids, wanted) >= 0;
  }

  @Override
  public Iterator<Long> iterator() {
    PrimitiveIterator.OfLong each = Arrays.stream(ids).iterator();
    return each;
  }

  @Override
  public int size() {
    return ids.length;
  }
}
