package io.cowfs.core.btree;

import static io.cowfs.core.btree.NodeFormat.CHILD_SLOT_BYTES;
import static io.cowfs.core.btree.NodeFormat.HEADER_BYTES;
import static io.cowfs.core.btree.NodeFormat.LEAF_SLOT_BYTES;
import static io.cowfs.core.btree.NodeFormat.MAX_LEVEL;
import static io.cowfs.core.btree.NodeFormat.MAX_VALUE_BYTES;
import static io.cowfs.core.btree.NodeFormat.NODE_BYTES;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import java.util.Arrays;

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

  private Node(byte[] bytes, BlockPointer pointer, int level, int count, int slotBytes) {
    this.bytes = bytes;
    this.pointer = pointer;
    this.level = level;
    this.count = count;
    this.slotBytes = slotBytes;
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
    int slotBytes = level == 0 ? LEAF_SLOT_BYTES : CHILD_SLOT_BYTES;
    if (count == 0 || HEADER_BYTES + count * slotBytes > NODE_BYTES) {
      throw corrupt(pointer, "impossible number of entries " + count);
    }
    return new Node(bytes, pointer, level, count, slotBytes);
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
    int end = HEADER_BYTES + count * slotBytes;
    for (int i = 0; i < count; i++) {
      if (i > 0 && NodeFormat.compareKey(bytes, slot(i - 1), key(i)) >= 0) {
        throw corrupt("keys are not in order at entry " + i);
      }
      if (level == 0) {
        if (valueOffset(i) != end) {
          throw corrupt("value %d is not where it belongs".formatted(i));
        }
        end += valueLength(i);
      } else if (child(i).birthTxg() > pointer.birthTxg()) {
        throw corrupt("child %d is younger than its parent".formatted(i));
      }
    }
    if (NodeFormat.getUnsignedShort(bytes, NodeFormat.USED) != end) {
      throw corrupt("%d bytes are used, and not as many as it says".formatted(end));
    }
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
    if (upper != null && NodeFormat.compareKey(bytes, slot(count - 1), upper) >= 0) {
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
    int low = 0;
    int high = count - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int comparison = NodeFormat.compareKey(bytes, slot(middle), key);
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
    int offset = NodeFormat.getUnsignedShort(bytes, slot(index) + NodeFormat.VALUE_OFFSET);
    if (offset < HEADER_BYTES || offset + valueLength(index) > NODE_BYTES) {
      throw corrupt("value %d lies outside".formatted(index));
    }
    return offset;
  }

  int valueLength(int index) throws CorruptBlockException {
    int length = NodeFormat.getUnsignedShort(bytes, slot(index) + NodeFormat.VALUE_LENGTH);
    if (length > MAX_VALUE_BYTES) {
      throw corrupt("value %d has an impossible length %d".formatted(index, length));
    }
    return length;
  }

  /** A copy of a value. */
  byte[] value(int index) throws CorruptBlockException {
    int offset = valueOffset(index);
    return Arrays.copyOfRange(bytes, offset, offset + valueLength(index));
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

  /** What the entries take of {@link NodeFormat#CAPACITY_BYTES}. */
  int usedBytes() {
    return NodeFormat.getUnsignedShort(bytes, NodeFormat.USED) - HEADER_BYTES;
  }

  Entry entry(int index) throws CorruptBlockException {
    return level == 0
        ? new Entry.Item(key(index), bytes, valueOffset(index), valueLength(index))
        : Entry.Child.existing(key(index), child(index));
  }

  private int slot(int index) {
    return HEADER_BYTES + index * slotBytes;
  }

  private CorruptBlockException corrupt(String what) {
    return corrupt(pointer, what);
  }

  private static CorruptBlockException corrupt(BlockPointer pointer, String what) {
    return new CorruptBlockException(
        "tree node at sector %d: %s".formatted(pointer.sector(), what));
  }
}
