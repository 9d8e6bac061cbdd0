package io.cowfs.core.dataset;

import io.cowfs.core.alloc.RegionBitmap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All that the index holds, but for the content of the deadlists. Every record has matched its
 * checksum and none is missing; whether they fit together is for their owners to check.
 *
 * @param nodes by ascending id
 * @param regions by ascending number
 * @param deferred by ascending txg, the freed ranges as the allocator has encoded them
 * @param deadlists the ids of the deadlists that are not empty
 */
public record CatalogState(
    PoolRecord pool,
    List<NodeRecord> nodes,
    List<RegionBitmap> regions,
    Map<Long, byte[]> deferred,
    Set<Long> deadlists) {}
