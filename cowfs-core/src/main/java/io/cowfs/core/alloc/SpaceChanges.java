package io.cowfs.core.alloc;

import java.util.List;

/**
 * What one txg changed in the space of the pool; to be persisted in that txg's commit.
 *
 * @param regions new bitmaps, replacing those of the same region
 * @param deferredFrees the ranges freed in this txg, encoded; empty when there are none
 * @param releasedTxgs txgs whose lists of deferred frees are to be deleted
 */
@SuppressWarnings("ArrayRecordComponent")
public record SpaceChanges(List<RegionBitmap> regions, byte[] deferredFrees, long[] releasedTxgs) {}
