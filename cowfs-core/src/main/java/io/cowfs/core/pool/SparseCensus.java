package io.cowfs.core.pool;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.alloc.SparseChunks;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.fs.RelocationPlanner;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which files have something in parts of the device that would be free without it. Belongs to one
 * thread.
 */
final class SparseCensus {
  private static final System.Logger LOG = System.getLogger(SparseCensus.class.getName());

  private final SparseChunks chunks;
  private final Map<DatasetHead, FileNumbers> files = new LinkedHashMap<>();

  SparseCensus(Allocator allocator) {
    chunks = allocator.findSparseChunks();
  }

  /** All that was counted, or that is worth moving once {@link #end} was called. */
  SparseChunks chunks() {
    return chunks;
  }

  /** By the datasets that were counted; ascending. */
  Map<DatasetHead, FileNumbers> files() {
    return files;
  }

  /**
   * Counts what a dataset has there, and has alone.
   *
   * @param tree committed, and held by the caller
   */
  void count(DatasetHead head, Tree tree, RelocationPlanner.Sharing sharing) throws IOException {
    FileNumbers numbers = new FileNumbers();
    files.put(head, numbers);
    long[] last = {RelocationPlanner.END};
    try {
      RelocationPlanner.forEachExtent(
          tree,
          (inode, extent) -> {
            if (isInTheWay(extent) && !sharing.isShared(extent)) {
              for (int place = 0; place < extent.places(); place++) {
                chunks.found(extent.place(place), extent.sectors());
              }
              if (last[0] != inode) {
                last[0] = inode;
                numbers.add(inode);
              }
            }
          });
    } catch (CorruptBlockException damaged) {
      LOG.log(System.Logger.Level.DEBUG, "what was not counted keeps its part", damaged);
    }
  }

  /** Everything was counted. Returns whether anything is to be gained. */
  boolean end() {
    chunks.retainMovable();
    return chunks.gainBytes() > 0;
  }

  /** Whether any copy of an extent is in one of the chunks. */
  boolean isInTheWay(DataExtent extent) {
    for (int place = 0; place < extent.places(); place++) {
      if (chunks.overlaps(extent.place(place), extent.sectors())) {
        return true;
      }
    }
    return false;
  }
}
