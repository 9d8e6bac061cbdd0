package io.cowfs.core.txg;

import io.cowfs.core.block.BlockWriter;
import java.io.IOException;

/**
 * What takes part in each commit: the file system of an open dataset. All methods are called by the
 * sync thread.
 */
public interface Participant {
  /** From now on {@code next} is the open txg. O(1). Members of the old txg may still be active. */
  void freeze(long next);

  /** The old txg has no members any more: writes what it changed and hands over the new root. */
  void sync(long txg, BlockWriter writer) throws IOException;

  /** The txg is durable. */
  void published(long txg);

  /** True while it has work for coming commits, though nothing new was changed. */
  boolean hasBacklog();

  /** True when its backlog is worth commits that follow each other soon. */
  default boolean isUrgent() {
    return false;
  }

  /** The oldest txg whose tree a reader still uses, {@link Long#MAX_VALUE} if none. */
  long oldestPinnedTxg();
}
