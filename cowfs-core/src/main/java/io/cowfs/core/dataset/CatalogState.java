package io.cowfs.core.dataset;

import io.cowfs.core.alloc.RegionBitmap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All that the index holds, but for the references in lists. Every record has matched its checksum
 * and none is missing; whether they fit together is for their owners to check.
 *
 * @param nodes by ascending id
 * @param properties by node, of those that have any
 * @param regions by ascending number
 * @param deferred by ascending txg, the freed ranges as the allocator has encoded them
 * @param deadlists the ids of the deadlists that are not empty, and the lists that are their parts
 * @param lists the ids of all lists of references
 * @param condemned by ascending id
 * @param shared the number of shared ranges, and what they save
 */
public record CatalogState(
    PoolRecord pool,
    List<NodeRecord> nodes,
    Map<Integer, PropertySet> properties,
    List<RegionBitmap> regions,
    Map<Long, byte[]> deferred,
    DeadlistIds deadlists,
    Set<Long> lists,
    List<Condemned> condemned,
    SharedTotals shared) {

  /** Ids of deadlists, and of the lists in them; no list is in two. */
  public record DeadlistIds(Set<Long> deadlists, Set<Long> lists) {}

  /** Over all shared ranges. */
  public record SharedTotals(long ranges, long savedSectors) {}
}
