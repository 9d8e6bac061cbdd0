package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Change;
import io.cowfs.core.btree.ChangeSource;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.NodeWriter;
import io.cowfs.core.btree.RangeWalk;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.btree.TreeUpdate;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The dataset directory: a tree with the same records as the index, which the root records in the
 * ring point to. From it the index can be made again. No snapshot holds it: what leaves it dies.
 * Owned by the sync thread.
 */
final class DatasetDirectory {
  static final Key POOL_KEY = new Key(0, 0, 0);
  private static final Logger LOG = System.getLogger(DatasetDirectory.class.getName());
  private static final int NODE_KEY_KIND = 1;
  private static final int PROPERTIES_KEY_KIND = 2;

  private final NodeReader reader;
  private BlockPointer root;
  private long sectors;

  /** All of it has been read since the pool was opened: what no change needs, nobody reads. */
  private boolean isChecked;

  DatasetDirectory(NodeReader reader, PoolRecord pool) {
    this.reader = reader;
    this.root = pool.directoryRoot().orElse(null);
    this.sectors = pool.directorySectors();
  }

  /**
   * Reads a directory, and checks that its records form a history.
   *
   * @return what it has of an index: the records and properties of all nodes, and the ids
   * @throws CorruptBlockException when it is damaged
   */
  static CatalogState read(BlockPointer root, NodeReader reader) throws IOException {
    Tree tree = new Tree(root, reader);
    tree.check();
    DirectoryVisitor visitor = new DirectoryVisitor();
    tree.walk(-1, visitor);
    try {
      CatalogState state = visitor.state(root);
      HistoryCheck.check(state);
      return state;
    } catch (BadRecordException e) {
      throw new CorruptBlockException("the dataset directory: " + e.getMessage(), e);
    }
  }

  /** Gathers the records. */
  private static final class DirectoryVisitor implements NodeVisitor {
    private final List<NodeRecord> nodes = new ArrayList<>();
    private final Map<Integer, ByteArrayOutputStream> properties = new TreeMap<>();
    private PoolRecord pool;
    private long sectors;

    @Override
    public void item(Key key, byte[] source, int offset, int length) throws IOException {
      byte[] value = Arrays.copyOfRange(source, offset, offset + length);
      try {
        item(key, value);
      } catch (BadRecordException e) {
        throw new CorruptBlockException("the dataset directory: " + e.getMessage(), e);
      }
    }

    private void item(Key key, byte[] value) throws BadRecordException {
      if (key.equals(POOL_KEY)) {
        pool = PoolRecordFormat.decode(value);
      } else if (key.kind() == NODE_KEY_KIND) {
        NodeRecord node = NodeRecordFormat.decode(value);
        if (!nodeKey(node.id()).equals(key)) {
          throw new BadRecordException("a dataset record has the id of another");
        }
        nodes.add(node);
      } else if (key.kind() == PROPERTIES_KEY_KIND) {
        properties
            .computeIfAbsent((int) key.high(), id -> new ByteArrayOutputStream())
            .writeBytes(value);
      } else {
        throw new BadRecordException("it has something unknown");
      }
    }

    @Override
    public void node(BlockPointer pointer, int level) {
      sectors += pointer.allocatedSectors();
    }

    CatalogState state(BlockPointer root) throws BadRecordException {
      if (pool == null) {
        throw new BadRecordException("the pool record is missing");
      }
      Map<Integer, PropertySet> sets = new TreeMap<>();
      for (Map.Entry<Integer, ByteArrayOutputStream> each : properties.entrySet()) {
        sets.put(each.getKey(), PropertySetFormat.decode(each.getValue().toByteArray()));
      }
      return new CatalogState(
          new PoolRecord(
              pool.pool(),
              pool.txg(),
              pool.nextNode(),
              pool.nextId(),
              Optional.of(root),
              sectors,
              pool.log()),
          nodes,
          sets,
          List.of(),
          Map.of(),
          new CatalogState.DeadlistIds(Set.of(), Set.of()),
          Set.of(),
          List.of(),
          new CatalogState.SharedTotals(0, 0));
    }
  }

  static Key nodeKey(int node) {
    return new Key(node, NODE_KEY_KIND, 0);
  }

  static Key propertiesKey(int node, int chunk) {
    return new Key(node, PROPERTIES_KEY_KIND, chunk);
  }

  /** What its nodes take. */
  long sectors() {
    return sectors;
  }

  /** Empty before the first commit. */
  Optional<BlockPointer> root() {
    return Optional.ofNullable(root);
  }

  /**
   * Writes the changed records of a txg; all of them where the tree is damaged in their place, or
   * anywhere when the first ones are written. A commit must not fail for that: the index has
   * everything that is in it.
   *
   * @param pool goes into the tree without the tree's own root
   */
  void apply(PoolRecord pool, History history, TxgSync sync) throws IOException {
    Collection<Change> changes = changes(pool, history.changes());
    Tree tree = new Tree(root, reader);
    try {
      if (!isChecked) {
        tree.requireReadable(Key.MIN, Key.MAX);
      }
      tree.requireReadable(changes);
    } catch (IOException damaged) {
      LOG.log(Level.WARNING, "the dataset directory is damaged, and written anew", damaged);
      giveUp(tree, sync);
      tree = new Tree(null, reader);
      changes = changes(pool, history.everything());
    }
    root = TreeUpdate.apply(tree, ChangeSource.of(changes.iterator()), writer(sync));
    isChecked = true;
  }

  private static Collection<Change> changes(PoolRecord pool, HistoryChanges history) {
    Map<Key, Change> changes = new TreeMap<>();
    changes.put(
        POOL_KEY,
        Change.put(POOL_KEY, PoolRecordFormat.encode(pool, PoolRecordFormat.Counts.NONE)));
    for (int id : history.removed()) {
      Key last = propertiesKey(id, -1);
      changes.put(nodeKey(id), Change.deleteRange(nodeKey(id), last));
    }
    for (NodeRecord node : history.changed()) {
      Key key = nodeKey(node.id());
      changes.put(key, Change.put(key, NodeRecordFormat.encode(node)));
    }
    history.properties().forEach((id, properties) -> putProperties(id, properties, changes));
    return changes.values();
  }

  /** Frees all nodes; what is below one above the leaves that cannot be read stays in use. */
  private void giveUp(Tree tree, TxgSync sync) throws IOException {
    RangeWalk.Visitor freeing =
        new RangeWalk.Visitor() {
          @Override
          public void item(Key key, byte[] source, int offset, int length) {}

          @Override
          public void node(BlockPointer pointer, int level) throws IOException {
            sync.dies(pointer);
          }

          @Override
          public void damaged(BlockPointer node, Key first, Key next, IOException failure)
              throws IOException {
            sync.dies(node);
          }
        };
    new RangeWalk(tree, -1, freeing, () -> false).walk(null, null);
    sectors = 0;
  }

  /** Replaces all chunks. */
  private static void putProperties(int id, PropertySet properties, Map<Key, Change> changes) {
    int chunk = 0;
    for (byte[] part : PropertyChunks.split(properties)) {
      Key key = propertiesKey(id, chunk++);
      changes.put(key, Change.put(key, part));
    }
    Key rest = propertiesKey(id, chunk);
    changes.put(rest, Change.deleteRange(rest, propertiesKey(id, -1)));
  }

  private NodeWriter writer(TxgSync sync) {
    return new NodeWriter() {
      @Override
      public byte[] readNode(BlockPointer pointer) throws IOException {
        return reader.readNode(pointer);
      }

      @Override
      public BlockPointer writeNode(byte[] node) throws IOException {
        BlockPointer pointer = sync.writeBlock(node);
        sectors += pointer.allocatedSectors();
        return pointer;
      }

      @Override
      public void leaves(BlockPointer pointer) throws IOException {
        sectors -= pointer.allocatedSectors();
        sync.dies(pointer);
      }
    };
  }
}
