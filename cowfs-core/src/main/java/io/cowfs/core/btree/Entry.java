package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import java.util.List;

/** What a node consists of, on its way from an old node or a change into a new node. */
abstract sealed class Entry {
  private final Key key;

  private Entry(Key key) {
    this.key = key;
  }

  final Key key() {
    return key;
  }

  /** What it takes in a node. */
  abstract int bytes();

  /** An item of a leaf; its value stays where it is, in an old node or a change. */
  static final class Item extends Entry {
    private final byte[] source;
    private final int offset;
    private final int length;

    Item(Key key, byte[] source, int offset, int length) {
      super(key);
      this.source = source;
      this.offset = offset;
      this.length = length;
    }

    byte[] source() {
      return source;
    }

    int offset() {
      return offset;
    }

    int length() {
      return length;
    }

    @Override
    int bytes() {
      return NodeFormat.LEAF_SLOT_BYTES + length;
    }
  }

  /**
   * A child of an internal node: a node of the old tree, or a new one that may not be written. One
   * of the old tree, if it is a leaf, may have changes that are pending.
   */
  static final class Child extends Entry {
    private final boolean isNew;
    private final List<Change> pending;
    private BlockPointer pointer;

    private Child(Key key, BlockPointer pointer, List<Change> pending, boolean isNew) {
      super(key);
      this.pointer = pointer;
      this.pending = pending;
      this.isNew = isNew;
    }

    static Child existing(Key key, BlockPointer pointer, List<Change> pending) {
      return new Child(key, pointer, pending, false);
    }

    static Child unwritten(Key key) {
      return new Child(key, null, List.of(), true);
    }

    /** The same leaf, with other changes pending. */
    Child withPending(List<Change> changes) {
      return existing(key(), pointer(), changes);
    }

    /** Puts and deletes that the leaf does not have yet, ascending. */
    List<Change> pending() {
      return pending;
    }

    boolean isNew() {
      return isNew;
    }

    void written(BlockPointer at) {
      pointer = at;
    }

    BlockPointer pointer() {
      if (pointer == null) {
        throw new IllegalStateException("a parent is written before its child");
      }
      return pointer;
    }

    @Override
    int bytes() {
      return NodeFormat.CHILD_SLOT_BYTES + PendingChanges.bytes(pending);
    }
  }
}
