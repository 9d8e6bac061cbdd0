package io.cowfs.core.dataset;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.device.DamagedPoolException;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The datasets and snapshots of an open pool. What the sync of a txg does with them, in this order,
 * all on the sync thread:
 *
 * <ol>
 *   <li>{@link #beginSync}
 *   <li>each changed head is synced: {@link DatasetHead#nodeWriter}, {@link DatasetHead#synced}
 *   <li>the sync tasks: the methods here that throw {@link DatasetException}; each of them
 *       validates and reads everything it needs before it changes anything
 *   <li>{@link #writeDirectory}, which allocates and frees as well, so nothing may follow it that
 *       does; then the caller flushes the block writer
 *   <li>{@link #prepareCommit}, which takes the changes of the allocator
 *   <li>the caller syncs the device, then calls {@link Catalog#commit}
 *   <li>{@link #committed}; the root record goes into the ring
 * </ol>
 *
 * <p>A storage error in between means that the pool must commit no more: memory is then ahead of
 * what is durable.
 *
 * <p>{@link #head}, {@link #heads}, {@link #list}, {@link #nodes} and {@link #snapshots} may be
 * called by any thread.
 */
public final class Datasets {
  private final Storage storage;
  private final UUID pool;
  private final Deadlists deadlists;
  private final History history;
  private final DatasetDirectory directory;
  private final Map<String, DatasetHead> heads = new ConcurrentHashMap<>();

  /** Owned by the sync thread; null outside of a sync. */
  private TxgSync sync;

  private long lastTxg;
  private volatile List<NodeRecord> committedNodes;
  private final SnapshotIndex snapshots;

  /**
   * What the datasets stand on.
   *
   * @param reader of nodes
   * @param scanner tells which items refer to data extents
   * @param clock for the time of creation of datasets and snapshots
   */
  public record Storage(
      Catalog catalog,
      Allocator allocator,
      NodeReader reader,
      ExtentScanner scanner,
      InstantSource clock) {}

  /** What happens to the snapshots of a dataset that is destroyed. */
  public enum Recursion {
    /** A dataset with snapshots is not destroyed. */
    NONE,
    /** They are destroyed too. */
    SNAPSHOTS
  }

  private Datasets(Storage storage, CatalogState state) {
    this.storage = storage;
    pool = state.pool().pool();
    lastTxg = state.pool().txg();
    deadlists = new Deadlists(storage.catalog());
    history = new History(state.pool(), state.nodes(), deadlists);
    directory = new DatasetDirectory(storage.reader(), state.pool().directoryRoot());
    for (DatasetNode node : history.nodes()) {
      if (node.isHead()) {
        heads.put(node.name, new DatasetHead(this, node));
      }
    }
    committedNodes = List.copyOf(state.nodes());
    snapshots = new SnapshotIndex(committedNodes);
  }

  /**
   * Takes over what the index says. A new pool has no datasets before {@link #createRoot}.
   *
   * @param state from which the allocator was restored too
   * @throws DamagedPoolException when the records do not fit together
   */
  public static Datasets open(Storage storage, CatalogState state) throws IOException {
    try {
      HistoryCheck.check(state);
    } catch (BadRecordException e) {
      throw new DamagedPoolException(
          "the index %s: %s".formatted(storage.catalog().name(), e.getMessage()), e);
    }
    return new Datasets(storage, state);
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
    return new DatasetList(committedNodes).build();
  }

  /** All nodes of the history, also those without a name; as of the last commit. */
  public List<NodeRecord> nodes() {
    return committedNodes;
  }

  /** The snapshots of a dataset as of the last commit, which follow each commit. */
  public SnapshotIndex.OfDataset snapshots(DatasetHead head) {
    return snapshots.of(head.id());
  }

  // ---- the sync of a txg

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
    sync = new TxgSync(txg, sink, storage.allocator());
  }

  /**
   * Writes the dataset directory with everything that the txg changed.
   *
   * @return its new root, for the root record
   */
  public BlockPointer writeDirectory() throws IOException {
    directory.apply(
        new PoolRecord(
            pool, sync().txg(), history.nextNode(), history.nextDeadlist(), Optional.empty()),
        history.changes(),
        sync());
    return directory.root().orElseThrow();
  }

  /** Collects all changes of the txg for the index; {@link #writeDirectory} came before. */
  public CommitBatch prepareCommit() throws IOException {
    long txg = sync().txg();
    PoolRecord record =
        new PoolRecord(pool, txg, history.nextNode(), history.nextDeadlist(), directory.root());
    return new CommitBatch(
        record, history.changes(), deadlists.changes(), storage.allocator().takeChanges(txg));
  }

  /** The txg is durable. */
  public void committed() {
    lastTxg = sync().txg();
    HistoryChanges changes = history.changes();
    snapshots.apply(changes.changed(), changes.removed());
    history.committed();
    deadlists.committed();
    committedNodes = history.nodes().stream().map(DatasetNode::record).toList();
    sync = null;
  }

  // ---- sync tasks

  /** The first dataset of a new pool. */
  public DatasetHead createRoot(CompressionSetting compression) throws DatasetException {
    requireAbsent(Names.ROOT_DATASET);
    return addHead(Names.ROOT_DATASET, compression);
  }

  /**
   * A new, empty dataset with the settings of the one above it, or of {@code root}.
   *
   * @throws DatasetException INVALID_NAME, NAME_TOO_LONG, EXISTS, or NOT_FOUND for the one above
   */
  public DatasetHead createDataset(String name) throws DatasetException {
    Names.requireDataset(name);
    requireAbsent(name);
    String above = Names.parentOf(name);
    DatasetHead model = head(above.isEmpty() ? Names.ROOT_DATASET : above);
    return addHead(name, model.compression());
  }

  /**
   * Keeps the state of a dataset as of this txg under a name.
   *
   * @throws DatasetException NOT_FOUND, INVALID_NAME, NAME_TOO_LONG, EXISTS
   */
  public void snapshot(String dataset, String name) throws DatasetException {
    DatasetNode head = head(dataset).node();
    requireSnapshotAbsent(head, name);
    history.snapshot(head, name, sync().txg(), storage.clock().instant());
  }

  /**
   * Gives a snapshot another name.
   *
   * @throws DatasetException NOT_FOUND, INVALID_NAME, NAME_TOO_LONG, EXISTS
   */
  public void renameSnapshot(String dataset, String snapshot, String newName)
      throws DatasetException {
    DatasetNode head = head(dataset).node();
    DatasetNode node = requireSnapshot(head, snapshot);
    requireSnapshotAbsent(head, newName);
    history.rename(node, newName);
  }

  /**
   * Makes a dataset what it was at a snapshot. What it is now becomes a snapshot too; newer
   * snapshots stay.
   *
   * @throws DatasetException NOT_FOUND, INVALID_NAME, NAME_TOO_LONG, EXISTS
   */
  public void rollback(String dataset, String snapshot, String nameForOldHead)
      throws DatasetException {
    DatasetNode head = head(dataset).node();
    DatasetNode target = requireSnapshot(head, snapshot);
    requireSnapshotAbsent(head, nameForOldHead);
    history.rollback(head, target, nameForOldHead, sync().txg(), storage.clock().instant());
  }

  /**
   * Destroys a snapshot. What only it reached is freed, unless several others continue it: then
   * that waits until only one does.
   *
   * @throws DatasetException NOT_FOUND
   */
  public void destroySnapshot(String dataset, String snapshot) throws IOException {
    DatasetNode node = requireSnapshot(head(dataset).node(), snapshot);
    DestructionPlan plan = plan();
    switch (node.children.size()) {
      case 0 -> destroyLeaf(node, plan);
      case 1 -> history.collapse(plan.collapse(node, node.children.get(0)), sync());
      default -> history.loseName(node);
    }
  }

  /** The parent collapses too when it has no name and one child is left. */
  private void destroyLeaf(DatasetNode node, DestructionPlan plan) throws IOException {
    DestructionPlan.Leaf leaf = plan.leaf(node);
    DatasetNode parent = node.parent;
    DestructionPlan.Collapse collapse = null;
    if (parent != null && parent.isNameless() && parent.children.size() == 2) {
      int other = parent.children.get(0) == node ? 1 : 0;
      collapse = plan.collapse(parent, parent.children.get(other));
    }
    history.destroyLeaf(leaf, sync());
    if (collapse != null) {
      history.collapse(collapse, sync());
    }
  }

  /**
   * Destroys a dataset, which must not be mounted.
   *
   * @throws DatasetException NOT_FOUND, or BUSY when it has datasets below it, has snapshots that
   *     are to stay, or is {@code root}
   */
  public void destroyDataset(String name, Recursion recursion) throws IOException {
    DatasetNode head = head(name).node();
    if (name.equals(Names.ROOT_DATASET)) {
      throw new DatasetException(
          Reason.BUSY, "dataset '%s' is the pool's own and stays".formatted(name));
    }
    for (String other : heads.keySet()) {
      if (other.startsWith(name + "/")) {
        throw new DatasetException(
            Reason.BUSY, "dataset '%s' has datasets below it, such as '%s'".formatted(name, other));
      }
    }
    List<DatasetNode> leavesFirst = leavesFirst(head);
    if (recursion == Recursion.NONE && leavesFirst.size() > 1) {
      throw new DatasetException(Reason.BUSY, "dataset '%s' has snapshots".formatted(name));
    }
    DestructionPlan plan = plan();
    List<DestructionPlan.Leaf> leaves = new ArrayList<>();
    for (DatasetNode node : leavesFirst) {
      leaves.add(plan.leaf(node));
    }
    for (DestructionPlan.Leaf leaf : leaves) {
      history.destroyLeaf(leaf, sync());
    }
    heads.remove(name);
  }

  /** All nodes of a dataset, children before parents. */
  private static List<DatasetNode> leavesFirst(DatasetNode head) {
    DatasetNode oldest = head;
    while (oldest.parent != null) {
      oldest = oldest.parent;
    }
    List<DatasetNode> order = new ArrayList<>();
    Deque<DatasetNode> toVisit = new ArrayDeque<>(List.of(oldest));
    while (!toVisit.isEmpty()) {
      DatasetNode node = toVisit.pop();
      order.add(node);
      toVisit.addAll(node.children);
    }
    Collections.reverse(order);
    return order;
  }

  private DatasetHead addHead(String name, CompressionSetting compression) {
    DatasetNode node = history.addHead(name, sync().txg(), storage.clock().instant(), compression);
    DatasetHead head = new DatasetHead(this, node);
    heads.put(name, head);
    return head;
  }

  private DestructionPlan plan() {
    return new DestructionPlan(deadlists, storage.reader(), storage.scanner());
  }

  private void requireAbsent(String dataset) throws DatasetException {
    if (heads.containsKey(dataset)) {
      throw new DatasetException(Reason.EXISTS, "dataset '%s' exists already".formatted(dataset));
    }
  }

  private void requireSnapshotAbsent(DatasetNode head, String name) throws DatasetException {
    Names.requireSnapshot(name);
    if (findSnapshot(head, name) != null) {
      throw new DatasetException(
          Reason.EXISTS, "snapshot '%s@%s' exists already".formatted(head.name, name));
    }
  }

  private DatasetNode requireSnapshot(DatasetNode head, String name) throws DatasetException {
    Names.requireSnapshot(name);
    DatasetNode snapshot = findSnapshot(head, name);
    if (snapshot == null) {
      throw notFound("snapshot", head.name + "@" + name);
    }
    return snapshot;
  }

  private DatasetNode findSnapshot(DatasetNode head, String name) {
    for (DatasetNode node : history.nodes()) {
      if (!node.isHead() && node.dataset == head.dataset && node.name.equals(name)) {
        return node;
      }
    }
    return null;
  }

  private static DatasetException notFound(String what, String name) {
    return new DatasetException(Reason.NOT_FOUND, "there is no %s '%s'".formatted(what, name));
  }

  // ---- for the heads

  TxgSync sync() {
    if (sync == null) {
      throw new IllegalStateException("no txg is syncing");
    }
    return sync;
  }

  Deadlists deadlists() {
    return deadlists;
  }

  NodeReader reader() {
    return storage.reader();
  }

  void touch(DatasetNode node) {
    history.touch(node);
  }
}
