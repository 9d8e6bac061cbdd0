package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

/**
 * Compares a tree with an older state of it by their references: which nodes only the newer tree
 * has, and which only the older one. What both have is not read. The births tell them apart: what
 * the newer tree has and was not born after the older state must be in that, too.
 *
 * <p>Keeps in memory the pointers at which the newer tree meets the older one. Belongs to one
 * thread.
 */
public final class Divergence {
  /** Gets what only one of the trees has, children before parents. */
  public interface Visitor {
    /** A node of the newer tree that was born after the older state, and its items. */
    NodeVisitor joined();

    /** A node of the older tree that the newer one has no more, and its items. */
    NodeVisitor left();

    /** The newer tree refers to a node as old as the older state, which does not have it. */
    void foreign(BlockPointer node);
  }

  private final NodeReader reader;
  private final Visitor visitor;
  private final Set<BlockPointer> common = new HashSet<>();

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
      divergence.walkNewer(newer, olderTxg, null, -1);
    }
    if (older != null) {
      divergence.walkOlder(older, null, -1);
    }
    divergence.common.forEach(visitor::foreign);
  }

  private void walkNewer(BlockPointer pointer, long olderTxg, Key firstKey, int level)
      throws IOException {
    if (pointer.birthTxg() <= olderTxg) {
      common.add(pointer);
      return;
    }
    Node node = open(pointer, firstKey, level);
    for (int i = 0; node.level() > 0 && i < node.count(); i++) {
      walkNewer(node.child(i), olderTxg, node.key(i), node.level() - 1);
    }
    give(node, visitor.joined());
  }

  private void walkOlder(BlockPointer pointer, Key firstKey, int level) throws IOException {
    if (common.remove(pointer)) {
      return;
    }
    Node node = open(pointer, firstKey, level);
    for (int i = 0; node.level() > 0 && i < node.count(); i++) {
      walkOlder(node.child(i), node.key(i), node.level() - 1);
    }
    give(node, visitor.left());
  }

  private Node open(BlockPointer pointer, Key firstKey, int level) throws IOException {
    Node node = Node.open(reader.readNode(pointer), pointer);
    node.validate();
    if (firstKey != null) {
      node.validatePlace(level, firstKey);
    }
    return node;
  }

  private static void give(Node node, NodeVisitor to) throws IOException {
    for (int i = 0; node.level() == 0 && i < node.count(); i++) {
      to.item(node.key(i), node.bytes(), node.valueOffset(i), node.valueLength(i));
    }
    to.node(node.pointer(), node.level());
  }
}
