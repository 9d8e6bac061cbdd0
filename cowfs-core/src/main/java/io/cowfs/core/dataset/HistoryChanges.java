package io.cowfs.core.dataset;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What one txg changed in the history.
 *
 * @param changed the records of new and changed nodes, by ascending id
 * @param properties the local properties of the nodes where they changed
 * @param removed the ids of the nodes that are gone, with their properties
 */
record HistoryChanges(
    List<NodeRecord> changed, Map<Integer, PropertySet> properties, Set<Integer> removed) {}
