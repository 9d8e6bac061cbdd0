package io.cowfs.core.btree;

import io.cowfs.core.block.CorruptBlockException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What can be done with the changes that a parent keeps for a leaf: puts and deletes, ascending by
 * key. Stateless.
 */
final class PendingChanges {
  private PendingChanges() {}

  /** What changes take in a node. */
  static int bytes(List<Change> changes) {
    int bytes = 0;
    for (Change change : changes) {
      bytes += bytes(change);
    }
    return bytes;
  }

  static int bytes(Change change) {
    return NodeFormat.LEAF_SLOT_BYTES + (change.isPut() ? change.value().length : 0);
  }

  /** Whether two lists say the same. */
  static boolean same(List<Change> some, List<Change> others) {
    if (some.size() != others.size()) {
      return false;
    }
    for (int i = 0; i < some.size(); i++) {
      if (!some.get(i).key().equals(others.get(i).key())
          || !Arrays.equals(some.get(i).value(), others.get(i).value())) {
        return false;
      }
    }
    return true;
  }

  /**
   * The leaf as it is with its changes.
   *
   * @throws CorruptBlockException when they do not fit it, which no update leaves behind
   */
  static Node apply(Node leaf, List<Change> changes) throws CorruptBlockException {
    if (changes.isEmpty()) {
      return leaf;
    }
    List<Entry> entries = new ArrayList<>(leaf.count() + changes.size());
    int bytes = 0;
    int next = 0;
    for (int i = 0; i <= leaf.count(); i++) {
      while (next < changes.size()
          && (i == leaf.count() || leaf.compareKey(i, changes.get(next).key()) > 0)) {
        bytes += add(changes.get(next++), entries);
      }
      if (i == leaf.count()) {
        break;
      }
      if (next < changes.size() && leaf.compareKey(i, changes.get(next).key()) == 0) {
        bytes += add(changes.get(next++), entries);
      } else {
        Entry item = leaf.entry(i);
        entries.add(item);
        bytes += item.bytes();
      }
    }
    if (entries.isEmpty() || bytes > NodeFormat.CAPACITY_BYTES) {
      throw new CorruptBlockException(
          "tree node at sector %d: the changes in its parent do not fit it"
              .formatted(leaf.pointer().sector()));
    }
    return Node.open(NodeFormat.encode(0, entries), leaf.pointer());
  }

  private static int add(Change change, List<Entry> entries) {
    if (!change.isPut()) {
      return 0;
    }
    Entry item = new Entry.Item(change.key(), change.value(), 0, change.value().length);
    entries.add(item);
    return item.bytes();
  }

  /** What is pending after newer changes; without what has no effect on the leaf. */
  static List<Change> combine(Node leaf, List<Change> older, List<Change> newer)
      throws CorruptBlockException {
    List<Change> result = new ArrayList<>(older.size() + newer.size());
    int next = 0;
    for (Change change : newer) {
      while (next < older.size() && older.get(next).key().compareTo(change.key()) < 0) {
        result.add(older.get(next++));
      }
      if (next < older.size() && older.get(next).key().equals(change.key())) {
        next++;
      }
      if (hasEffect(leaf, change)) {
        result.add(change);
      }
    }
    result.addAll(older.subList(next, older.size()));
    return result;
  }

  private static boolean hasEffect(Node leaf, Change change) throws CorruptBlockException {
    int index = indexOf(leaf, change.key());
    return change.isPut() ? index < 0 || !leaf.valueEquals(index, change.value()) : index >= 0;
  }

  private static int indexOf(Node leaf, Key key) {
    int index = leaf.floor(key);
    return index >= 0 && leaf.compareKey(index, key) == 0 ? index : -1;
  }

  /**
   * Whether a leaf may stay as it is stored, with these changes in its parent: they are few, its
   * first key stays, and with them it would be a proper leaf.
   *
   * @param changes all that are to be pending, as {@link #combine} gives them
   * @param capacityBytes what entries may take of a node
   */
  static boolean mayStay(Node leaf, List<Change> changes, int capacityBytes)
      throws CorruptBlockException {
    if (changes.isEmpty()) {
      return true;
    }
    Change first = changes.get(0);
    int order = leaf.compareKey(0, first.key());
    if (order > 0
        || (order == 0 && !first.isPut())
        || bytes(changes) > NodeFormat.pendingBytesMax(capacityBytes)) {
      return false;
    }
    int bytes = leaf.usedBytes();
    for (Change change : changes) {
      int index = indexOf(leaf, change.key());
      bytes -= index < 0 ? 0 : NodeFormat.LEAF_SLOT_BYTES + leaf.valueLength(index);
      bytes += change.isPut() ? bytes(change) : 0;
    }
    int least = Math.min(NodeAssembler.leastBytes(capacityBytes), leaf.usedBytes());
    return bytes >= least && bytes <= capacityBytes;
  }
}
