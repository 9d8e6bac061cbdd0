package io.cowfs.core.scrub;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.MediumReader;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.RangeWalk;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.dataset.ScrubRecord;
import io.cowfs.core.dataset.ScrubRecord.Stage;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Reads what a round of a scrub covers, piece by piece, while the pool is in use. The package's
 * description says in which order, and why nothing is missed. Confined to one thread.
 */
final class ScrubWalk implements Closeable {
  /** Nodes above the leaves that were verified and may be needed again, at most. */
  private static final int PATH_NODES_MAX = 4096;

  /** Extents are gathered up to so many bytes, so that they can be read in the order of places. */
  private static final int BATCH_BYTES = 32 << 20;

  private final Supplier<List<NodeRecord>> history;
  private final BlockStore store;
  private final ItemReader items;
  private final DamageReport report;
  private final MediumReader medium;
  private final BooleanSupplier interrupted;

  /** Nodes that were verified: one above the leaves is needed again by the next piece. */
  private final Set<BlockPointer> seenNodes = new HashSet<>();

  private long readBytes;

  private record Found(Key key, DataExtent extent) {}

  /**
   * @param history as of the last commit
   * @param interrupted has a piece end soon
   */
  ScrubWalk(
      Supplier<List<NodeRecord>> history,
      BlockStore store,
      ItemReader items,
      DamageReport report,
      BooleanSupplier interrupted) {
    this.history = history;
    this.store = store;
    this.items = items;
    this.report = report;
    this.medium = store.openMediumReader();
    this.interrupted = interrupted;
  }

  /** The bytes that were verified since the last call. */
  long takeReadBytes() {
    long taken = readBytes;
    readBytes = 0;
    return taken;
  }

  /**
   * Reads the next piece. The caller has taken a hold before, and keeps it until this returns.
   *
   * @param budgetBytes about how much to read
   * @return where to go on
   */
  ScrubRecord piece(ScrubRecord from, long budgetBytes) throws IOException {
    ScrubRecord at = from;
    long start = readBytes;
    do {
      Map<Integer, NodeRecord> nodes = new HashMap<>();
      history.get().forEach(node -> nodes.put(node.id(), node));
      long left = Math.max(1, budgetBytes - (readBytes - start));
      at =
          switch (at.stage()) {
            case SNAPSHOTS -> snapshot(at, nodes, left);
            case DATASETS -> dataset(at, nodes, left);
            case NAMELESS -> {
              List<NodeRecord> members = members(at, nodes, 0);
              yield window(at, nodes, members, left).orElse(next(at, Stage.COMPLETE, 0));
            }
            default -> throw new IllegalStateException(at.toString());
          };
    } while (at.stage() != Stage.COMPLETE
        && readBytes - start < budgetBytes
        && !interrupted.getAsBoolean());
    return at;
  }

  @Override
  public void close() {
    medium.close();
  }

  private static ScrubRecord next(ScrubRecord at, Stage stage, int id) {
    return at.movedTo(stage, id, Optional.empty());
  }

  // ---- snapshots as old as the round: they do not change, and their parents were read before

  private ScrubRecord snapshot(ScrubRecord at, Map<Integer, NodeRecord> nodes, long budget)
      throws IOException {
    Optional<NodeRecord> found =
        nodes.values().stream()
            .filter(node -> node.id() >= at.at() && isOld(node, at))
            .filter(node -> node.txg() > at.bornAfter())
            .min(Comparator.comparingInt(NodeRecord::id));
    if (found.isEmpty()) {
      return next(at, Stage.DATASETS, 0);
    }
    NodeRecord node = found.get();
    NodeRecord parent = nodes.get(node.parent());
    long bornAfter = Math.max(at.bornAfter(), parent == null ? 0 : parent.txg());
    Key from = node.id() == at.at() ? at.key().orElse(null) : null;
    Key stopped = walk(at, node, bornAfter, from, null, budget);
    return stopped == null
        ? next(at, Stage.SNAPSHOTS, node.id() + 1)
        : at.movedTo(Stage.SNAPSHOTS, node.id(), Optional.of(stopped));
  }

  private static boolean isOld(NodeRecord node, ScrubRecord at) {
    return node.kind() != NodeKind.HEAD && node.txg() <= at.bornUpTo();
  }

  // ---- datasets, and what was kept of them since

  private ScrubRecord dataset(ScrubRecord at, Map<Integer, NodeRecord> nodes, long budget)
      throws IOException {
    Optional<NodeRecord> head =
        nodes.values().stream()
            .filter(node -> node.kind() == NodeKind.HEAD && node.id() >= at.at())
            .min(Comparator.comparingInt(NodeRecord::id));
    if (head.isEmpty()) {
      return next(at, Stage.NAMELESS, 0);
    }
    int id = head.get().id();
    ScrubRecord here = id == at.at() ? at : next(at, Stage.DATASETS, id);
    return window(here, nodes, members(here, nodes, id), budget)
        .orElse(next(at, Stage.DATASETS, id + 1));
  }

  /** The head of a dataset, and its snapshots that are younger than the round. */
  private static List<NodeRecord> members(
      ScrubRecord at, Map<Integer, NodeRecord> nodes, int dataset) {
    List<NodeRecord> members = new ArrayList<>();
    for (NodeRecord node : nodes.values()) {
      if (node.dataset() == dataset && !isOld(node, at)) {
        members.add(node);
      }
    }
    members.sort(Comparator.comparingInt(NodeRecord::id));
    return members;
  }

  /**
   * Reads a range of keys in all states of a dataset. What a state has of its parent is read there,
   * if that is one of them.
   *
   * @return where to go on; nothing when the dataset is done
   */
  private Optional<ScrubRecord> window(
      ScrubRecord at, Map<Integer, NodeRecord> nodes, List<NodeRecord> members, long budget)
      throws IOException {
    Key from = at.key().orElse(null);
    Key upTo = null;
    for (NodeRecord member : members) {
      NodeRecord parent = nodes.get(member.parent());
      if (parent != null && members.contains(parent)) {
        continue;
      }
      long bornAfter = Math.max(at.bornAfter(), oldAncestorTxg(member, nodes, at));
      // Where a later one ends sooner, the others will go through the rest once more.
      Key stopped = walk(at, member, bornAfter, from, upTo, budget);
      upTo = stopped == null ? upTo : stopped;
    }
    return Optional.ofNullable(upTo).map(key -> at.movedTo(at.stage(), at.at(), Optional.of(key)));
  }

  /** The txg of the nearest snapshot it continues that is as old as the round; 0 for none. */
  private static long oldAncestorTxg(
      NodeRecord node, Map<Integer, NodeRecord> nodes, ScrubRecord at) {
    NodeRecord ancestor = nodes.get(node.parent());
    while (ancestor != null && ancestor.txg() > at.bornUpTo()) {
      ancestor = nodes.get(ancestor.parent());
    }
    return ancestor == null ? 0 : ancestor.txg();
  }

  // ---- one tree

  /** Returns the key at which it stopped; null at the end. */
  private Key walk(ScrubRecord at, NodeRecord node, long bornAfter, Key from, Key upTo, long budget)
      throws IOException {
    Verification verification = new Verification(bornAfter, at.bornUpTo());
    long start = readBytes;
    Key stopped =
        new RangeWalk(
                new Tree(node.root().orElse(null), verification::read),
                bornAfter,
                verification,
                () ->
                    readBytes + verification.batchBytes - start >= budget
                        || interrupted.getAsBoolean())
            .walk(from, upTo);
    verification.flush();
    return stopped;
  }

  /** Verifies what a walk comes to, as far as it was born in a range of txgs. */
  private final class Verification implements RangeWalk.Visitor {
    private final long bornAfter;
    private final long bornUpTo;
    private final List<Found> batch = new ArrayList<>();
    private long batchBytes;

    Verification(long bornAfter, long bornUpTo) {
      this.bornAfter = bornAfter;
      this.bornUpTo = bornUpTo;
    }

    private boolean isMeant(long birthTxg) {
      return birthTxg > bornAfter && birthTxg <= bornUpTo;
    }

    /** From the device, unless it is not of this round, or was read so before. */
    byte[] read(BlockPointer pointer) throws IOException {
      if (!isMeant(pointer.birthTxg()) || seenNodes.contains(pointer)) {
        return store.readBlock(pointer);
      }
      byte[] content = medium.readBlock(pointer);
      if (seenNodes.size() >= PATH_NODES_MAX) {
        seenNodes.clear();
      }
      seenNodes.add(pointer);
      readBytes += (long) pointer.allocatedSectors() * BlockPointer.SECTOR_BYTES;
      return content;
    }

    @Override
    public void item(Key key, byte[] source, int offset, int length) throws IOException {
      DataExtent extent = items.extentOf(key, Arrays.copyOfRange(source, offset, offset + length));
      if (extent == null || !isMeant(extent.birthTxg())) {
        return;
      }
      batch.add(new Found(key, extent));
      batchBytes += (long) extent.allocatedSectors() * BlockPointer.SECTOR_BYTES;
      if (batchBytes >= BATCH_BYTES) {
        flush();
      }
    }

    void flush() throws IOException {
      IdentityHashMap<DataExtent, Key> keys = new IdentityHashMap<>();
      batch.forEach(found -> keys.put(found.extent(), found.key()));
      medium.verify(
          batch.stream().map(Found::extent).toList(),
          (extent, badSectors, what) -> report.extent(keys.get(extent), extent, badSectors, what));
      readBytes += batchBytes;
      batch.clear();
      batchBytes = 0;
    }

    @Override
    public void node(BlockPointer pointer, int level) {}

    @Override
    public void damaged(BlockPointer node, Key first, Key next, IOException failure)
        throws IOException {
      report.node(node, first, next, failure.getMessage());
    }
  }
}
