package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import java.io.IOException;
import java.util.List;

/**
 * A place in a tree: an item, or a subtree that is not opened yet. Each node is checked in full
 * when it is opened. Belongs to one thread.
 *
 * <p>It begins at the root as a whole. Its key never gets smaller.
 */
final class TreeCursor {
  private static final int ITEM = -1;

  private final Tree tree;
  private final Node[] nodes;
  private final int[] indexes;

  /** Nodes that are open; the cursor is in the last one. None while it stands on the root. */
  private int depth;

  /** Null at the end. */
  private Key key;

  TreeCursor(Tree tree) throws IOException {
    this.tree = tree;
    if (tree.root() == null) {
      nodes = new Node[0];
      indexes = new int[0];
      return;
    }
    Node root = tree.openRoot();
    root.validate();
    nodes = new Node[root.level() + 1];
    indexes = new int[root.level() + 1];
    nodes[0] = root;
    key = root.key(0);
  }

  boolean isAtEnd() {
    return key == null;
  }

  /** The key of the item, or the first one of the subtree. */
  Key key() {
    return key;
  }

  /** The level of the root of the subtree, or one that is lower than all for an item. */
  int level() {
    return depth == 0 ? nodes[0].level() : current().level() - 1;
  }

  boolean isItem() {
    return level() == ITEM;
  }

  /** A copy of the item's value. */
  byte[] value() throws IOException {
    return current().value(indexes[depth - 1]);
  }

  /** Whether two cursors stand on subtrees of which both trees have the same. */
  boolean isSameSubtree(TreeCursor other) throws IOException {
    return child().equals(other.child()) && PendingChanges.same(pending(), other.pending());
  }

  private BlockPointer child() throws IOException {
    return depth == 0 ? nodes[0].pointer() : current().child(indexes[depth - 1]);
  }

  private List<Change> pending() throws IOException {
    return depth == 0 ? List.of() : current().pending(indexes[depth - 1]);
  }

  /** Goes past an item, or to what comes first in the subtree. */
  void step() throws IOException {
    if (isItem()) {
      skip();
      return;
    }
    if (depth > 0) {
      nodes[depth] = tree.openChecked(current(), indexes[depth - 1]);
    }
    indexes[depth] = 0;
    depth++;
  }

  /** Goes past the item or the subtree. */
  void skip() throws IOException {
    while (depth > 0 && ++indexes[depth - 1] == current().count()) {
      depth--;
      nodes[depth] = depth == 0 ? nodes[0] : null;
    }
    if (depth == 0) {
      key = null;
      return;
    }
    Key next = current().key(indexes[depth - 1]);
    if (next.compareTo(key) <= 0) {
      throw new CorruptBlockException(
          "tree node at sector %d: its keys lie before those of its left neighbour"
              .formatted(current().pointer().sector()));
    }
    key = next;
  }

  private Node current() {
    return nodes[depth - 1];
  }
}
