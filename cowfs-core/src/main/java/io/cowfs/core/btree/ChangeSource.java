package io.cowfs.core.btree;

import java.io.IOException;
import java.util.Iterator;

/**
 * Gives changes in ascending order of {@link Change#key}, one at a time, so that a change may be
 * made only when it is asked for.
 *
 * <p>Ranges do not overlap each other, and no key has two points. A point may lie inside a range:
 * it wins, as if it came after the range. A range comes before a point with the key it begins at.
 */
@FunctionalInterface
public interface ChangeSource {
  /** The next change, or null at the end. */
  Change next() throws IOException;

  /**
   * Merges ranges with points.
   *
   * @param ranges ascending, without overlaps
   * @param points puts and deletes, ascending
   */
  static ChangeSource merging(Iterator<Change> ranges, Iterator<Change> points) {
    return new ChangeSource() {
      private Change range = ranges.hasNext() ? ranges.next() : null;
      private Change point = points.hasNext() ? points.next() : null;

      @Override
      public Change next() {
        Change result;
        if (range != null && (point == null || range.key().compareTo(point.key()) <= 0)) {
          result = range;
          range = ranges.hasNext() ? ranges.next() : null;
        } else {
          result = point;
          point = points.hasNext() ? points.next() : null;
        }
        return result;
      }
    };
  }

  /** Changes of one kind of order: as the iterator has them. */
  static ChangeSource of(Iterator<Change> changes) {
    return () -> changes.hasNext() ? changes.next() : null;
  }
}
