package io.cowfs.core.dataset;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.Reference;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.device.DamagedIndexException;
import io.cowfs.core.txg.IntentLog;
import io.cowfs.core.txg.LogPosition;
import io.cowfs.core.txg.Participant;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * The datasets and snapshots of an open pool. What the sync of a txg does with them, in this order,
 * all on the sync thread:
 *
 * <ol>
 *   <li>{@link #beginSync}
 *   <li>each changed head is synced: {@link DatasetHead#nodeWriter}, {@link DatasetHead#synced};
 *       {@link #backgroundFrees} frees a piece of what was destroyed earlier
 *   <li>the sync tasks: the methods of {@link #tasks}; each of them validates before it changes
 *       anything
 *   <li>{@link #keepCheckpoints}
 *   <li>{@link #writeDirectory}, which allocates and frees as well, so nothing may follow it that
 *       does; then the caller flushes the block writer
 *   <li>{@link #prepareCommit}, which takes the changes of the allocator
 *   <li>the caller syncs the device, then calls {@link Catalog#commit}
 *   <li>{@link #committed}; the root record goes into the ring
 * </ol>
 *
 * <p>A head is never changed after the tasks of its txg began: what is born then would count as
 * born before a snapshot that a task took.
 *
 * <p>A storage error in between means that the pool must commit no more: memory is then ahead of
 * what is durable.
 *
 * <p>What tells the state of the last commit may be called by any thread.
 */
public final class Datasets {
  private final Storage storage;
  private final UUID pool;
  private final IdCounter ids;
  private final Deadlists deadlists;
  private final SharedRanges shared;
  private final CondemnedSpace condemned;
  private final History history;
  private final DatasetDirectory directory;
  private final BackgroundFrees frees;
  private final Checkpoints checkpoints;
  private final DatasetTasks tasks;
  private final CommittedHistory committed;
  private final Map<String, DatasetHead> heads = new ConcurrentHashMap<>();

  /** Owned by the sync thread; null outside of a sync. */
  private TxgSync sync;

  /** Heads with another root since the txg began. Owned by the sync thread. */
  private final Set<DatasetNode> changedHeads = new LinkedHashSet<>();

  /** Owned by the sync thread. */
  private final List<byte[]> droppedChunks = new ArrayList<>();

  /** Owned by the sync thread; null when the txg has nothing of a scrub to keep. */
  private ScrubChange scrubChange;

  private final IntentLog log;

  /** As the txg in work has it. Owned by the sync thread. */
  private LogPosition logStart;

  private long lastTxg;
  private volatile SpaceTotals totals;
  private volatile CatalogState.SharedTotals sharedTotals;

  /**
   * What the datasets stand on.
   *
   * @param reader of nodes
   * @param log what goes beyond a commit, whose place is committed with it
   * @param scanner tells which items refer to data extents
   * @param clock for the time of creation of datasets and snapshots
   * @param nanoTime by which long work is cut into pieces, as {@link System#nanoTime}
   */
  public record Storage(
      Catalog catalog,
      IntentLog log,
      Allocator allocator,
      NodeReader reader,
      ExtentScanner scanner,
      InstantSource clock,
      LongSupplier nanoTime) {}

  /**
   * Sums over the whole pool as of the last commit, in sectors. What is allocated is {@code
   * referenced + condemned - saved + directory}, and what the allocator holds back.
   *
   * @param referenced by all datasets and snapshots: each reference once, cloned ranges each time
   * @param condemned destroyed, and not freed yet
   * @param saved references beyond the first of each shared range
   * @param directory of the directory of datasets
   */
  public record SpaceTotals(long referenced, long condemned, long saved, long directory) {}

  private Datasets(Storage storage, CatalogState state, BackgroundFrees.Budget budget) {
    this.storage = storage;
    PoolRecord record = state.pool();
    pool = record.pool();
    log = storage.log();
    lastTxg = record.txg();
    ids = new IdCounter(record.nextId());
    deadlists = new Deadlists(storage.catalog()::readDeadlist, new Lists(), ids);
    shared =
        new SharedRanges(
            storage.catalog()::readShared, state.shared().ranges(), state.shared().savedSectors());
    condemned = new CondemnedSpace(state.condemned());
    history = new History(record.nextNode(), state.nodes(), deadlists, ids, condemned);
    state.properties().forEach((id, properties) -> history.node(id).properties = properties);
    directory = new DatasetDirectory(storage.reader(), record);
    frees = new BackgroundFrees(this, storage, condemned, budget);
    for (DatasetNode node : history.nodes()) {
      if (node.isHead()) {
        heads.put(node.name, new DatasetHead(this, node));
      }
    }
    tasks = new DatasetTasks(this, history, storage.clock());
    checkpoints = new Checkpoints(history);
    committed = new CommittedHistory(state.nodes(), state.properties());
    refreshSettings();
    totals = currentTotals();
    sharedTotals = shared.totals();
  }

  /**
   * Takes over what the index says. A new pool has no datasets before {@link
   * DatasetTasks#createRoot}.
   *
   * @param state from which the allocator was restored too
   * @throws DamagedIndexException when the records do not fit together
   */
  public static Datasets open(Storage storage, CatalogState state) throws IOException {
    return open(storage, state, BackgroundFrees.Budget.USUAL);
  }

  /** With another bound for what is freed in one txg. */
  static Datasets open(Storage storage, CatalogState state, BackgroundFrees.Budget budget)
      throws IOException {
    try {
      HistoryCheck.check(state);
    } catch (BadRecordException e) {
      throw new DamagedIndexException(
          "the index %s: %s".formatted(storage.catalog().name(), e.getMessage()), e);
    }
    return new Datasets(storage, state, budget);
  }

  // ---- for any thread

  /**
   * The head of a dataset.
   *
   * @throws DatasetException NOT_FOUND
   */
  public DatasetHead head(String name) throws DatasetException {
    DatasetHead head = heads.get(name);
    if (head == null) {
      throw notFound("dataset", name);
    }
    return head;
  }

  /** The heads of all datasets, in no order. */
  public List<DatasetHead> heads() {
    return List.copyOf(heads.values());
  }

  /** Datasets by name, each followed by its snapshots from old to new; as of the last commit. */
  public List<DatasetInfo> list() {
    return new DatasetList(committed.nodes()).build();
  }

  /** All nodes of the history, also those without a name; as of the last commit. */
  public List<NodeRecord> nodes() {
    return committed.nodes();
  }

  /** The node with an id; as of the last commit. */
  public Optional<NodeRecord> node(int id) {
    return committed.node(id);
  }

  /**
   * A snapshot or checkpoint, as of the last commit.
   *
   * @throws DatasetException NOT_FOUND, INVALID_NAME, NAME_TOO_LONG
   */
  public NodeRecord snapshot(String dataset, String name) throws DatasetException {
    Names.requireSnapshot(name);
    return committed
        .snapshot(head(dataset).id(), name)
        .orElseThrow(() -> notFound("snapshot", dataset + "@" + name));
  }

  /** The snapshots and checkpoints of a dataset from old to new, as of the last commit. */
  public List<NodeRecord> snapshots(String dataset) throws DatasetException {
    List<NodeRecord> snapshots =
        new ArrayList<>(committed.snapshotsOf(head(dataset).id()).byId().values());
    snapshots.sort(DatasetList.OLD_TO_NEW);
    return snapshots;
  }

  /** What a dataset or a snapshot itself says, as of the last commit. */
  public PropertySet properties(int node) {
    return committed.properties(node);
  }

  /**
   * The properties in force for a dataset, or for one of its snapshots; as of the last commit.
   *
   * @param snapshot null for the dataset
   * @throws DatasetException NOT_FOUND
   */
  public PropertyResolution resolution(String dataset, String snapshot) throws DatasetException {
    head(dataset);
    if (snapshot == null) {
      return PropertyResolution.ofDataset(dataset, this::committedProperties);
    }
    PropertySet own = committed.properties(snapshot(dataset, snapshot).id());
    return PropertyResolution.ofSnapshot(dataset, own, this::committedProperties);
  }

  private PropertySet committedProperties(String dataset) {
    return committed
        .head(dataset)
        .map(head -> committed.properties(head.id()))
        .orElse(PropertySet.EMPTY);
  }

  /** As of the last commit. */
  public SpaceTotals totals() {
    return totals;
  }

  /** What was destroyed and is not freed yet, in bytes; as of the last commit. */
  public long destroyingBytes() {
    return totals.condemned() * BlockPointer.SECTOR_BYTES;
  }

  /**
   * What would be freed by a destruction that was tried in the last commit or since, in bytes.
   *
   * @param tried by {@link DatasetTasks}; what it names must be held by the caller
   */
  public long bytesFreedBy(List<Condemned> tried) throws IOException {
    CatalogState.SharedTotals now = sharedTotals;
    SharedRanges scratch =
        new SharedRanges(storage.catalog()::readShared, now.ranges(), now.savedSectors());
    return new FreedSpace(storage, scratch).of(tried) * BlockPointer.SECTOR_BYTES;
  }

  /**
   * How often ranges were cloned since the pool was opened: another number says that data may have
   * references now that are younger than itself.
   */
  public long clonedRanges() {
    return shared.increments();
  }

  /**
   * The txg of the youngest state that a dataset continues and that is not let go of by itself, as
   * a checkpoint is; 0 where there is none. As of the last commit.
   *
   * @param head the id of the dataset's head
   */
  public long keptUntilTxg(int head) {
    Map<Integer, NodeRecord> nodes = new HashMap<>();
    Map<Integer, Integer> children = new HashMap<>();
    for (NodeRecord node : committed.nodes()) {
      nodes.put(node.id(), node);
      children.merge(node.parent(), 1, Integer::sum);
    }
    NodeRecord from = nodes.get(head);
    NodeRecord above = from == null ? null : nodes.get(from.parent());
    while (above != null
        && above.kind() == NodeKind.CHECKPOINT
        && children.get(above.id()) == 1
        && committed.properties(above.id()).holds().isEmpty()) {
      above = nodes.get(above.parent());
    }
    return above == null ? 0 : above.txg();
  }

  /** Whether any sector of a reference has a further one, as of the last commit. */
  public boolean hasFurtherReferences(Reference reference) throws IOException {
    if (sharedTotals.ranges() == 0) {
      return false;
    }
    boolean[] found = new boolean[1];
    for (int i = 0; i < reference.places(); i++) {
      long sector = reference.place(i);
      storage.catalog().readShared(sector, sector + reference.sectors(), range -> found[0] = true);
    }
    return found[0];
  }

  /** The same as the txg in work has it. Sync thread. */
  boolean isSharedNow(Reference reference) throws IOException {
    for (int i = 0; i < reference.places(); i++) {
      long sector = reference.place(i);
      if (!shared.overlapping(sector, sector + reference.sectors()).isEmpty()) {
        return true;
      }
    }
    return false;
  }

  /** What a scrub may read, by the properties of the pool. */
  public OptionalLong scrubBytesPerSecond() {
    DatasetHead root = heads.get(Names.ROOT_DATASET);
    return root == null ? OptionalLong.empty() : root.settings().scrubBytesPerSecond();
  }

  /** What may be moved to defragment files, by the properties of the pool. */
  public OptionalLong defragBytesPerSecond() {
    DatasetHead root = heads.get(Names.ROOT_DATASET);
    return root == null ? OptionalLong.empty() : root.settings().defragBytesPerSecond();
  }

  /**
   * With how many surplus runs for each mebibyte a file is defragmented in the background, by the
   * properties of the pool; empty for never.
   */
  public OptionalInt defragRunsPerMebibyte() {
    DatasetHead root = heads.get(Names.ROOT_DATASET);
    return root == null ? OptionalInt.empty() : root.settings().defragRunsPerMebibyte();
  }

  /** The automatic keeping of roots. */
  public Checkpoints checkpoints() {
    return checkpoints;
  }

  /** The snapshots of a dataset as of the last commit, which follow each commit. */
  public SnapshotIndex.OfDataset snapshots(DatasetHead head) {
    return committed.snapshotsOf(head.id());
  }

  // ---- the sync of a txg

  /** What frees the space of what was destroyed, a piece in each txg. */
  public Participant backgroundFrees() {
    return frees;
  }

  /**
   * A txg begins to sync.
   *
   * @param txg newer than all before
   * @param sink where tree nodes are written until {@link #committed}
   */
  public void beginSync(long txg, BlockSink sink) {
    if (sync != null || txg <= lastTxg) {
      throw new IllegalStateException("txg " + txg + " cannot sync after txg " + lastTxg);
    }
    sync = new TxgSync(txg, sink, storage.allocator(), shared);
    changedHeads.clear();
    scrubChange = null;
  }

  /** The txg keeps how far a scrub has come; called by its tasks, once at most in each txg. */
  public void keep(ScrubChange change) {
    sync();
    if (scrubChange != null) {
      throw new IllegalStateException("two scrubs in one txg");
    }
    scrubChange = change;
  }

  /** The changes that a task may make. */
  public DatasetTasks tasks() {
    return tasks;
  }

  /** Keeps the roots of this txg where that is due, and lets go of those that are too old. */
  public void keepCheckpoints() throws IOException {
    List<DatasetHead> changed = new ArrayList<>();
    for (DatasetHead head : heads.values()) {
      if (changedHeads.contains(head.node())) {
        changed.add(head);
      }
    }
    checkpoints.keep(heads.values(), changed, sync().txg(), storage.clock().instant());
  }

  /**
   * Writes the dataset directory with everything that the txg changed.
   *
   * @return its new root, for the root record
   */
  public BlockPointer writeDirectory() throws IOException {
    directory.apply(record(Optional.empty(), 0), history, sync());
    return directory.root().orElseThrow();
  }

  /** Collects all changes of the txg for the index; {@link #writeDirectory} came before. */
  public CommitBatch prepareCommit() throws IOException {
    return new CommitBatch(
        record(directory.root(), directory.sectors()),
        history.changes(),
        deadlists.changes(),
        List.copyOf(droppedChunks),
        condemned.changes(),
        shared.changes(),
        storage.allocator().takeChanges(sync().txg()),
        Optional.ofNullable(scrubChange));
  }

  private PoolRecord record(Optional<BlockPointer> directoryRoot, long directorySectors) {
    logStart = log.positionAfter(sync().txg());
    return new PoolRecord(
        pool,
        sync().txg(),
        history.nextNode(),
        ids.next(),
        directoryRoot,
        directorySectors,
        logStart);
  }

  /** The txg is durable. */
  public void committed() {
    lastTxg = sync().txg();
    log.committed(logStart);
    committed.apply(history.changes());
    history.committed();
    deadlists.committed();
    droppedChunks.clear();
    condemned.committed();
    shared.committed();
    totals = currentTotals();
    sharedTotals = shared.totals();
    sync = null;
  }

  private SpaceTotals currentTotals() {
    return new SpaceTotals(
        history.uniqueSectors(), condemned.sectors(), shared.savedSectors(), directory.sectors());
  }

  // ---- for this package, on the sync thread

  /** A head joins, or leaves, or has another name. */
  void enter(DatasetNode head) {
    DatasetHead entered = new DatasetHead(this, head);
    heads.put(head.name, entered);
  }

  void leave(String dataset) {
    heads.remove(dataset);
  }

  void rename(String from, String to) {
    heads.put(to, heads.remove(from));
  }

  /** Properties, or who is above whom, have changed. */
  void refreshSettings() {
    for (DatasetHead head : heads.values()) {
      head.setSettings(
          PropertyResolution.ofDataset(
                  head.name(),
                  name -> {
                    DatasetHead above = heads.get(name);
                    return above == null ? PropertySet.EMPTY : above.node().properties;
                  })
              .settings());
    }
  }

  static DatasetException notFound(String what, String name) {
    return new DatasetException(Reason.NOT_FOUND, "there is no %s '%s'".formatted(what, name));
  }

  TxgSync sync() {
    if (sync == null) {
      throw new IllegalStateException("no txg is syncing");
    }
    return sync;
  }

  Deadlists deadlists() {
    return deadlists;
  }

  /** All nodes as the current txg has them. */
  Collection<DatasetNode> liveNodes() {
    return history.nodes();
  }

  long historyShape() {
    return history.shape();
  }

  NodeReader reader() {
    return storage.reader();
  }

  /** A chunk of references is used up. */
  void dropChunk(byte[] key) {
    droppedChunks.add(key);
  }

  private final class Lists implements Deadlists.Lists {
    @Override
    public List<Catalog.Chunk> firstChunks(long list, long references) throws IOException {
      return storage.catalog().readChunks(list, references);
    }

    @Override
    public void drop(Catalog.Chunk chunk) {
      dropChunk(chunk.key());
    }
  }

  /** The head has another root. */
  void changed(DatasetNode head) {
    history.touch(head);
    changedHeads.add(head);
  }
}
