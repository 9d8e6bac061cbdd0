package io.cowfs.core.btree;

import java.io.IOException;

/**
 * The place in a sequence of changes that an update has reached: the next change, and the range it
 * may be inside of. Used by one thread.
 */
final class ChangeCursor {
  private final ChangeSource source;

  /** The next change; all before it were taken. Null at the end. */
  private Change head;

  /** The newest range that was taken; it may reach beyond the place. */
  private Change range;

  private Key lastPoint;

  ChangeCursor(ChangeSource source) throws IOException {
    this.source = source;
    head = source.next();
  }

  /** The next change if it begins below {@code upper} (null: no limit), else null. */
  Change headBelow(Key upper) {
    return head != null && (upper == null || head.key().compareTo(upper) < 0) ? head : null;
  }

  /** Goes past the next change. */
  void take() throws IOException {
    if (head.isRange()) {
      range = head;
    } else {
      lastPoint = head.key();
    }
    head = source.next();
    if (head != null) {
      verifyOrder();
    }
  }

  /** Takes the ranges that begin at or before {@code key}, if they are next. */
  void takeRangesTo(Key key) throws IOException {
    while (head != null && head.isRange() && head.key().compareTo(key) <= 0) {
      take();
    }
  }

  /** Whether a range that was taken deletes the key. */
  boolean deletes(Key key) {
    return range != null && range.key().compareTo(key) <= 0 && range.last().compareTo(key) >= 0;
  }

  /** Whether anything may change from {@code first} on below {@code upper}. */
  boolean touches(Key first, Key upper) {
    return headBelow(upper) != null || (range != null && range.last().compareTo(first) >= 0);
  }

  /** Whether everything from {@code first} on below {@code upper} is deleted by one range. */
  boolean deletesAll(Key first, Key upper) {
    return upper != null
        && headBelow(upper) == null
        && deletes(first)
        && range.last().compareTo(upper) >= 0;
  }

  private void verifyOrder() {
    boolean afterPoints = lastPoint == null || head.key().compareTo(lastPoint) > 0;
    Key limit = range == null ? null : head.isRange() ? range.last() : range.key();
    boolean afterRange = limit == null || head.key().compareTo(limit) >= (head.isRange() ? 1 : 0);
    if (!afterPoints || !afterRange) {
      throw new IllegalStateException(
          "changes out of order: %s after point %s and range %s".formatted(head, lastPoint, range));
    }
  }
}
