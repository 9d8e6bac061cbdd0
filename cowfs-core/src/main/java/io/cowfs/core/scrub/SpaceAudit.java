package io.cowfs.core.scrub;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.alloc.SectorRange;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.Reference;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.PartialWalk;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.Books;
import io.cowfs.core.dataset.Condemned;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.device.DeviceLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads everything that a pool reaches once, and compares it with the books: allocated space is
 * what is reached, what is condemned, the directory, and what is pending, disjoint but for shared
 * ranges, whose counts equal the references found. Confined to one thread; nothing may be committed
 * meanwhile.
 *
 * <p>A snapshot costs what it differs from its parent: what both have was looked at with the
 * parent.
 *
 * <p>Findings are lines that begin with a stable id:
 *
 * <ul>
 *   <li>{@code space/unreadable}: a node or an extent cannot be read, or does not match its
 *       checksum
 *   <li>{@code space/copy}: the same of one copy, and another one is good
 *   <li>{@code space/free}: reached, but not marked as in use
 *   <li>{@code space/shared}: reached by two references, and not known as shared
 *   <li>{@code space/references}: the count of a shared range is wrong
 *   <li>{@code space/foreign}: a state has a node older than its parent snapshot that this does not
 *       have
 *   <li>{@code space/deadlist}: a deadlist is not what the parent has and the state has not
 *   <li>{@code space/pending}: reached, but on a list of what was freed
 *   <li>{@code space/freed-twice}: twice on such lists, or not marked as in use
 *   <li>{@code space/leaked}: in use, but neither reached nor freed
 *   <li>{@code space/count}: a count of space is wrong
 * </ul>
 */
public final class SpaceAudit {
  /** More findings of one kind are only counted. */
  private static final int FINDINGS_MAX = 20;

  /**
   * What is audited.
   *
   * @param nodes of the history, as of the last commit
   * @param directoryRoot root of the dataset directory; null when there is none yet
   * @param store its caches are dropped, so that everything is read from the device
   * @param items knows what the items of a dataset's tree mean
   */
  public record Sources(
      List<NodeRecord> nodes,
      BlockPointer directoryRoot,
      Books books,
      BlockStore store,
      Allocator allocator,
      ItemReader items) {

    /** The same with another state of the history. */
    public Sources withHistory(List<NodeRecord> otherNodes, BlockPointer otherDirectoryRoot) {
      return new Sources(otherNodes, otherDirectoryRoot, books, store, allocator, items);
    }
  }

  private final Sources sources;
  private final Map<Integer, NodeRecord> nodes = new HashMap<>();
  private final SectorCounts counts = new SectorCounts();
  private final List<String> findings = new ArrayList<>();
  private final Map<String, Integer> findingsById = new HashMap<>();

  /** Until something could not be read: then sums say nothing. */
  private boolean complete = true;

  /** Data is read with the books, unless that was done before. */
  private final boolean readsData;

  private SpaceAudit(Sources sources, boolean readsData) {
    this.sources = sources;
    this.readsData = readsData;
    sources.nodes().forEach(node -> nodes.put(node.id(), node));
  }

  /** Audits a pool; an empty list means that all is well. */
  public static List<String> run(Sources sources) {
    sources.store().dropCaches();
    SpaceAudit audit = new SpaceAudit(sources, true);
    audit.run();
    return audit.findings();
  }

  /**
   * Only reads what was born in a node. The pool may go on meanwhile; the caller holds what the
   * node reaches.
   */
  public static List<String> readData(Sources sources, NodeRecord node) {
    SpaceAudit audit = new SpaceAudit(sources, true);
    audit.readData(node);
    return audit.findings();
  }

  /** The audit without what {@link #readData} does. */
  public static List<String> checkBooks(Sources sources) {
    SpaceAudit audit = new SpaceAudit(sources, false);
    audit.run();
    return audit.findings();
  }

  private void run() {
    try {
      sources.books().forEachShared((sector, sectors, n) -> counts.addSharedRange(sector, sectors));
      long referenced = 0;
      for (NodeRecord node : sources.nodes()) {
        referenced += auditNode(node);
      }
      long condemned = auditCondemned();
      long directory = auditDirectory();
      if (complete) {
        checkShared();
        checkTotals(referenced, condemned, directory);
        checkSpace();
      }
    } catch (IOException failure) {
      report("space/unreadable", failure.getMessage());
    }
  }

  private List<String> findings() {
    findingsById.forEach(
        (id, count) -> {
          if (count > FINDINGS_MAX) {
            findings.add("%s: %d more".formatted(id, count - FINDINGS_MAX));
          }
        });
    return findings;
  }

  /** Reads what was born in a node. */
  private void readData(NodeRecord node) {
    NodeRecord parent = nodes.get(node.parent());
    long parentTxg = parent == null ? 0 : parent.txg();
    NodeVisitor visitor =
        new NodeVisitor() {
          @Override
          public void item(Key key, byte[] source, int offset, int length) throws IOException {
            DataExtent extent =
                sources.items().extentOf(key, Arrays.copyOfRange(source, offset, offset + length));
            if (extent != null && extent.birthTxg() > parentTxg) {
              verify(node, key, extent);
            }
          }

          @Override
          public void node(BlockPointer pointer, int level) {}
        };
    try {
      new Tree(node.root().orElse(null), pointer -> read(nameOf(node), pointer))
          .walk(parentTxg, visitor);
    } catch (IOException failure) {
      unreadable(nameOf(node), failure);
    }
  }

  private String nameOf(NodeRecord node) {
    return NodeNames.of(node, nodes);
  }

  private void report(String id, String text) {
    if (findingsById.merge(id, 1, Integer::sum) <= FINDINGS_MAX) {
      findings.add(id + ": " + text);
    }
  }

  private void unreadable(String owner, IOException failure) {
    complete = false;
    report("space/unreadable", owner + ": " + failure.getMessage());
  }

  // ---- one node of the history

  /** Returns the sectors of the references that were born in it. */
  private long auditNode(NodeRecord node) {
    NodeRecord parent = nodes.get(node.parent());
    NodeRecord grandparent = parent == null ? null : nodes.get(parent.parent());
    long grandparentTxg = grandparent == null ? 0 : grandparent.txg();
    NodeComparison comparison = new NodeComparison(node, grandparentTxg);
    try {
      StateComparison.run(
          node, parent, pointer -> read(nameOf(node), pointer), sources.items(), comparison);
      ReferenceSum deadlist = new ReferenceSum(grandparentTxg);
      addDeadlist(node, deadlist);
      ReferenceSum lost = comparison.lost;
      if (complete && !lost.equalsSum(deadlist)) {
        report(
            "space/deadlist",
            "that of %s is not what it lacks of its parent (%d sectors, and %d)"
                .formatted(nameOf(node), deadlist.sectors(), lost.sectors()));
      }
      long inherited = parent == null ? 0 : parent.referencedSectors() - lost.sectors();
      checkCount(nameOf(node) + " reaches", comparison.born + inherited, node.referencedSectors());
      checkCount(nameOf(node) + " has of its own", comparison.born, node.uniqueSectors());
      checkCount(
          "the deadlist of " + nameOf(node) + " has",
          lost.youngSectors(),
          node.deadlistUniqueSectors());
    } catch (IOException failure) {
      unreadable(nameOf(node), failure);
    }
    return comparison.born;
  }

  private void checkCount(String what, long found, long recorded) {
    if (complete && found != recorded) {
      report("space/count", "%s %d sectors, the books say %d".formatted(what, found, recorded));
    }
  }

  private void addDeadlist(NodeRecord node, ReferenceSum deadlist) throws IOException {
    sources
        .books()
        .forEachPart(
            node.deadlist(),
            (list, bornAfter, sectors) -> {
              long before = deadlist.sectors();
              sources
                  .books()
                  .forEachReference(
                      list,
                      (sector, count, birthTxg) -> {
                        deadlist.add(sector, count, birthTxg);
                        if (birthTxg <= bornAfter) {
                          report("space/deadlist", "sector " + sector + " is among younger ones");
                        }
                      });
              checkCount(
                  "a part of the deadlist of " + nameOf(node) + " has",
                  deadlist.sectors() - before,
                  sectors);
            });
  }

  /** Counts what a node has more than its parent, and the parent more than it. */
  private final class NodeComparison implements StateComparison.Visitor {
    private final NodeRecord node;

    /** What only the parent has. */
    private final ReferenceSum lost;

    private long born;

    NodeComparison(NodeRecord node, long grandparentTxg) {
      this.node = node;
      this.lost = new ReferenceSum(grandparentTxg);
    }

    @Override
    public void bornExtent(Key key, DataExtent extent) {
      born += extent.allocatedSectors();
      count(nameOf(node), extent);
      if (readsData) {
        verify(node, key, extent);
      }
    }

    @Override
    public void bornNode(BlockPointer pointer) {
      born += pointer.allocatedSectors();
      count(nameOf(node), pointer);
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
    public void foreign(BlockPointer pointer) {
      report(
          "space/foreign",
          "%s has a node at sector %d, born in %d"
              .formatted(nameOf(node), pointer.sector(), pointer.birthTxg()));
    }
  }

  private void count(String owner, Reference reference) {
    for (int i = 0; i < reference.places(); i++) {
      count(owner, reference.place(i), reference.sectors());
    }
  }

  private void count(String owner, long sector, int sectors) {
    counts.add(
        sector, sectors, twice -> report("space/shared", owner + ": sector " + twice + " again"));
  }

  /**
   * Reads every copy of a node, each by itself: then nothing is repaired, for what is audited may
   * be a state from before, whose space is used again.
   */
  private byte[] read(String owner, BlockPointer pointer) throws IOException {
    byte[] good = null;
    IOException bad = null;
    for (int i = 0; i < pointer.places(); i++) {
      try {
        good = sources.store().readBlock(pointer.atPlace(i));
      } catch (IOException failure) {
        bad = bad == null ? failure : bad;
      }
    }
    if (good == null) {
      throw bad;
    }
    if (bad != null) {
      report("space/copy", owner + ": " + bad.getMessage());
    }
    return good;
  }

  /** Reads every copy of an extent. */
  private void verify(NodeRecord node, Key key, DataExtent extent) {
    IOException bad = null;
    boolean anyGood = false;
    for (int i = 0; i < extent.places(); i++) {
      try {
        readData(extent.atPlace(i));
        anyGood = true;
      } catch (IOException failure) {
        bad = bad == null ? failure : bad;
      }
    }
    if (bad != null) {
      Tree tree = new Tree(node.root().orElse(null), pointer -> read(nameOf(node), pointer));
      report(
          anyGood ? "space/copy" : "space/unreadable",
          "%s:%s (inode %d) at offset %d: %s"
              .formatted(
                  nameOf(node),
                  sources.items().pathOf(tree, key),
                  key.high(),
                  key.low(),
                  bad.getMessage()));
    }
  }

  private void readData(DataExtent extent) throws IOException {
    if (extent.isPlain()) {
      sources
          .store()
          .readPlain(
              List.of(extent), ByteBuffer.allocate(extent.sectors() * DeviceLayout.SECTOR_BYTES));
    } else {
      sources.store().readCompressed(extent);
    }
  }

  // ---- what is no node

  private long auditCondemned() throws IOException {
    long sum = 0;
    for (Condemned condemned : sources.books().condemned()) {
      String owner = "what was destroyed (" + condemned.id() + ")";
      long[] found = {0};
      switch (condemned.kind()) {
        case TREE -> walkCondemned(condemned, owner, found);
        case LIST ->
            sources
                .books()
                .forEachReference(
                    condemned.list(),
                    (sector, sectors, birthTxg) -> {
                      count(owner, sector, sectors);
                      found[0] += sectors;
                    });
        default -> {} // A forgotten list: others have what is in it.
      }
      checkCount(owner + " has", found[0], condemned.sectors());
      sum += found[0];
    }
    return sum;
  }

  private void walkCondemned(Condemned condemned, String owner, long[] found) throws IOException {
    NodeVisitor visitor =
        new NodeVisitor() {
          @Override
          public void item(Key key, byte[] source, int offset, int length) throws IOException {
            DataExtent extent =
                sources.items().extentOf(key, Arrays.copyOfRange(source, offset, offset + length));
            if (extent != null && extent.birthTxg() > condemned.bornAfter()) {
              count(owner, extent);
              found[0] += extent.allocatedSectors();
            }
          }

          @Override
          public void node(BlockPointer pointer, int level) {
            count(owner, pointer);
            found[0] += pointer.allocatedSectors();
          }
        };
    PartialWalk.Progress progress =
        new PartialWalk(condemned.bornAfter(), visitor, () -> false)
            .walk(
                new Tree(condemned.root().orElseThrow(), pointer -> read(owner, pointer)),
                condemned.cursor().orElse(null));
    if (progress.damage() != null) {
      unreadable(owner, progress.damage());
    }
  }

  private long auditDirectory() {
    long[] found = {0};
    try {
      Tree directory =
          new Tree(sources.directoryRoot(), pointer -> read("the dataset directory", pointer));
      directory.check();
      directory.walk(
          -1,
          new NodeVisitor() {
            @Override
            public void item(Key key, byte[] source, int offset, int length) {}

            @Override
            public void node(BlockPointer pointer, int level) {
              count("the dataset directory", pointer);
              found[0] += pointer.allocatedSectors();
            }
          });
    } catch (IOException failure) {
      unreadable("the dataset directory", failure);
    }
    return found[0];
  }

  // ---- the books

  private void checkShared() throws IOException {
    sources
        .books()
        .forEachShared(
            (sector, sectors, references) -> {
              for (long s = sector; s < sector + sectors; s++) {
                if (counts.sharedCount(s) != references) {
                  report(
                      "space/references",
                      "sector %d has %d, the books say %d"
                          .formatted(s, counts.sharedCount(s), references));
                }
              }
            });
  }

  private void checkTotals(long referenced, long condemned, long directory) {
    var totals = sources.books().totals();
    checkCount("all datasets and snapshots have", referenced, totals.referenced());
    checkCount("what was destroyed has", condemned, totals.condemned());
    checkCount("the directory has", directory, totals.directory());
    checkCount(
        "sharing saves", referenced + condemned + directory - counts.distinct(), totals.saved());
  }

  private void checkSpace() {
    List<SectorRange> pending = new ArrayList<>(sources.allocator().pendingRanges());
    pending.sort(Comparator.comparingLong(SectorRange::sector));
    long end = 0;
    long pendingSectors = 0;
    for (SectorRange range : pending) {
      if (range.sector() < end || !sources.allocator().isAllocated(range.sector(), range.count())) {
        report("space/freed-twice", "sectors %d to %d".formatted(range.sector(), range.end() - 1));
      }
      end = range.end();
      pendingSectors += range.count();
      for (long sector = range.sector(); sector < range.end(); sector++) {
        if (counts.contains(sector)) {
          report("space/pending", "sector " + sector);
        }
      }
    }
    counts.forEach(
        sector -> {
          if (!sources.allocator().isAllocated(sector, 1)) {
            report("space/free", "sector " + sector);
          }
        });
    long allocated = sources.allocator().status().allocated();
    if (counts.distinct() + pendingSectors != allocated) {
      reportLeaks(pending, allocated - counts.distinct() - pendingSectors);
    }
  }

  private void reportLeaks(List<SectorRange> pending, long missing) {
    SectorCounts freed = new SectorCounts();
    pending.forEach(range -> freed.add(range.sector(), range.count(), twice -> {}));
    long left = missing;
    long first = sources.allocator().firstSector();
    long end = first + sources.allocator().status().capacity();
    for (long at = first; at < end && left > 0; at++) {
      if (!counts.contains(at) && !freed.contains(at) && sources.allocator().isAllocated(at, 1)) {
        report("space/leaked", "sector " + at);
        left--;
      }
    }
    if (left != 0) {
      report("space/leaked", left + " sectors more in use than there are");
    }
  }
}
