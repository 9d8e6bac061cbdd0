package io.cowfs.core.txg;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockWriter;
import java.io.IOException;

/** Where the roots are kept, as the commit sees it. Called by the sync thread only. */
public interface Index {
  /** Tells that the sync of this txg begins. */
  void beginTxg(long txg);

  /**
   * Writes the directory of all datasets and snapshots as blocks of the pool, after the last change of
   * any of them in this txg.
   *
   * @return its root, for the ring; null when there is none
   */
  BlockPointer writeDirectory(long txg, BlockWriter writer) throws IOException;

  /** Publishes roots, space and deadlists in one durable transaction: the moment of the commit. */
  void commit(long txg) throws IOException;

  /** The commit is durable. */
  void committed(long txg);

  /** True when something is left to be committed though no dataset changed (frees not yet released). */
  boolean wantsCommit();
}
