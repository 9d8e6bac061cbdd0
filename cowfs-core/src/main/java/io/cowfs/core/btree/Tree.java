package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.util.Map;
import java.util.function.Predicate;

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
    if (root == null) {
      return null;
    }
    Node node = openRoot();
    while (node.level() > 0) {
      int pending = node.pendingAt(key);
      if (pending >= 0) {
        Change change = node.pendingChange(pending);
        return change.isPut() ? change.value() : null;
      }
      int child = node.floor(key);
      if (child < 0) {
        return null;
      }
      node = openStored(node, child);
    }
    int index = node.floor(key);
    return index >= 0 && node.compareKey(index, key) == 0 ? node.value(index) : null;
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
   * Reads the nodes that an update of keys in a range would need: so whoever asks for the update
   * hears of damage before it is begun. That a value is pending in the parent is not enough.
   *
   * @param last included
   */
  public void requireReadable(Key from, Key last) throws IOException {
    if (root != null) {
      requireReadable(openRoot(), from, last);
    }
  }

  /** The same for changes that are about to be applied. */
  public void requireReadable(Iterable<Change> changes) throws IOException {
    for (Change change : changes) {
      requireReadable(change.key(), change.isRange() ? change.last() : change.key());
    }
  }

  private void requireReadable(Node node, Key from, Key last) throws IOException {
    if (node.level() == 0) {
      return;
    }
    int first = Math.max(0, node.floor(from));
    for (int i = first; i == first || (i < node.count() && node.compareKey(i, last) <= 0); i++) {
      requireReadable(openStored(node, i), from, last);
    }
  }

  /**
   * Gives nodes and items, children before parents.
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

  /**
   * Gives nodes and items, children before parents, without those of subtrees that are known. A
   * leaf is given although it is known: what is pending for it in its parent may differ.
   *
   * @param known whether a node is known with all below it; asked of nodes above the leaves
   */
  public void walkUnknown(Predicate<BlockPointer> known, NodeVisitor visitor) throws IOException {
    if (root != null) {
      Node node = openRoot();
      node.validate();
      walkUnknown(node, known, visitor);
    }
  }

  private void walkUnknown(Node node, Predicate<BlockPointer> known, NodeVisitor visitor)
      throws IOException {
    if (node.level() > 0 && known.test(node.pointer())) {
      return;
    }
    for (int i = 0; i < node.count(); i++) {
      if (node.level() == 0) {
        visitor.item(node.key(i), node.bytes(), node.valueOffset(i), node.valueLength(i));
      } else if (node.level() == 1 || !known.test(node.child(i))) {
        walkUnknown(openChecked(node, i), known, visitor);
      }
    }
    visitor.node(node.pointer(), node.level());
  }

  /**
   * Whether a node is one of the tree's; reads only what lies above it.
   *
   * @param first the key that its parent has for it; for the root any
   */
  public boolean hasNode(BlockPointer pointer, Key first) throws IOException {
    BlockPointer at = root;
    while (at != null && !at.equals(pointer)) {
      Node node = Node.open(reader.readNode(at), at);
      int child = node.level() == 0 ? -1 : node.floor(first);
      at = child < 0 ? null : node.child(child);
    }
    return at != null;
  }

  /**
   * How many nodes the tree has; reads all but the leaves. What is below a node that is damaged is
   * not counted, unless that is the root.
   */
  public long nodeCount() throws IOException {
    return root == null ? 0 : nodeCount(openRoot());
  }

  private long nodeCount(Node node) throws IOException {
    if (node.level() <= 1) {
      return node.level() == 0 ? 1 : 1L + node.count();
    }
    long nodes = 1;
    for (int i = 0; i < node.count(); i++) {
      nodes += nodeCountBelow(node, i);
    }
    return nodes;
  }

  private long nodeCountBelow(Node parent, int index) {
    try {
      return nodeCount(openChild(parent, index));
    } catch (IOException damaged) {
      return 1;
    }
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

  /** A child as it is stored: without what is pending for it. */
  private Node openStored(Node parent, int index) throws IOException {
    BlockPointer pointer = parent.child(index);
    Node child = Node.open(reader.readNode(pointer), pointer);
    child.validatePlace(parent.level() - 1, parent.key(index));
    return child;
  }

  private Node openChild(Node parent, int index) throws IOException {
    return PendingChanges.apply(openStored(parent, index), parent.pending(index));
  }

  /** Reads a child, with what is pending for it, and checks all of it. */
  Node openChecked(Node parent, int index) throws IOException {
    Node child = openStored(parent, index);
    child.validate();
    return PendingChanges.apply(child, parent.pending(index));
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
              : scanChild(node, index, from, last, visitor);
      if (!goOn) {
        return false;
      }
    }
    return true;
  }

  private boolean scanChild(Node parent, int index, Key from, Key last, ItemVisitor visitor)
      throws IOException {
    Node child = openStored(parent, index);
    int pending = Math.max(parent.firstPending(index), parent.pendingFrom(from));
    int end = parent.firstPending(index + 1);
    return pending < end
        ? scanMerged(child, parent, pending, end, from, last, visitor)
        : scan(child, from, last, visitor);
  }

  /** Scans a leaf together with pending changes in its parent, without making the whole leaf. */
  private static boolean scanMerged(
      Node leaf, Node parent, int pending, int end, Key from, Key last, ItemVisitor visitor)
      throws IOException {
    int item = leaf.floor(from);
    if (item < 0 || leaf.compareKey(item, from) < 0) {
      item++;
    }
    int change = pending;
    boolean goOn = true;
    while (goOn && (item < leaf.count() || change < end)) {
      Key changed = change < end ? parent.pendingKey(change) : null;
      int order = changed == null ? -1 : item == leaf.count() ? 1 : leaf.compareKey(item, changed);
      Key key = order < 0 ? leaf.key(item) : changed;
      if (key.compareTo(last) > 0) {
        return true;
      }
      if (order < 0) {
        goOn = visitor.visit(key, leaf.bytes(), leaf.valueOffset(item), leaf.valueLength(item));
      } else if (!parent.isPendingDelete(change)) {
        int offset = parent.pendingValueOffset(change);
        goOn = visitor.visit(key, parent.bytes(), offset, parent.pendingValueLength(change));
      }
      item += order <= 0 ? 1 : 0;
      change += order >= 0 ? 1 : 0;
    }
    return goOn;
  }

  private void walk(Node node, long bornAfter, NodeVisitor visitor) throws IOException {
    for (int i = 0; i < node.count(); i++) {
      if (node.level() == 0) {
        visitor.item(node.key(i), node.bytes(), node.valueOffset(i), node.valueLength(i));
      } else if (node.childBirthTxg(i) > bornAfter) {
        walk(openChecked(node, i), bornAfter, visitor);
      }
    }
    node.givePendingOfOld(bornAfter, visitor);
    visitor.node(node.pointer(), node.level());
  }

  private long check(Node node, Key upper) throws IOException {
    node.validate();
    node.validateUpper(upper);
    long nodes = 1;
    if (node.level() > 0) {
      for (int i = 0; i < node.count(); i++) {
        Node child = openStored(node, i);
        nodes += check(child, i + 1 < node.count() ? node.key(i + 1) : upper);
        PendingChanges.apply(child, node.pending(i));
      }
    }
    return nodes;
  }
}
