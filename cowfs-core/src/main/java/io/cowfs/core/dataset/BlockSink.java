package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;

/** Where the sync of one txg writes its tree nodes: the block writer of that txg. */
@FunctionalInterface
public interface BlockSink {
  /** Allocates space for a block and writes it; the array belongs to the sink from now on. */
  BlockPointer writeBlock(byte[] content) throws IOException;
}
