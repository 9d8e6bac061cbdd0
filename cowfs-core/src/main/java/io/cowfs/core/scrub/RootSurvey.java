package io.cowfs.core.scrub;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.MediumReader;
import io.cowfs.core.block.Reference;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.CatalogState;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.txg.RootRecord;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Finds out of which root records everything is still there. Records are looked at from new to old.
 *
 * <p>All nodes of the first whole one are read, by the walk that makes an index anew; it becomes
 * the <i>base</i>. A sector to which the base has a reference that was born in txg T or before has
 * been in use ever since T: what a record of T or later has there cannot have been overwritten. So
 * of the other records only the nodes and the data are read that the base has not. That costs about
 * as much as what was changed meanwhile.
 *
 * <p>Damage of the medium to data that the base has as well is not looked for: that is a scrub's
 * work. Confined to one thread.
 */
public final class RootSurvey implements Closeable {
  private static final int EXTENTS_AT_ONCE = 512;

  private final PoolWalk walk;
  private final ItemReader items;
  private final MediumReader medium;
  private SectorBirths base;

  /** What is known of the data of a record, before there is a base. */
  public enum Data {
    /** Its space has not been used again. */
    KEPT,
    /** It has to be read. */
    UNKNOWN
  }

  /**
   * @param store of a pool that nobody changes meanwhile
   * @param items knows what the items of a dataset's tree mean
   */
  public RootSurvey(BlockStore store, ItemReader items) {
    this.walk = new PoolWalk(store::readBlock, items);
    this.items = items;
    this.medium = store.openMediumReader();
  }

  /**
   * The dataset directory of a record.
   *
   * @throws CorruptBlockException when it is damaged
   */
  public CatalogState directory(RootRecord record) throws IOException {
    return walk.directory(record.directoryRoot(), record.txg());
  }

  /**
   * Makes sure that everything is there that a record leads to.
   *
   * @param record not newer than one that was asked for before; has a directory
   * @throws CorruptBlockException naming what is damaged or was overwritten
   */
  public void requireWhole(RootRecord record, Data data) throws IOException {
    CatalogState directory = directory(record);
    if (base == null) {
      base = walkAll(record, directory, data);
    } else {
      walkUnknown(record, directory);
    }
  }

  private SectorBirths walkAll(RootRecord record, CatalogState directory, Data data)
      throws IOException {
    SectorBirths births = new SectorBirths(record.txg());
    DataCheck check = new DataCheck();
    walk.run(
        directory,
        new PoolWalk.Visitor() {
          @Override
          public void node(BlockPointer node) throws IOException {
            node.forEachPlace(births::add);
          }

          @Override
          public void extent(DataExtent extent) throws IOException {
            extent.forEachPlace(births::add);
            if (data == Data.UNKNOWN) {
              check.add(extent);
            }
          }

          @Override
          public void lost(NodeRecord state, long sector, long sectors, long birthTxg) {}
        });
    check.finish();
    return births;
  }

  private void walkUnknown(RootRecord record, CatalogState directory) throws IOException {
    DataCheck check = new DataCheck();
    NodeVisitor visitor =
        new NodeVisitor() {
          @Override
          public void item(Key key, byte[] source, int offset, int length) throws IOException {
            DataExtent extent =
                items.extentOf(key, Arrays.copyOfRange(source, offset, offset + length));
            if (extent != null && !allBornBy(record.txg(), extent)) {
              check.add(extent);
            }
          }

          @Override
          public void node(BlockPointer pointer, int level) {}
        };
    for (NodeRecord state : directory.nodes()) {
      new Tree(state.root().orElse(null), walk::read)
          .walkUnknown(node -> allBornBy(record.txg(), node), visitor);
    }
    check.finish();
  }

  private boolean allBornBy(long txg, Reference reference) {
    for (int i = 0; i < reference.places(); i++) {
      if (!base.allBornBy(txg, reference.place(i), reference.sectors())) {
        return false;
      }
    }
    return true;
  }

  /** Reads data, many extents at once. */
  private final class DataCheck {
    private final List<DataExtent> waiting = new ArrayList<>();

    void add(DataExtent extent) throws IOException {
      waiting.add(extent);
      if (waiting.size() == EXTENTS_AT_ONCE) {
        finish();
      }
    }

    void finish() throws IOException {
      medium.verify(
          waiting,
          (extent, badSectors, what) -> {
            throw new CorruptBlockException(what);
          });
      waiting.clear();
    }
  }

  @Override
  public void close() {
    medium.close();
  }
}
