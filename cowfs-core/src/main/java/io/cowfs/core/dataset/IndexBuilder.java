package io.cowfs.core.dataset;

import io.cowfs.core.alloc.RegionBitmap;
import io.cowfs.core.alloc.SpaceChanges;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.device.DamagedIndexException;
import io.cowfs.core.txg.LogPosition;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Makes the index of a pool anew, beside the one that is there, from a dataset directory and what a
 * walk finds. Nothing is condemned or pending in it: what only waited to be freed is free.
 *
 * <p>It is filled in several transactions, so that none is too large; until {@link #install}, what
 * was made is worth nothing, and {@link #close} removes it. Confined to one thread, which has the
 * lock of the pool.
 */
public final class IndexBuilder implements Closeable {
  /** References and shared ranges in one transaction. */
  private static final int RECORDS_AT_ONCE = 100_000;

  private final Path poolDirectory;
  private final CatalogState directory;
  private final PoolRecord pool;
  private final IdCounter ids;
  private final Catalog catalog;
  private final Map<Integer, NodeRecord> nodes = new HashMap<>();

  /** The txgs of a node's ancestors, by the node's id; of the node that was added to last. */
  private final Map<Integer, NavigableSet<Long>> ancestors = new HashMap<>();

  // What waits for the next transaction.
  private final Map<DeadlistPart, Long> parts = new TreeMap<>();
  private final Map<PartKey, DeadlistPart> partsByKey = new HashMap<>();
  private final Map<Long, ReferenceList> lists = new HashMap<>();
  private final Map<Long, SharedRange> shared = new HashMap<>();
  private int waiting;

  private record PartKey(long deadlist, long bornAfter) {}

  private IndexBuilder(Path poolDirectory, CatalogState directory, long txg, long capacityBytes)
      throws IOException {
    this.poolDirectory = poolDirectory;
    this.directory = directory;
    PoolRecord then = directory.pool();
    this.pool =
        new PoolRecord(
            then.pool(),
            txg,
            then.nextNode(),
            then.nextId(),
            then.directoryRoot(),
            then.directorySectors(),
            // What was logged goes on from the newest commit, not from one that was gone back to.
            txg == then.txg() ? then.log() : LogPosition.anew(txg));
    this.ids = new IdCounter(then.nextId());
    directory.nodes().forEach(node -> nodes.put(node.id(), node));
    this.catalog = Catalog.createAside(poolDirectory, then.pool(), capacityBytes);
  }

  /**
   * Reads a dataset directory: the nodes of the history with their properties, and the ids that
   * come next. They form a history; everything else of the state is empty.
   *
   * @throws io.cowfs.core.block.CorruptBlockException when it is damaged
   */
  public static CatalogState readDirectory(BlockPointer root, NodeReader reader)
      throws IOException {
    return DatasetDirectory.read(root, reader);
  }

  /**
   * Begins an index.
   *
   * @param directory as {@link #readDirectory} gave it
   * @param txg that counts as the last committed one; not older than the directory
   * @param capacityBytes of the pool; 0 for no limit
   */
  public static IndexBuilder begin(
      Path poolDirectory, CatalogState directory, long txg, long capacityBytes) throws IOException {
    return new IndexBuilder(poolDirectory, directory, txg, capacityBytes);
  }

  /** Adds to the deadlist of a node: a reference that its parent has and it has not. */
  public void addLost(NodeRecord node, long sector, long sectors, long birthTxg)
      throws IOException {
    long bornAfter = youngestAncestorBefore(node, birthTxg);
    DeadlistPart part =
        partsByKey.computeIfAbsent(
            new PartKey(node.deadlist(), bornAfter),
            key -> new DeadlistPart(key.deadlist(), key.bornAfter(), ids.take()));
    parts.merge(part, sectors, Long::sum);
    ReferenceList list = lists.computeIfAbsent(part.list(), id -> new ReferenceList());
    for (long at = sector; at < sector + sectors; at += ReferenceList.MAX_SECTORS) {
      list.add(at, (int) Math.min(ReferenceList.MAX_SECTORS, sector + sectors - at), birthTxg);
      waiting++;
    }
    flushIfLarge();
  }

  private long youngestAncestorBefore(NodeRecord node, long birthTxg) {
    NavigableSet<Long> txgs = ancestors.get(node.id());
    if (txgs == null) {
      txgs = new TreeSet<>();
      for (NodeRecord at = nodes.get(node.parent()); at != null; at = nodes.get(at.parent())) {
        txgs.add(at.txg());
      }
      ancestors.clear();
      ancestors.put(node.id(), txgs);
    }
    Long txg = txgs.lower(birthTxg);
    return txg == null ? 0 : txg;
  }

  /** Adds a range of sectors with several references; ranges come in ascending order. */
  public void addShared(long sector, long sectors, int references) throws IOException {
    for (long at = sector; at < sector + sectors; at += SharedRange.MAX_SECTORS) {
      int length = (int) Math.min(SharedRange.MAX_SECTORS, sector + sectors - at);
      shared.put(at, new SharedRange(at, length, references));
      waiting++;
    }
    flushIfLarge();
  }

  private void flushIfLarge() throws IOException {
    if (waiting >= RECORDS_AT_ONCE) {
      commit(new HistoryChanges(List.of(), Map.of(), Set.of()), List.of());
    }
  }

  private void commit(HistoryChanges history, List<RegionBitmap> regions) throws IOException {
    PoolRecord now =
        new PoolRecord(
            pool.pool(),
            pool.txg(),
            pool.nextNode(),
            ids.next(),
            pool.directoryRoot(),
            pool.directorySectors(),
            pool.log());
    catalog.commit(
        new CommitBatch(
            now,
            history,
            new Deadlists.Changes(parts, lists),
            List.of(),
            Map.of(),
            shared,
            new SpaceChanges(regions, new byte[0], new long[0]),
            Optional.empty()));
    parts.clear();
    partsByKey.clear();
    lists.clear();
    shared.clear();
    waiting = 0;
  }

  /**
   * Completes the index, reads it back, and puts it in the place of the pool's own, durably.
   *
   * @param regions what is in use
   * @param suffix for the name of the old one, which is kept
   * @return the old index; null when there was none
   */
  public Path install(List<RegionBitmap> regions, String suffix) throws IOException {
    commit(new HistoryChanges(directory.nodes(), directory.properties(), new TreeSet<>()), regions);
    try {
      HistoryCheck.check(catalog.load());
    } catch (BadRecordException e) {
      throw new DamagedIndexException("the new index: " + e.getMessage(), e);
    }
    catalog.close();
    return Catalog.install(poolDirectory, suffix);
  }

  /** Removes what was made and not installed. */
  @Override
  public void close() throws IOException {
    catalog.close();
    Catalog.removeAside(poolDirectory);
  }
}
