package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.btree.Change;
import io.cowfs.core.btree.ChangeSource;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.btree.TreeUpdate;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.MemoryBlocks.Extent;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A pool with a real index and a real allocator over blocks in memory, and beside it a naive model:
 * a full copy of the content of every dataset and snapshot. It can crash at any point of a sync.
 */
final class SimulatedPool implements Closeable {
  static final long CAPACITY_BYTES = 256L << 20;
  private static final UUID POOL = new UUID(17, 4);

  final MemoryBlocks blocks = new MemoryBlocks();
  final Path directory;
  Catalog catalog;
  Allocator allocator;
  Datasets datasets;

  /** Content by dataset, and by "dataset@snapshot". */
  Map<String, Map<Key, byte[]>> model = new TreeMap<>();

  /** The model as of the last commit. */
  private Map<String, Map<Key, byte[]>> committedModel = Map.of();

  private long txg;

  SimulatedPool(Path directory) throws IOException {
    this.directory = directory;
    catalog = Catalog.create(directory, POOL, CAPACITY_BYTES);
    load();
    begin();
    datasets.createRoot(CompressionSetting.LZ4);
    model.put(Names.ROOT_DATASET, new HashMap<>());
    commit();
  }

  private void load() throws IOException {
    CatalogState state = catalog.load();
    allocator =
        Allocator.restore(
            new MemoryBlocks.Space(CAPACITY_BYTES), state.regions(), state.deferred());
    datasets =
        Datasets.open(
            new Datasets.Storage(
                catalog,
                allocator,
                blocks,
                SimulatedPool::extents,
                () -> Instant.ofEpochSecond(txg)),
            state);
    txg = state.pool().txg();
  }

  static void extents(Key key, byte[] value, ExtentScanner.ExtentVisitor visitor)
      throws IOException {
    Extent extent = Extent.decode(value);
    visitor.extent(extent.sector(), extent.sectors(), extent.birthTxg());
  }

  /** The process dies, whatever it is doing, and the pool is opened again. */
  void crash() throws IOException {
    catalog.close();
    model = copy(committedModel);
    catalog = Catalog.open(directory, POOL, CAPACITY_BYTES);
    load();
  }

  long txg() {
    return txg;
  }

  void begin() throws IOException {
    txg++;
    allocator.beginTxg(txg, Long.MAX_VALUE);
    datasets.beginSync(txg, blocks.sink(allocator, txg));
  }

  /**
   * Changes a dataset: a number of sectors to write at each key, 0 to delete it, and -n to keep its
   * first n sectors only.
   */
  void change(String dataset, Map<Key, Integer> sectorsByKey, int padding) throws IOException {
    DatasetHead head = datasets.head(dataset);
    Map<Key, byte[]> content = model.get(dataset);
    TreeMap<Key, Change> changes = new TreeMap<>();
    for (Map.Entry<Key, Integer> each : sectorsByKey.entrySet()) {
      Key key = each.getKey();
      byte[] before = content.remove(key);
      Extent after = change(head, before == null ? null : Extent.decode(before), each.getValue());
      if (after == null) {
        changes.put(key, Change.delete(key));
      } else {
        byte[] value = after.encode(padding);
        content.put(key, value);
        changes.put(key, Change.put(key, value));
      }
    }
    ChangeSource source = ChangeSource.of(changes.values().iterator());
    head.synced(
        TreeUpdate.apply(new Tree(head.root(), blocks), source, head.nodeWriter()),
        head.nextObjectNumber() + 1);
  }

  /** What becomes of one extent; null stands for none. */
  private Extent change(DatasetHead head, Extent old, int sectors) throws IOException {
    if (sectors < 0) {
      return old == null || old.sectors() <= -sectors ? old : cut(head, old, -sectors);
    }
    if (old != null) {
      head.leaves(old.sector(), old.sectors(), old.birthTxg());
    }
    if (sectors == 0) {
      return null;
    }
    Extent extent = blocks.writeData(allocator, sectors, txg);
    head.born(extent.sectors());
    return extent;
  }

  private static Extent cut(DatasetHead head, Extent old, int sectors) throws IOException {
    head.leaves(old.sector() + sectors, old.sectors() - sectors, old.birthTxg());
    return new Extent(old.sector(), sectors, old.birthTxg(), old.write());
  }

  void create(String dataset) throws IOException {
    datasets.createDataset(dataset);
    model.put(dataset, new HashMap<>());
  }

  void snapshot(String dataset, String name) throws IOException {
    datasets.snapshot(dataset, name);
    model.put(dataset + "@" + name, Map.copyOf(model.get(dataset)));
  }

  void rollback(String dataset, String snapshot, String nameForOldHead) throws IOException {
    long nextObjectNumber = datasets.head(dataset).nextObjectNumber();
    datasets.rollback(dataset, snapshot, nameForOldHead);
    model.put(dataset + "@" + nameForOldHead, Map.copyOf(model.get(dataset)));
    model.put(dataset, new HashMap<>(model.get(dataset + "@" + snapshot)));
    assertEquals(nextObjectNumber, datasets.head(dataset).nextObjectNumber(), "goes on");
  }

  void destroySnapshot(String dataset, String snapshot) throws IOException {
    datasets.destroySnapshot(dataset, snapshot);
    model.remove(dataset + "@" + snapshot);
  }

  void destroyDataset(String dataset) throws IOException {
    datasets.destroyDataset(dataset, Datasets.Recursion.SNAPSHOTS);
    model.keySet().removeIf(name -> name.equals(dataset) || name.startsWith(dataset + "@"));
  }

  CommitBatch prepareCommit() throws IOException {
    datasets.writeDirectory();
    return datasets.prepareCommit();
  }

  void commit() throws IOException {
    catalog.commit(prepareCommit());
    committed();
  }

  void committed() {
    datasets.committed();
    committedModel = copy(model);
  }

  Optional<NodeRecord> node(String fullName) {
    return datasets.nodes().stream().filter(node -> fullName(node).equals(fullName)).findAny();
  }

  String fullName(NodeRecord node) {
    if (node.kind() == NodeKind.HEAD) {
      return node.name();
    }
    String dataset =
        datasets.nodes().stream()
            .filter(other -> other.id() == node.dataset())
            .findAny()
            .orElseThrow()
            .name();
    return dataset + "@" + node.name();
  }

  private static Map<String, Map<Key, byte[]>> copy(Map<String, Map<Key, byte[]>> model) {
    Map<String, Map<Key, byte[]>> copy = new TreeMap<>();
    model.forEach(
        (name, content) -> copy.put(name, name.contains("@") ? content : new HashMap<>(content)));
    return copy;
  }

  @Override
  public void close() throws IOException {
    catalog.close();
  }
}
