package io.cowfs.core.pool;

import io.cowfs.core.alloc.SparseChunks;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.fs.RelocationPlanner;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which files have something in parts of the device that would be free without it. What has several
 * copies keeps its parts: each copy has its own, and takes another one when it is moved. Belongs to
 * one thread.
 */
final class SparseCensus {
  private final SparseChunks chunks;
  private final Map<DatasetHead, FileNumbers> files = new LinkedHashMap<>();

  /**
   * @param chunks as they were found, which is counted in
   */
  SparseCensus(SparseChunks chunks) {
    this.chunks = chunks;
  }

  SparseChunks chunks() {
    return chunks;
  }

  /** By the datasets of which anything was counted; ascending. */
  Map<DatasetHead, FileNumbers> files() {
    return files;
  }

  /**
   * Counts what a file has there, and has alone. The files of a dataset are told in ascending
   * order.
   *
   * @param tree committed, and held by the caller
   */
  void count(DatasetHead head, Tree tree, long inode, RelocationPlanner.Sharing sharing)
      throws IOException {
    boolean[] found = new boolean[1];
    RelocationPlanner.forEachExtent(
        tree,
        inode,
        extent -> {
          if (isInTheWay(extent) && !sharing.isShared(extent)) {
            chunks.movable(extent.sector(), extent.sectors());
            found[0] = true;
          }
        });
    if (found[0]) {
      files.computeIfAbsent(head, any -> new FileNumbers()).add(inode);
    }
  }

  /** Everything was counted. Returns whether anything is to be gained. */
  boolean end() {
    chunks.retainMovable();
    return chunks.possibleGainBytes() > 0;
  }

  /** Whether it has something in one of the chunks, and may be moved for it. */
  boolean isInTheWay(DataExtent extent) {
    return extent.places() == 1 && chunks.overlaps(extent.sector(), extent.sectors());
  }

  void moved(DataExtent extent) {
    chunks.moved(extent.sector(), extent.sectors());
  }
}
