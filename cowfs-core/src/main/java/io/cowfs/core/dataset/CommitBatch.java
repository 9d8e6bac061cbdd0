package io.cowfs.core.dataset;

import io.cowfs.core.alloc.SpaceChanges;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Everything that one txg changes in the index. Built by {@link Datasets#prepareCommit}, written by
 * {@link Catalog#commit}; opaque to the layers in between.
 *
 * @param droppedChunks keys of chunks of references
 * @param condemned by id, null for what is gone
 * @param shared by first sector, null for what is gone
 * @param scrub what is new of a scrub
 */
public record CommitBatch(
    PoolRecord pool,
    HistoryChanges history,
    Deadlists.Changes deadlists,
    List<byte[]> droppedChunks,
    Map<Long, Condemned> condemned,
    Map<Long, SharedRange> shared,
    SpaceChanges space,
    Optional<ScrubChange> scrub) {

  /** The txg that it commits. */
  public long txg() {
    return pool.txg();
  }
}
