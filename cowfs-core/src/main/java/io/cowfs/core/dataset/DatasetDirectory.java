package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Change;
import io.cowfs.core.btree.ChangeSource;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.NodeWriter;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.btree.TreeUpdate;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The dataset directory: a tree with the same records as the index, which the root records in the
 * ring point to. From it the index can be made again. No snapshot holds it: what leaves it dies.
 * Owned by the sync thread.
 */
final class DatasetDirectory {
  static final Key POOL_KEY = new Key(0, 0, 0);
  private static final int NODE_KEY_KIND = 1;

  private final NodeReader reader;
  private BlockPointer root;

  DatasetDirectory(NodeReader reader, Optional<BlockPointer> root) {
    this.reader = reader;
    this.root = root.orElse(null);
  }

  static Key nodeKey(int node) {
    return new Key(node, NODE_KEY_KIND, 0);
  }

  /** Empty before the first commit. */
  Optional<BlockPointer> root() {
    return Optional.ofNullable(root);
  }

  /**
   * Writes the changed records of a txg.
   *
   * @param pool goes into the tree without the tree's own root
   */
  void apply(PoolRecord pool, HistoryChanges history, TxgSync sync) throws IOException {
    Map<Key, Change> changes = new TreeMap<>();
    changes.put(
        POOL_KEY,
        Change.put(POOL_KEY, PoolRecordFormat.encode(pool, PoolRecordFormat.Counts.NONE)));
    for (int id : history.removed()) {
      changes.put(nodeKey(id), Change.delete(nodeKey(id)));
    }
    for (NodeRecord node : history.changed()) {
      Key key = nodeKey(node.id());
      changes.put(key, Change.put(key, NodeRecordFormat.encode(node)));
    }
    ChangeSource source = ChangeSource.of(changes.values().iterator());
    root = TreeUpdate.apply(new Tree(root, reader), source, writer(sync));
  }

  private NodeWriter writer(TxgSync sync) {
    return new NodeWriter() {
      @Override
      public byte[] readNode(BlockPointer pointer) throws IOException {
        return reader.readNode(pointer);
      }

      @Override
      public BlockPointer writeNode(byte[] node) throws IOException {
        return sync.writeBlock(node);
      }

      @Override
      public void leaves(BlockPointer pointer) throws IOException {
        sync.dies(pointer.sector(), pointer.sectors());
      }
    };
  }
}
