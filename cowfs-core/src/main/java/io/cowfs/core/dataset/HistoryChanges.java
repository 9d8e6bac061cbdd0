package io.cowfs.core.dataset;

import java.util.List;
import java.util.Set;

/**
 * What one txg changed in the history.
 *
 * @param changed the records of new and changed nodes, by ascending id
 * @param removed the ids of the nodes that are gone
 */
record HistoryChanges(List<NodeRecord> changed, Set<Integer> removed) {}
