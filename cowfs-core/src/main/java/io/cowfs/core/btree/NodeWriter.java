package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;

/** What only a transaction has: the right to write new nodes. Used by one thread. */
public interface NodeWriter extends NodeReader {
  /** Allocates space for a node and writes it; the array belongs to the writer from now on. */
  BlockPointer writeNode(byte[] node) throws IOException;

  /** A pointer has left the tree. The tree frees nothing itself. */
  void leaves(BlockPointer pointer) throws IOException;
}
