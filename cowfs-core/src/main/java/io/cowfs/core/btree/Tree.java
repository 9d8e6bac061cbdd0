package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.util.Map;

/**
 * A tree as it was when its root was made: an immutable value, thread-safe. It owns nothing; the
 * one who uses it sees to it that no node of it is freed meanwhile.
 *
 * <p>Every method throws {@link io.cowfs.core.block.CorruptBlockException} when a node it needs is
 * damaged.
 */
public final class Tree {
  private final BlockPointer root;
  private final NodeReader reader;

  /**
   * Makes a view; reads nothing.
   *
   * @param root null for the empty tree
   */
  public Tree(BlockPointer root, NodeReader reader) {
    this.root = root;
    this.reader = reader;
  }

  /** Null for the empty tree. */
  public BlockPointer root() {
    return root;
  }

  /** A copy of the value of a key, or null where it has none. */
  public byte[] get(Key key) throws IOException {
    Node leaf = leafAtMost(key);
    if (leaf == null) {
      return null;
    }
    int index = leaf.floor(key);
    return leaf.compareKey(index, key) == 0 ? leaf.value(index) : null;
  }

  /** The item with the greatest key that is at most {@code key}, or null. The value is a copy. */
  public Map.Entry<Key, byte[]> lastAtMost(Key key) throws IOException {
    Node leaf = leafAtMost(key);
    if (leaf == null) {
      return null;
    }
    int index = leaf.floor(key);
    return Map.entry(leaf.key(index), leaf.value(index));
  }

  /**
   * Gives the items from {@code from} to {@code last}, both included, in ascending order.
   *
   * @return false when the visitor wanted no more
   */
  public boolean scan(Key from, Key last, ItemVisitor visitor) throws IOException {
    return root == null || from.compareTo(last) > 0 || scan(openRoot(), from, last, visitor);
  }

  /**
   * Gives nodes and items, children before parents, in ascending order.
   *
   * @param bornAfter subtrees whose pointer was born in this txg or before are left out; -1 for all
   */
  public void walk(long bornAfter, NodeVisitor visitor) throws IOException {
    if (root != null && root.birthTxg() > bornAfter) {
      Node node = openRoot();
      node.validate();
      walk(node, bornAfter, visitor);
    }
  }

  /** How many nodes the tree has; reads all but the leaves. */
  public long nodeCount() throws IOException {
    return root == null ? 0 : nodeCount(openRoot());
  }

  private long nodeCount(Node node) throws IOException {
    if (node.level() <= 1) {
      return node.level() == 0 ? 1 : 1L + node.count();
    }
    long nodes = 1;
    for (int i = 0; i < node.count(); i++) {
      nodes += nodeCount(openChild(node, i));
    }
    return nodes;
  }

  /** Level of the root, or -1 for the empty tree. */
  public int rootLevel() throws IOException {
    return root == null ? -1 : openRoot().level();
  }

  /**
   * Reads the whole tree and checks each node and its place.
   *
   * @return the number of nodes
   * @throws io.cowfs.core.block.CorruptBlockException with the first thing that is wrong
   */
  public long check() throws IOException {
    if (root == null) {
      return 0;
    }
    return check(openRoot(), null);
  }

  Node openRoot() throws IOException {
    return Node.open(reader.readNode(root), root);
  }

  Node openChild(Node parent, int index) throws IOException {
    BlockPointer pointer = parent.child(index);
    Node child = Node.open(reader.readNode(pointer), pointer);
    child.validatePlace(parent.level() - 1, parent.key(index));
    return child;
  }

  /** The leaf with the greatest key that is at most {@code key}: it has at least one such key. */
  private Node leafAtMost(Key key) throws IOException {
    if (root == null) {
      return null;
    }
    Node node = openRoot();
    if (node.compareKey(0, key) > 0) {
      return null;
    }
    while (node.level() > 0) {
      node = openChild(node, Math.max(0, node.floor(key)));
    }
    return node;
  }

  private boolean scan(Node node, Key from, Key last, ItemVisitor visitor) throws IOException {
    int index = Math.max(0, node.floor(from));
    if (node.level() == 0 && node.compareKey(index, from) < 0) {
      index++;
    }
    for (; index < node.count() && node.compareKey(index, last) <= 0; index++) {
      boolean goOn =
          node.level() == 0
              ? visitor.visit(
                  node.key(index), node.bytes(), node.valueOffset(index), node.valueLength(index))
              : scan(openChild(node, index), from, last, visitor);
      if (!goOn) {
        return false;
      }
    }
    return true;
  }

  private void walk(Node node, long bornAfter, NodeVisitor visitor) throws IOException {
    for (int i = 0; i < node.count(); i++) {
      if (node.level() == 0) {
        visitor.item(node.key(i), node.bytes(), node.valueOffset(i), node.valueLength(i));
      } else if (node.childBirthTxg(i) > bornAfter) {
        Node child = openChild(node, i);
        child.validate();
        walk(child, bornAfter, visitor);
      }
    }
    visitor.node(node.pointer(), node.level());
  }

  private long check(Node node, Key upper) throws IOException {
    node.validate();
    node.validateUpper(upper);
    long nodes = 1;
    if (node.level() > 0) {
      for (int i = 0; i < node.count(); i++) {
        nodes += check(openChild(node, i), i + 1 < node.count() ? node.key(i + 1) : upper);
      }
    }
    return nodes;
  }
}
