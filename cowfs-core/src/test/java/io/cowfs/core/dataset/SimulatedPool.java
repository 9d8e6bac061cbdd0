package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Change;
import io.cowfs.core.btree.ChangeSource;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.btree.TreeUpdate;
import io.cowfs.core.dataset.MemoryBlocks.Extent;
import io.cowfs.core.txg.IntentLog;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
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
  private final BackgroundFrees.Budget budget;
  Catalog catalog;
  Allocator allocator;
  Datasets datasets;

  /** Whether roots are kept as they are committed. */
  boolean keepsCheckpoints;

  /** Seconds since 1970, for times of creation. */
  long clock;

  /** Content by dataset, and by "dataset@snapshot". */
  Map<String, Map<Key, byte[]>> model = new TreeMap<>();

  /** The full names of held snapshots. */
  Set<String> held = new TreeSet<>();

  private Set<String> committedHeld = Set.of();

  /** The model as of the last commit. */
  private Map<String, Map<Key, byte[]>> committedModel = Map.of();

  /** What is left of what was destroyed, as the audit keeps it in mind. */
  final CondemnedModel condemned = new CondemnedModel(this);

  /** By node: what a snapshot had when the audit saw it last, for when it has lost its name. */
  final Map<Integer, Map<Key, byte[]>> contentOfNameless = new HashMap<>();

  /** What the last audit walked, by root. */
  final Map<BlockPointer, HistoryAudit.WalkedTree> walked = new HashMap<>();

  private long txg;

  SimulatedPool(Path directory) throws IOException {
    this(directory, BackgroundFrees.Budget.USUAL);
  }

  /**
   * @param budget what is freed in each txg that calls {@link #free}
   */
  SimulatedPool(Path directory, BackgroundFrees.Budget budget) throws IOException {
    this.directory = directory;
    this.budget = budget;
    catalog = Catalog.create(directory, POOL, CAPACITY_BYTES);
    load();
    begin();
    datasets.tasks().createRoot(Map.of());
    model.put(Names.ROOT_DATASET, new HashMap<>());
    commit();
  }

  private void load() throws IOException {
    CatalogState state = catalog.load();
    MemoryBlocks.Space space = new MemoryBlocks.Space(CAPACITY_BYTES);
    allocator = Allocator.restore(space, state.regions(), state.deferred());
    datasets =
        Datasets.open(
            new Datasets.Storage(
                catalog,
                new IntentLog(space, POOL, 0, state.pool().log()),
                allocator,
                blocks,
                SimulatedPool::extents,
                () -> Instant.ofEpochSecond(clock),
                System::nanoTime),
            state,
            budget);
    if (keepsCheckpoints) {
      datasets.checkpoints().enable(() -> Long.MAX_VALUE);
    }
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
    held = new TreeSet<>(committedHeld);
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
    update(head, changes);
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

  /**
   * Clones a part of an extent that something in the pool refers to, in place of what the dataset
   * has at a key.
   */
  void cloneRange(Extent source, int from, int sectors, String dataset, Key key, int padding)
      throws IOException {
    DatasetHead head = datasets.head(dataset);
    head.cloned(source.sector() + from, sectors);
    Extent made = new Extent(source.sector() + from, sectors, txg, source.write());
    byte[] before = model.get(dataset).put(key, made.encode(padding));
    if (before != null) {
      Extent old = Extent.decode(before);
      head.leaves(old.sector(), old.sectors(), old.birthTxg());
    }
    TreeMap<Key, Change> change = new TreeMap<>();
    change.put(key, Change.put(key, made.encode(padding)));
    update(head, change);
  }

  private void update(DatasetHead head, TreeMap<Key, Change> changes) throws IOException {
    ChangeSource source = ChangeSource.of(changes.values().iterator());
    head.synced(
        TreeUpdate.apply(new Tree(head.root(), blocks), source, head.nodeWriter()),
        head.nextObjectNumber() + 1,
        0);
  }

  /** Frees a piece of what was destroyed earlier. */
  void free() throws IOException {
    datasets.backgroundFrees().sync(txg, null);
  }

  void create(String dataset) throws IOException {
    datasets.tasks().createDataset(dataset, Map.of());
    model.put(dataset, new HashMap<>());
  }

  void snapshot(String dataset, String name) throws IOException {
    snapshot(List.of(dataset), name);
  }

  void snapshot(List<String> datasetNames, String name) throws IOException {
    datasets.tasks().snapshot(datasetNames, name, PropertySet.EMPTY);
    for (String dataset : datasetNames) {
      model.put(dataset + "@" + name, Map.copyOf(model.get(dataset)));
    }
  }

  void cloneSnapshot(String dataset, String snapshot, String name) throws IOException {
    datasets.tasks().cloneSnapshot(dataset, snapshot, name, Map.of());
    DatasetHead clone = datasets.head(name);
    assertEquals(clone.node().parent.nextObjectNumber, clone.nextObjectNumber(), "goes on");
    model.put(name, new HashMap<>(model.get(dataset + "@" + snapshot)));
  }

  void rollback(String dataset, String snapshot, String nameForOldHead) throws IOException {
    long nextObjectNumber = datasets.head(dataset).nextObjectNumber();
    datasets.tasks().rollback(dataset, snapshot, nameForOldHead);
    model.put(dataset + "@" + nameForOldHead, Map.copyOf(model.get(dataset)));
    model.put(dataset, new HashMap<>(model.get(dataset + "@" + snapshot)));
    assertEquals(nextObjectNumber, datasets.head(dataset).nextObjectNumber(), "goes on");
  }

  void rollbackAndDiscard(String dataset, String snapshot) throws IOException {
    long nextObjectNumber = datasets.head(dataset).nextObjectNumber();
    datasets.tasks().rollbackAndDiscard(dataset, snapshot);
    model.put(dataset, new HashMap<>(model.get(dataset + "@" + snapshot)));
    assertEquals(nextObjectNumber, datasets.head(dataset).nextObjectNumber(), "goes on");
  }

  void renameSnapshot(String dataset, String from, String to) throws IOException {
    datasets.tasks().renameSnapshot(dataset, from, to);
    rename(dataset + "@" + from, dataset + "@" + to);
  }

  void renameDataset(String from, String to) throws IOException {
    for (String old : datasets.tasks().renameDataset(from, to)) {
      String renamed = to + old.substring(from.length());
      for (String name : List.copyOf(model.keySet())) {
        if (belongsTo(name, old)) {
          rename(name, renamed + name.substring(old.length()));
        }
      }
    }
  }

  private void rename(String from, String to) {
    model.put(to, model.remove(from));
    if (held.remove(from)) {
      held.add(to);
    }
  }

  /**
   * @param snapshot null for the dataset itself
   */
  void setProperty(String dataset, String snapshot, String name, String value) throws IOException {
    datasets.tasks().setProperties(dataset, snapshot, Map.of(name, value));
  }

  /** Holds a snapshot that is not held, or releases it. */
  void toggleHold(String dataset, String snapshot) throws IOException {
    if (held.add(dataset + "@" + snapshot)) {
      datasets.tasks().hold(dataset, snapshot, "tag");
    } else {
      datasets.tasks().release(dataset, snapshot, "tag");
      held.remove(dataset + "@" + snapshot);
    }
  }

  void destroySnapshot(String dataset, String snapshot) throws IOException {
    destroySnapshots(dataset, List.of(snapshot));
  }

  void destroySnapshots(String dataset, List<String> snapshots) throws IOException {
    datasets.tasks().destroySnapshots(dataset, snapshots);
    snapshots.forEach(snapshot -> model.remove(dataset + "@" + snapshot));
  }

  /** With its snapshots and all below it. */
  void destroyDataset(String dataset) throws IOException {
    List<String> gone =
        datasets.tasks().destroyDataset(dataset, DatasetTasks.Recursion.DESCENDANTS);
    gone.forEach(old -> model.keySet().removeIf(name -> belongsTo(name, old)));
  }

  private static boolean belongsTo(String name, String dataset) {
    return name.equals(dataset) || name.startsWith(dataset + "@");
  }

  CommitBatch prepareCommit() throws IOException {
    datasets.keepCheckpoints();
    datasets.writeDirectory();
    return datasets.prepareCommit();
  }

  void commit() throws IOException {
    catalog.commit(prepareCommit());
    committed();
  }

  void committed() {
    datasets.committed();
    datasets.backgroundFrees().published(txg);
    followCheckpoints();
    committedModel = copy(model);
    committedHeld = Set.copyOf(held);
  }

  /** Those that were taken have what their datasets have; those that are gone are forgotten. */
  private void followCheckpoints() {
    Map<String, NodeKind> kinds = new HashMap<>();
    for (NodeRecord node : datasets.nodes()) {
      if (!node.name().isEmpty()) {
        kinds.put(fullName(node), node.kind());
        if (node.kind() == NodeKind.CHECKPOINT && !model.containsKey(fullName(node))) {
          assertEquals(txg, node.txg(), "taken now");
          model.put(fullName(node), Map.copyOf(model.get(node(node.dataset()).name())));
        }
      }
    }
    model.keySet().removeIf(name -> isCheckpointName(name) && !kinds.containsKey(name));
  }

  static boolean isCheckpointName(String name) {
    return name.contains("@checkpoint");
  }

  NodeRecord node(int id) {
    return datasets.node(id).orElseThrow();
  }

  Optional<NodeRecord> node(String fullName) {
    return datasets.nodes().stream().filter(node -> fullName(node).equals(fullName)).findAny();
  }

  String fullName(NodeRecord node) {
    if (node.kind() == NodeKind.HEAD) {
      return node.name();
    }
    return node(node.dataset()).name() + "@" + node.name();
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
