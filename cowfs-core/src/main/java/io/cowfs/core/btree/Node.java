package io.cowfs.core.btree;

import static io.cowfs.core.btree.NodeFormat.CHILD_SLOT_BYTES;
import static io.cowfs.core.btree.NodeFormat.HEADER_BYTES;
import static io.cowfs.core.btree.NodeFormat.LEAF_SLOT_BYTES;
import static io.cowfs.core.btree.NodeFormat.MAX_LEVEL;
import static io.cowfs.core.btree.NodeFormat.MAX_VALUE_BYTES;
import static io.cowfs.core.btree.NodeFormat.NODE_BYTES;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A view of the bytes of a node. Immutable, as the bytes are; thread-safe.
 *
 * <p>A view exists only over a node whose header is right. Each access stays within the node
 * whatever the rest of the bytes say; {@link #validate} says whether all of it is right.
 */
public final class Node {
  private final byte[] bytes;
  private final BlockPointer pointer;
  private final int level;
  private final int count;
  private final int slotBytes;

  /** Changes of the leaves below it that these do not have yet; only a parent of leaves has any. */
  private final int pendingCount;

  private Node(byte[] bytes, BlockPointer pointer, int level, int count) {
    this.bytes = bytes;
    this.pointer = pointer;
    this.level = level;
    this.count = count;
    this.slotBytes = slotBytes(level);
    this.pendingCount = NodeFormat.getUnsignedShort(bytes, NodeFormat.PENDING);
  }

  private static int slotBytes(int level) {
    return level == 0 ? LEAF_SLOT_BYTES : CHILD_SLOT_BYTES;
  }

  /**
   * Checks the header.
   *
   * @param pointer where the bytes come from, for messages and for {@link #validate}
   * @throws CorruptBlockException when these bytes are no node
   */
  static Node open(byte[] bytes, BlockPointer pointer) throws CorruptBlockException {
    if (bytes.length != NODE_BYTES
        || NodeFormat.getInt(bytes, NodeFormat.MAGIC) != NodeFormat.MAGIC_VALUE) {
      throw corrupt(pointer, "this is no tree node");
    }
    if (bytes[NodeFormat.VERSION] != NodeFormat.FORMAT_VERSION) {
      throw corrupt(pointer, "unknown version " + bytes[NodeFormat.VERSION]);
    }
    int level = bytes[NodeFormat.LEVEL];
    int count = NodeFormat.getUnsignedShort(bytes, NodeFormat.COUNT);
    if (level < 0 || level > MAX_LEVEL) {
      throw corrupt(pointer, "impossible level " + level);
    }
    int pending = NodeFormat.getUnsignedShort(bytes, NodeFormat.PENDING);
    int slots = count * slotBytes(level) + pending * LEAF_SLOT_BYTES;
    if (count == 0 || HEADER_BYTES + slots > NODE_BYTES) {
      throw corrupt(pointer, "impossible number of entries " + count);
    }
    if (pending > 0 && level != 1) {
      throw corrupt(pointer, "changes are pending for nodes that are no leaves");
    }
    return new Node(bytes, pointer, level, count);
  }

  /**
   * Checks all of a node. To be called once for each node that comes from the device.
   *
   * @throws CorruptBlockException when the bytes are no node or anything in them is impossible
   */
  public static void validate(byte[] bytes, BlockPointer pointer) throws CorruptBlockException {
    open(bytes, pointer).validate();
  }

  /** Checks everything that {@link #open} did not. */
  void validate() throws CorruptBlockException {
    if (!Arrays.equals(
        bytes,
        NodeFormat.RESERVED,
        NodeFormat.RESERVED + NodeFormat.RESERVED_BYTES,
        new byte[NodeFormat.RESERVED_BYTES],
        0,
        NodeFormat.RESERVED_BYTES)) {
      throw corrupt("reserved bytes are not zero");
    }
    int end = pendingSlot(pendingCount);
    for (int i = 0; i < count; i++) {
      if (i > 0 && NodeFormat.compareKey(bytes, slot(i - 1), key(i)) >= 0) {
        throw corrupt("keys are not in order at entry " + i);
      }
      if (level == 0) {
        end = validateValue(slot(i), end);
      } else if (child(i).birthTxg() > pointer.birthTxg()) {
        throw corrupt("child %d is younger than its parent".formatted(i));
      }
    }
    end = validatePending(end);
    if (NodeFormat.getUnsignedShort(bytes, NodeFormat.USED) != end) {
      throw corrupt("%d bytes are used, and not as many as it says".formatted(end));
    }
  }

  /** Returns where the next value belongs. */
  private int validateValue(int slot, int end) throws CorruptBlockException {
    if (valueOffsetAt(slot) != end) {
      throw corrupt("the value at %d is not where it belongs".formatted(end));
    }
    return end + valueLengthAt(slot);
  }

  /** A pending change never takes the first key of its leaf away, nor brings a smaller one. */
  private int validatePending(int first) throws CorruptBlockException {
    int end = first;
    int child = 0;
    int bytesOfChild = 0;
    for (int i = 0; i < pendingCount; i++) {
      Key key = pendingKey(i);
      if (i > 0 && NodeFormat.compareKey(bytes, pendingSlot(i - 1), key) >= 0) {
        throw corrupt("pending changes are not in order at %d".formatted(i));
      }
      while (child + 1 < count && compareKey(child + 1, key) <= 0) {
        child++;
        bytesOfChild = 0;
      }
      int order = compareKey(child, key);
      if (order > 0 || (order == 0 && isPendingDelete(i))) {
        throw corrupt("pending change %d would change the first key of its leaf".formatted(i));
      }
      int next = validateValue(pendingSlot(i), end);
      bytesOfChild += LEAF_SLOT_BYTES + next - end;
      end = next;
      if (bytesOfChild > NodeFormat.pendingBytesMax(NodeFormat.CAPACITY_BYTES)) {
        throw corrupt("too many changes are pending for child %d".formatted(child));
      }
    }
    return end;
  }

  /**
   * Checks that the node is the one its parent means.
   *
   * @param firstKey the key its parent has for it
   */
  void validatePlace(int expectedLevel, Key firstKey) throws CorruptBlockException {
    if (level != expectedLevel) {
      throw corrupt("level %d where %d belongs".formatted(level, expectedLevel));
    }
    if (NodeFormat.compareKey(bytes, HEADER_BYTES, firstKey) != 0) {
      throw corrupt("its first key is not the one in its parent");
    }
  }

  /** Checks that all keys lie below the next one of the parent, if there is one. */
  void validateUpper(Key upper) throws CorruptBlockException {
    if (upper == null) {
      return;
    }
    if (NodeFormat.compareKey(bytes, slot(count - 1), upper) >= 0
        || (pendingCount > 0
            && NodeFormat.compareKey(bytes, pendingSlot(pendingCount - 1), upper) >= 0)) {
      throw corrupt("its last key belongs into the next node");
    }
  }

  BlockPointer pointer() {
    return pointer;
  }

  int level() {
    return level;
  }

  /** At least one. */
  int count() {
    return count;
  }

  byte[] bytes() {
    return bytes;
  }

  Key key(int index) {
    return NodeFormat.key(bytes, slot(index));
  }

  /** Index of the greatest key that is at most {@code key}, or -1. */
  int floor(Key key) {
    return floor(HEADER_BYTES, slotBytes, count, key);
  }

  private int floor(int firstSlot, int slotBytes, int slots, Key key) {
    int low = 0;
    int high = slots - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int comparison = NodeFormat.compareKey(bytes, firstSlot + middle * slotBytes, key);
      if (comparison == 0) {
        return middle;
      }
      if (comparison < 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  /** Order of the key at an index against another one. */
  int compareKey(int index, Key key) {
    return NodeFormat.compareKey(bytes, slot(index), key);
  }

  /** Offset of a value in the node; the bytes up to {@link #valueLength} lie within the node. */
  int valueOffset(int index) throws CorruptBlockException {
    return valueOffsetAt(slot(index));
  }

  int valueLength(int index) throws CorruptBlockException {
    return valueLengthAt(slot(index));
  }

  private int valueOffsetAt(int slot) throws CorruptBlockException {
    int offset = NodeFormat.getUnsignedShort(bytes, slot + NodeFormat.VALUE_OFFSET);
    if (offset < HEADER_BYTES || offset + valueLengthAt(slot) > NODE_BYTES) {
      throw corrupt("the value of the slot at %d lies outside".formatted(slot));
    }
    return offset;
  }

  /** Zero for a change that takes its key away. */
  private int valueLengthAt(int slot) throws CorruptBlockException {
    int length = NodeFormat.getUnsignedShort(bytes, slot + NodeFormat.VALUE_LENGTH);
    if (level > 0 && length == NodeFormat.DELETED_LENGTH) {
      return 0;
    }
    if (length > MAX_VALUE_BYTES) {
      throw corrupt("the slot at %d has a value of %d bytes".formatted(slot, length));
    }
    return length;
  }

  /** A copy of a value. */
  byte[] value(int index) throws CorruptBlockException {
    return valueAt(slot(index));
  }

  private byte[] valueAt(int slot) throws CorruptBlockException {
    int offset = valueOffsetAt(slot);
    return Arrays.copyOfRange(bytes, offset, offset + valueLengthAt(slot));
  }

  boolean valueEquals(int index, byte[] other) throws CorruptBlockException {
    int offset = valueOffset(index);
    return Arrays.equals(bytes, offset, offset + valueLength(index), other, 0, other.length);
  }

  BlockPointer child(int index) throws CorruptBlockException {
    return NodeFormat.child(bytes, slot(index));
  }

  long childBirthTxg(int index) {
    return NodeFormat.childBirthTxg(bytes, slot(index));
  }

  /** Index of the first pending change whose key is at least {@code key}. */
  int pendingFrom(Key key) {
    int floor = floor(pendingSlot(0), LEAF_SLOT_BYTES, pendingCount, key);
    boolean isEqual = floor >= 0 && NodeFormat.compareKey(bytes, pendingSlot(floor), key) == 0;
    return isEqual ? floor : floor + 1;
  }

  /** Index of the first pending change of a child; for the number of children: behind the last. */
  int firstPending(int child) {
    if (pendingCount == 0 || child == 0) {
      return 0;
    }
    return child == count ? pendingCount : pendingFrom(key(child));
  }

  /** Index of the pending change of a key, or -1. */
  int pendingAt(Key key) {
    int index = pendingFrom(key);
    boolean isThere =
        index < pendingCount && NodeFormat.compareKey(bytes, pendingSlot(index), key) == 0;
    return isThere ? index : -1;
  }

  Key pendingKey(int index) {
    return NodeFormat.key(bytes, pendingSlot(index));
  }

  boolean isPendingDelete(int index) {
    int length = NodeFormat.getUnsignedShort(bytes, pendingSlot(index) + NodeFormat.VALUE_LENGTH);
    return length == NodeFormat.DELETED_LENGTH;
  }

  int pendingValueOffset(int index) throws CorruptBlockException {
    return valueOffsetAt(pendingSlot(index));
  }

  int pendingValueLength(int index) throws CorruptBlockException {
    return valueLengthAt(pendingSlot(index));
  }

  /** What is pending for a child, ascending; the values are copies. */
  List<Change> pending(int child) throws CorruptBlockException {
    int from = firstPending(child);
    int to = firstPending(child + 1);
    List<Change> changes = new ArrayList<>(Math.max(0, to - from));
    for (int i = from; i < to; i++) {
      changes.add(pendingChange(i));
    }
    return changes;
  }

  Change pendingChange(int index) throws CorruptBlockException {
    Key key = pendingKey(index);
    return isPendingDelete(index)
        ? Change.delete(key)
        : Change.put(key, valueAt(pendingSlot(index)));
  }

  /** Gives the items that are pending for children of this txg or before. */
  void givePendingOfOld(long bornAfter, NodeVisitor visitor) throws IOException {
    for (int child = 0; pendingCount > 0 && child < count; child++) {
      int end = childBirthTxg(child) > bornAfter ? 0 : firstPending(child + 1);
      for (int i = firstPending(child); i < end; i++) {
        if (!isPendingDelete(i)) {
          visitor.item(pendingKey(i), bytes, pendingValueOffset(i), pendingValueLength(i));
        }
      }
    }
  }

  /** What the entries take of {@link NodeFormat#CAPACITY_BYTES}. */
  int usedBytes() {
    return NodeFormat.getUnsignedShort(bytes, NodeFormat.USED) - HEADER_BYTES;
  }

  Entry entry(int index) throws CorruptBlockException {
    return level == 0
        ? new Entry.Item(key(index), bytes, valueOffset(index), valueLength(index))
        : Entry.Child.existing(key(index), child(index), pending(index));
  }

  private int slot(int index) {
    return HEADER_BYTES + index * slotBytes;
  }

  private int pendingSlot(int index) {
    return slot(count) + index * LEAF_SLOT_BYTES;
  }

  private CorruptBlockException corrupt(String what) {
    return corrupt(pointer, what);
  }

  private static CorruptBlockException corrupt(BlockPointer pointer, String what) {
    return new CorruptBlockException(
        "tree node at sector %d: %s".formatted(pointer.sector(), what));
  }
}
