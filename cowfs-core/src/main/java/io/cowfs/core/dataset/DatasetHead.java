package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.Reference;
import io.cowfs.core.btree.NodeWriter;
import io.cowfs.core.codec.CompressionSetting;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

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
  private volatile DatasetSettings settings;

  /** The txgs of all ancestors, ascending. Owned by the sync thread. */
  private long[] ancestorTxgs = {};

  private long ancestorsShape = -1;

  DatasetHead(Datasets datasets, DatasetNode node) {
    this.datasets = datasets;
    this.node = node;
    this.settings = PropertyResolution.ofDataset(node.name, name -> PropertySet.EMPTY).settings();
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

  /** Inodes with links as last synced. */
  public long files() {
    return node.files;
  }

  /** The properties in force. */
  public DatasetSettings settings() {
    return settings;
  }

  void setSettings(DatasetSettings inForce) {
    settings = inForce;
  }

  /** For new extents. */
  public CompressionSetting compression() {
    return settings.compression();
  }

  /** All that the tree reaches as last synced, nodes and extents. */
  public long referencedSectors() {
    return node.referencedSectors;
  }

  /** A new reference joins the head, born in the current txg. */
  public void born(Reference reference) {
    born(reference.allocatedSectors());
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // Only the sync thread changes it.
  void born(long sectors) {
    node.referencedSectors += sectors;
    node.uniqueSectors += sectors;
  }

  /** Cloning makes a new reference, born now, to all places of one that is there. */
  public void cloned(Reference reference) throws IOException {
    for (int i = 0; i < reference.places(); i++) {
      cloned(reference.place(i), reference.sectors());
    }
  }

  /**
   * Cloning a range makes a new reference, born now, and raises the count. The range must have a
   * reference already that does not leave or die in this txg before this call.
   */
  void cloned(long sector, int sectors) throws IOException {
    datasets.sync().share(sector, sectors);
    born(sectors);
  }

  /**
   * Whether somebody else than this head refers to any of its extents: a snapshot that it
   * continues, a dataset cloned from one, or another range. Checkpoints that may go do not count:
   * what they hold for themselves goes with them. As the txg in work has it.
   */
  public boolean isAnyShared(List<? extends Reference> references) throws IOException {
    long keptUntilTxg = keptUntilTxg();
    for (Reference reference : references) {
      if (reference.birthTxg() <= keptUntilTxg || datasets.isSharedNow(reference)) {
        return true;
      }
    }
    return false;
  }

  /** The txg of the youngest state above this head that is not let go of by itself; 0 for none. */
  private long keptUntilTxg() {
    DatasetNode above = node.parent;
    while (above != null
        && above.kind == NodeKind.CHECKPOINT
        && above.children.size() == 1
        && above.properties.holds().isEmpty()) {
      above = above.parent;
    }
    return DatasetNode.txgOf(above);
  }

  /** A reference leaves the head, with all its places. */
  public void leaves(Reference reference) throws IOException {
    for (int i = 0; i < reference.places(); i++) {
      leaves(reference.place(i), reference.sectors(), reference.birthTxg());
    }
  }

  /** A reference leaves head H (parent P): born after P, it dies; else it joins deadlist(H). */
  @SuppressWarnings("NonAtomicVolatileUpdate") // Only the sync thread changes it.
  void leaves(long sector, int sectors, long birthTxg) throws IOException {
    node.referencedSectors -= sectors;
    if (birthTxg > node.parentTxg()) {
      node.uniqueSectors -= sectors;
      datasets.sync().dies(sector, sectors);
    } else {
      long bornAfter = youngestAncestorBefore(birthTxg);
      datasets.deadlists().append(node.deadlist, bornAfter, sector, sectors, birthTxg);
      if (bornAfter >= node.grandparentTxg()) {
        node.deadlistUniqueSectors += sectors;
      }
    }
  }

  /** The txg of the youngest ancestor that is older than a birth; 0 where there is none. */
  private long youngestAncestorBefore(long birthTxg) {
    if (ancestorsShape != datasets.historyShape()) {
      ancestorsShape = datasets.historyShape();
      ancestorTxgs = node.ancestorTxgs();
    }
    int found = Arrays.binarySearch(ancestorTxgs, birthTxg);
    int older = found >= 0 ? found : -found - 1;
    while (older > 0 && ancestorTxgs[older - 1] >= birthTxg) {
      older--; // Several snapshots were taken in that txg.
    }
    return older == 0 ? 0 : ancestorTxgs[older - 1];
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
        born(pointer);
        return pointer;
      }

      @Override
      public void leaves(BlockPointer pointer) throws IOException {
        DatasetHead.this.leaves(pointer);
      }
    };
  }

  /**
   * The head has everything of the current txg.
   *
   * @param newRoot null when the tree is empty
   * @param nextObjectNumber not below the one before
   * @param moreFiles by how many there are more inodes with links
   */
  public void synced(BlockPointer newRoot, long nextObjectNumber, long moreFiles) {
    if (nextObjectNumber < node.nextObjectNumber) {
      throw new IllegalArgumentException("object numbers never go back");
    }
    if (Objects.equals(newRoot, node.root)
        && nextObjectNumber == node.nextObjectNumber
        && moreFiles == 0) {
      return;
    }
    node.root = newRoot;
    node.nextObjectNumber = nextObjectNumber;
    long files = node.files;
    node.files = files + moreFiles;
    node.txg = datasets.sync().txg();
    datasets.changed(node);
  }
}
