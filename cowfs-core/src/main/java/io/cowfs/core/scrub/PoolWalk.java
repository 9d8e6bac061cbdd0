package io.cowfs.core.scrub;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.CatalogState;
import io.cowfs.core.dataset.IndexBuilder;
import io.cowfs.core.dataset.NodeRecord;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * Walks through all that a root record leads to: the dataset directory, and the trees of all states
 * in it, each compared with its parent, so that each reference is met once, where it was born. All
 * nodes are read and verified, data is not. Confined to one thread.
 */
final class PoolWalk {
  private final NodeReader reader;
  private final ItemReader items;

  /** Receives what there is. */
  interface Visitor {
    /** A node, of a tree or of the dataset directory. */
    void node(BlockPointer node) throws IOException;

    void extent(DataExtent extent) throws IOException;

    /** A reference that the parent of a state has and the state has not. */
    void lost(NodeRecord state, long sector, long sectors, long birthTxg) throws IOException;
  }

  PoolWalk(NodeReader reader, ItemReader items) {
    this.reader = reader;
    this.items = items;
  }

  /**
   * Reads the dataset directory of a root record.
   *
   * @param txg of the record
   * @throws CorruptBlockException when it is damaged, or newer than its record
   */
  CatalogState directory(BlockPointer root, long txg) throws IOException {
    CatalogState directory = IndexBuilder.readDirectory(root, this::read);
    if (directory.pool().txg() > txg) {
      throw new CorruptBlockException("the dataset directory is newer than its root record");
    }
    return directory;
  }

  /**
   * Walks.
   *
   * @param directory as {@link #directory} gave it
   * @throws CorruptBlockException when a node cannot be read, or something does not fit together
   */
  void run(CatalogState directory, Visitor visitor) throws IOException {
    new Tree(directory.pool().directoryRoot().orElse(null), this::read)
        .walk(
            -1,
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) {}

              @Override
              public void node(BlockPointer pointer, int level) throws IOException {
                visitor.node(pointer);
              }
            });
    Map<Integer, NodeRecord> states = new HashMap<>();
    directory.nodes().forEach(state -> states.put(state.id(), state));
    for (NodeRecord state : directory.nodes()) {
      compare(state, states.get(state.parent()), visitor);
    }
  }

  private void compare(NodeRecord state, NodeRecord parent, Visitor visitor) throws IOException {
    LostReferences lost = new LostReferences();
    StateComparison.run(
        state,
        parent,
        this::read,
        items,
        new StateComparison.Visitor() {
          @Override
          public void bornExtent(Key key, DataExtent extent) throws IOException {
            visitor.extent(extent);
          }

          @Override
          public void bornNode(BlockPointer pointer) throws IOException {
            visitor.node(pointer);
          }

          @Override
          public void onlyInParent(long sector, int sectors, long birthTxg) {
            lost.add(sector, sectors, birthTxg);
          }

          @Override
          public void kept(long sector, int sectors, long birthTxg) {
            lost.subtract(sector, sectors, birthTxg);
          }

          @Override
          public void foreign(BlockPointer pointer) throws IOException {
            throw new CorruptBlockException(
                "node %d of the history has a node at sector %d that its parent has not"
                    .formatted(state.id(), pointer.sector()));
          }
        });
    lost.forEach((sector, sectors, birthTxg) -> visitor.lost(state, sector, sectors, birthTxg));
  }

  /** Whatever keeps a node from being read: it is missing. */
  byte[] read(BlockPointer pointer) throws CorruptBlockException {
    try {
      return reader.readNode(pointer);
    } catch (CorruptBlockException e) {
      throw e;
    } catch (IOException e) {
      throw new CorruptBlockException(
          "sector %d cannot be read: %s".formatted(pointer.sector(), e.getMessage()), e);
    }
  }
}
