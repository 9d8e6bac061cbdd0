package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The nodes of a tree, children before parents. */
public final class TreeNodes implements NodeVisitor {
  private final List<BlockPointer> all = new ArrayList<>();
  private final List<BlockPointer> leaves = new ArrayList<>();

  private TreeNodes() {}

  public static List<BlockPointer> allOf(Tree tree) throws IOException {
    return walk(tree).all;
  }

  /** From left to right. */
  public static List<BlockPointer> leavesOf(Tree tree) throws IOException {
    return walk(tree).leaves;
  }

  private static TreeNodes walk(Tree tree) throws IOException {
    TreeNodes nodes = new TreeNodes();
    tree.walk(-1, nodes);
    return nodes;
  }

  @Override
  public void item(Key key, byte[] source, int offset, int length) {}

  @Override
  public void node(BlockPointer pointer, int level) {
    all.add(pointer);
    if (level == 0) {
      leaves.add(pointer);
    }
  }
}
