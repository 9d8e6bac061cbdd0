package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;

/** Resolves pointers to nodes. Thread-safe. */
public interface NodeReader {
  /**
   * The content of a node, verified. Shared and cached: must not be changed.
   *
   * @throws io.cowfs.core.block.CorruptBlockException when it does not match its checksum
   */
  byte[] readNode(BlockPointer pointer) throws IOException;
}
