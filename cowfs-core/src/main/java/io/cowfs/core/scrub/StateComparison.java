package io.cowfs.core.scrub;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Divergence;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.dataset.NodeRecord;
import java.io.IOException;
import java.util.Arrays;

/**
 * What a state of the history has more than its parent, and the parent more than it. Whoever
 * compares all states of a pool meets every reference once, where it was born. Confined to one
 * thread.
 */
final class StateComparison implements Divergence.Visitor {
  /** Receives what differs. */
  interface Visitor {
    /** An extent whose reference was born after the parent. */
    void bornExtent(Key key, DataExtent extent) throws IOException;

    /** A node that was born after the parent. */
    void bornNode(BlockPointer node) throws IOException;

    /**
     * A node that only the parent has, or an extent that such a node refers to.
     *
     * @param birthTxg of the reference
     */
    void onlyInParent(long sector, int sectors, long birthTxg) throws IOException;

    /**
     * An extent as old as the parent, in a node that only the newer state has. The parent must have
     * it too, in a node of its own: it never stands alone, and takes back what {@link
     * #onlyInParent} says of it, before or after.
     */
    void kept(long sector, int sectors, long birthTxg) throws IOException;

    /** As {@link Divergence.Visitor#foreign} has it. */
    void foreign(BlockPointer node) throws IOException;
  }

  private final ItemReader items;
  private final long parentTxg;
  private final Visitor visitor;

  private StateComparison(ItemReader items, long parentTxg, Visitor visitor) {
    this.items = items;
    this.parentTxg = parentTxg;
    this.visitor = visitor;
  }

  /**
   * Compares.
   *
   * @param parent null for none
   * @throws io.cowfs.core.block.CorruptBlockException when a node is damaged
   */
  static void run(
      NodeRecord node, NodeRecord parent, NodeReader reader, ItemReader items, Visitor visitor)
      throws IOException {
    long parentTxg = parent == null ? 0 : parent.txg();
    Divergence.run(
        parent == null ? null : parent.root().orElse(null),
        parentTxg,
        node.root().orElse(null),
        reader,
        new StateComparison(items, parentTxg, visitor));
  }

  @Override
  public NodeVisitor joined() {
    return new NodeVisitor() {
      @Override
      public void item(Key key, byte[] source, int offset, int length) throws IOException {
        DataExtent extent =
            items.extentOf(key, Arrays.copyOfRange(source, offset, offset + length));
        if (extent == null) {
          return;
        }
        if (extent.birthTxg() > parentTxg) {
          visitor.bornExtent(key, extent);
        } else {
          extent.forEachPlace(visitor::kept);
        }
      }

      @Override
      public void node(BlockPointer pointer, int level) throws IOException {
        visitor.bornNode(pointer);
      }
    };
  }

  @Override
  public NodeVisitor left() {
    return new NodeVisitor() {
      @Override
      public void item(Key key, byte[] source, int offset, int length) throws IOException {
        DataExtent extent =
            items.extentOf(key, Arrays.copyOfRange(source, offset, offset + length));
        if (extent != null) {
          extent.forEachPlace(visitor::onlyInParent);
        }
      }

      @Override
      public void node(BlockPointer pointer, int level) throws IOException {
        pointer.forEachPlace(visitor::onlyInParent);
      }
    };
  }

  @Override
  public void foreign(BlockPointer pointer) throws IOException {
    visitor.foreign(pointer);
  }
}
