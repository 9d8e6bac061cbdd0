package io.cowfs.core.btree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

/** Invariants of a tree, node by node. */
final class TreeShape {
  private TreeShape() {}

  static void verify(Tree tree, MemoryNodes nodes, int capacityBytes) throws IOException {
    long count = tree.check();
    Set<Long> reachable = new HashSet<>();
    if (tree.root() != null) {
      Node root = Node.open(nodes.readNode(tree.root()), tree.root());
      assertTrue(root.level() == 0 || root.count() >= 2, "a root with one child");
      verify(root, true, true, reachable, nodes, NodeAssembler.leastBytes(capacityBytes));
    }
    assertEquals(count, reachable.size());
    assertEquals(reachable, nodes.live(), "live nodes are those that are reached");
  }

  private static void verify(
      Node node,
      boolean isRoot,
      boolean isLast,
      Set<Long> reachable,
      MemoryNodes nodes,
      int leastBytes)
      throws IOException {
    assertTrue(reachable.add(node.pointer().sector()), "a node is reached twice");
    assertTrue(
        isRoot || isLast || node.usedBytes() >= leastBytes,
        () -> "level %d: %d bytes used".formatted(node.level(), node.usedBytes()));
    for (int i = 0; node.level() > 0 && i < node.count(); i++) {
      BlockPointer pointer = node.child(i);
      Node child = Node.open(nodes.readNode(pointer), pointer);
      assertEquals(node.key(i), child.key(0));
      assertEquals(node.level() - 1, child.level());
      verify(child, false, isLast && i == node.count() - 1, reachable, nodes, leastBytes);
    }
  }
}
