package io.cowfs.core.dataset;

import io.cowfs.core.alloc.SpaceChanges;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Everything that one txg changes in the index. Built by {@link Datasets#prepareCommit}, written by
 * {@link Catalog#commit}; opaque to the layers in between.
 */
public final class CommitBatch {
  final PoolRecord pool;
  final List<NodeRecord> changedNodes;
  final Set<Integer> removedNodes;
  final Set<Long> droppedDeadlists;
  final Map<Long, ReferenceList> deadlistAppends;
  final SpaceChanges space;

  CommitBatch(
      PoolRecord pool, HistoryChanges history, Deadlists.Changes deadlists, SpaceChanges space) {
    this.pool = pool;
    this.changedNodes = history.changed();
    this.removedNodes = history.removed();
    this.droppedDeadlists = deadlists.dropped();
    this.deadlistAppends = deadlists.appended();
    this.space = space;
  }

  /** The txg that it commits. */
  public long txg() {
    return pool.txg();
  }
}
