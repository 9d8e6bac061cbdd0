package io.cowfs.core.btree;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * The place in a sequence of changes that an update has reached: the next change, and the range it
 * may be inside of. Used by one thread.
 */
final class ChangeCursor {
  private final ChangeSource source;

  /** The next change; all before it were taken. Null at the end. */
  private Change head;

  /** Changes after the next one that were looked at already. */
  private final Deque<Change> ahead = new ArrayDeque<>();

  private boolean atEnd;

  /** The newest range that was taken; it may reach beyond the place. */
  private Change range;

  private Key lastPoint;

  ChangeCursor(ChangeSource source) throws IOException {
    this.source = source;
    head = nextOfSource();
  }

  private Change nextOfSource() throws IOException {
    Change next = atEnd ? null : source.next();
    atEnd = next == null;
    return next;
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
    head = ahead.isEmpty() ? nextOfSource() : ahead.remove();
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

  /**
   * All changes from {@code first} on below {@code upper}, none taken, if they are few and no range
   * is among them; else null.
   *
   * @param bytesMax what they may take in a node
   */
  List<Change> fewPoints(Key first, Key upper, int bytesMax) throws IOException {
    if (range != null && range.last().compareTo(first) >= 0) {
      return null;
    }
    List<Change> points = new ArrayList<>();
    int bytes = 0;
    Iterator<Change> seen = ahead.iterator();
    Change next = head;
    while (next != null && (upper == null || next.key().compareTo(upper) < 0)) {
      bytes += PendingChanges.bytes(next);
      if (next.isRange() || bytes > bytesMax) {
        return null;
      }
      points.add(next);
      next = seen.hasNext() ? seen.next() : lookAhead();
    }
    return points;
  }

  private Change lookAhead() throws IOException {
    Change next = nextOfSource();
    if (next != null) {
      ahead.add(next);
    }
    return next;
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
