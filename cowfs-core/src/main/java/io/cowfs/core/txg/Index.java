package io.cowfs.core.txg;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockWriter;
import java.io.IOException;

/** Where the roots are kept, as the commit sees it. Called by the sync thread only. */
public interface Index {
  /** The sync of this txg begins; tree nodes are written with {@code writer}. */
  void beginTxg(long txg, BlockWriter writer);

  /**
   * Writes the directory of all datasets and snapshots as blocks of the pool, after the last change
   * of any of them in this txg. Nothing may allocate or free after it.
   *
   * @return its root, for the ring; null when there is none
   */
  BlockPointer writeDirectory() throws IOException;

  /** Publishes roots, space and deadlists in one durable transaction: the moment of the commit. */
  void commit() throws IOException;

  /** The commit is durable. */
  void committed();

  /**
   * True when something is left to be committed though no dataset changed (frees not yet released).
   */
  boolean wantsCommit();
}
