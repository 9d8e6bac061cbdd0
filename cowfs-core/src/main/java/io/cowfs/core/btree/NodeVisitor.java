package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;

/**
 * Gets everything of a tree, children before parents, items before their leaf. An item that is
 * pending in the parent of leaves comes as one of its leaf; or, where a walk leaves that out,
 * before the parent.
 */
public interface NodeVisitor {
  /**
   * Takes one item.
   *
   * @param source contains the value; shared, must not be changed
   */
  void item(Key key, byte[] source, int offset, int length) throws IOException;

  /**
   * Takes one node, after all below it.
   *
   * @param level 0 for a leaf
   */
  void node(BlockPointer pointer, int level) throws IOException;
}
