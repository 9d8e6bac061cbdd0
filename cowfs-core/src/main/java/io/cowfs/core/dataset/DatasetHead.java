package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.NodeWriter;
import io.cowfs.core.codec.CompressionSetting;
import java.io.IOException;

/**
 * The live end of a dataset. It stays the same object for as long as the dataset exists: a rollback
 * gives it another root and another parent.
 *
 * <p>What it tells may be asked by any thread. What changes it is called by the sync thread only,
 * while a txg syncs: between {@link Datasets#beginSync} and the sync tasks.
 */
public final class DatasetHead {
  private final Datasets datasets;
  private final DatasetNode node;

  DatasetHead(Datasets datasets, DatasetNode node) {
    this.datasets = datasets;
    this.node = node;
  }

  DatasetNode node() {
    return node;
  }

  /** Of the dataset; never used again after it is destroyed. */
  public int id() {
    return node.id;
  }

  public String name() {
    return node.name;
  }

  /** Of the tree as last synced; null while it is empty. */
  public BlockPointer root() {
    return node.root;
  }

  /** What was born after this txg is reached by this head only; 0 without a parent snapshot. */
  public long parentSnapshotTxg() {
    return node.parentTxg();
  }

  /** No inode number from here on was ever used in this dataset, not even in an undone past. */
  public long nextObjectNumber() {
    return node.nextObjectNumber;
  }

  /** For new extents. */
  public CompressionSetting compression() {
    return node.compression;
  }

  /** A new reference joins the head, born in the current txg. */
  public void born(long sectors) {
    node.referencedSectors += sectors;
    node.uniqueSectors += sectors;
  }

  /** A reference leaves head H (parent P): born after P, it dies; else it joins deadlist(H). */
  public void leaves(long sector, int sectors, long birthTxg) throws IOException {
    node.referencedSectors -= sectors;
    if (birthTxg > node.parentTxg()) {
      node.uniqueSectors -= sectors;
      datasets.sync().dies(sector, sectors);
    } else {
      datasets.deadlists().append(node.deadlist, sector, sectors, birthTxg);
      if (birthTxg > node.grandparentTxg()) {
        node.deadlistUniqueSectors += sectors;
      }
    }
  }

  /**
   * The writer for this head's tree nodes: what it writes is born, what leaves goes through {@link
   * #leaves(long, int, long)}. Valid during the sync of the current txg.
   */
  public NodeWriter nodeWriter() {
    return new NodeWriter() {
      @Override
      public byte[] readNode(BlockPointer pointer) throws IOException {
        return datasets.reader().readNode(pointer);
      }

      @Override
      public BlockPointer writeNode(byte[] content) throws IOException {
        BlockPointer pointer = datasets.sync().writeBlock(content);
        born(pointer.sectors());
        return pointer;
      }

      @Override
      public void leaves(BlockPointer pointer) throws IOException {
        DatasetHead.this.leaves(pointer.sector(), pointer.sectors(), pointer.birthTxg());
      }
    };
  }

  /**
   * The head has everything of the current txg.
   *
   * @param newRoot null when the tree is empty
   * @param nextObjectNumber not below the one before
   */
  public void synced(BlockPointer newRoot, long nextObjectNumber) {
    if (nextObjectNumber < node.nextObjectNumber) {
      throw new IllegalArgumentException("object numbers never go back");
    }
    node.root = newRoot;
    node.nextObjectNumber = nextObjectNumber;
    node.txg = datasets.sync().txg();
    datasets.touch(node);
  }
}
