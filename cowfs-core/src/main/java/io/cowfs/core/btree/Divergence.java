package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares a tree with an older state of it by their references: which nodes only the newer tree
 * has, and which only the older one. What both have is not read. The births tell them apart: what
 * the newer tree has and was not born after the older state must be in that, too.
 *
 * <p>A leaf that both have may have other changes pending in each. Then its items are given as
 * those of both, as if each had a leaf of its own, but the leaf itself is not.
 *
 * <p>Keeps in memory the pointers at which the newer tree meets the older one, with what is pending
 * there. Belongs to one thread.
 */
public final class Divergence {
  /** Gets what only one of the trees has, children before parents. */
  public interface Visitor {
    /** A node of the newer tree that was born after the older state, and its items. */
    NodeVisitor joined();

    /** A node of the older tree that the newer one has no more, and its items. */
    NodeVisitor left();

    /** The newer tree refers to a node as old as the older state, which does not have it. */
    void foreign(BlockPointer node) throws IOException;
  }

  private final NodeReader reader;
  private final Visitor visitor;

  /** What the newer tree has of the older one, with the changes that are pending in the newer. */
  private final Map<BlockPointer, List<Change>> common = new HashMap<>();

  private Divergence(NodeReader reader, Visitor visitor) {
    this.reader = reader;
    this.visitor = visitor;
  }

  /**
   * Compares.
   *
   * @param older root of the older state; null for none
   * @param olderTxg its txg; 0 for none
   * @param newer null for the empty tree
   * @throws io.cowfs.core.block.CorruptBlockException when a node that was needed is damaged
   */
  public static void run(
      BlockPointer older, long olderTxg, BlockPointer newer, NodeReader reader, Visitor visitor)
      throws IOException {
    Divergence divergence = new Divergence(reader, visitor);
    if (newer != null) {
      divergence.walkNewer(newer, List.of(), olderTxg, null, -1);
    }
    if (older != null) {
      divergence.walkOlder(older, List.of(), null, -1);
    }
    for (BlockPointer node : divergence.common.keySet()) {
      visitor.foreign(node);
    }
  }

  private void walkNewer(
      BlockPointer pointer, List<Change> pending, long olderTxg, Key firstKey, int level)
      throws IOException {
    if (pointer.birthTxg() <= olderTxg) {
      common.put(pointer, pending);
      return;
    }
    Node node = open(pointer, firstKey, level);
    for (int i = 0; node.level() > 0 && i < node.count(); i++) {
      walkNewer(node.child(i), node.pending(i), olderTxg, node.key(i), node.level() - 1);
    }
    giveItems(PendingChanges.apply(node, pending), visitor.joined());
    visitor.joined().node(pointer, node.level());
  }

  private void walkOlder(BlockPointer pointer, List<Change> pending, Key firstKey, int level)
      throws IOException {
    List<Change> newerPending = common.remove(pointer);
    if (newerPending != null) {
      if (!PendingChanges.same(pending, newerPending)) {
        Node leaf = open(pointer, firstKey, level);
        giveItems(PendingChanges.apply(leaf, newerPending), visitor.joined());
        giveItems(PendingChanges.apply(leaf, pending), visitor.left());
      }
      return;
    }
    Node node = open(pointer, firstKey, level);
    for (int i = 0; node.level() > 0 && i < node.count(); i++) {
      walkOlder(node.child(i), node.pending(i), node.key(i), node.level() - 1);
    }
    giveItems(PendingChanges.apply(node, pending), visitor.left());
    visitor.left().node(pointer, node.level());
  }

  private Node open(BlockPointer pointer, Key firstKey, int level) throws IOException {
    Node node = Node.open(reader.readNode(pointer), pointer);
    node.validate();
    if (firstKey != null) {
      node.validatePlace(level, firstKey);
    }
    return node;
  }

  private static void giveItems(Node node, NodeVisitor to) throws IOException {
    for (int i = 0; node.level() == 0 && i < node.count(); i++) {
      to.item(node.key(i), node.bytes(), node.valueOffset(i), node.valueLength(i));
    }
  }
}
