package io.cowfs.core.scrub;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.alloc.SectorRange;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.device.DeviceLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Walks everything that a pool reaches and compares it with the allocator. Confined to one thread;
 * nothing may be committed meanwhile.
 *
 * <p>Findings are lines that begin with a stable id:
 *
 * <ul>
 *   <li>{@code space/unreadable}: a node or an extent cannot be read, or does not match its
 *       checksum
 *   <li>{@code space/free}: reached, but not marked as in use
 *   <li>{@code space/shared}: reached twice in one tree, or as different things from two
 *   <li>{@code space/pending}: reached, but on a list of what was freed
 *   <li>{@code space/freed-twice}: twice on such lists, or not marked as in use
 *   <li>{@code space/leaked}: in use, but neither reached nor freed
 *   <li>{@code space/count}: a dataset's count of the space it reaches is wrong
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
   * @param extents knows which items refer to extents
   */
  public record Sources(
      List<NodeRecord> nodes,
      BlockPointer directoryRoot,
      BlockStore store,
      Allocator allocator,
      ExtentDecoder extents) {}

  /** Given by the layer that owns the items of a dataset's tree. */
  @FunctionalInterface
  public interface ExtentDecoder {
    /** The extent that an item refers to; null for most items. */
    DataExtent extentOf(Key key, byte[] value) throws IOException;
  }

  /** One reference to a range of sectors. Nodes have kind 0, extents 1. */
  private record Reference(long sector, int sectors, long birthTxg, int kind, String owner) {
    long end() {
      return sector + sectors;
    }

    @Override
    public String toString() {
      return (kind == 0 ? "node" : "extent")
          + " of %s at sectors %d to %d, born in %d".formatted(owner, sector, end() - 1, birthTxg);
    }
  }

  private final Sources sources;
  private final List<String> findings = new ArrayList<>();
  private final Map<String, Integer> counts = new HashMap<>();
  private final Set<SectorRange> verified = new HashSet<>();
  private boolean complete = true;

  private SpaceAudit(Sources sources) {
    this.sources = sources;
  }

  /** Audits a pool; an empty list means that all is well. */
  public static List<String> run(Sources sources) {
    SpaceAudit audit = new SpaceAudit(sources);
    audit.run();
    return audit.findings;
  }

  private void run() {
    sources.store().dropCaches();
    List<Reference> all = new ArrayList<>();
    for (NodeRecord node : sources.nodes()) {
      List<Reference> reached = walk(nameOf(node), node.root().orElse(null));
      checkWithin(reached);
      long sectors = reached.stream().mapToLong(Reference::sectors).sum();
      if (complete && sectors != node.referencedSectors()) {
        report(
            "space/count",
            "%s reaches %d sectors, its record says %d"
                .formatted(nameOf(node), sectors, node.referencedSectors()));
      }
      all.addAll(reached);
    }
    List<Reference> directory = walk("the dataset directory", sources.directoryRoot());
    checkWithin(directory);
    all.addAll(directory);
    checkSpace(union(all));
    counts.forEach(
        (id, count) -> {
          if (count > FINDINGS_MAX) {
            findings.add("%s: %d more".formatted(id, count - FINDINGS_MAX));
          }
        });
  }

  private String nameOf(NodeRecord node) {
    if (node.kind() == NodeKind.HEAD) {
      return node.name();
    }
    for (NodeRecord head : sources.nodes()) {
      if (head.id() == node.dataset()) {
        return head.name() + "@" + node.name();
      }
    }
    return "@" + node.name();
  }

  private void report(String id, String text) {
    if (counts.merge(id, 1, Integer::sum) <= FINDINGS_MAX) {
      findings.add(id + ": " + text);
    }
  }

  private List<Reference> walk(String owner, BlockPointer root) {
    List<Reference> reached = new ArrayList<>();
    boolean isDirectory = root != null && root.equals(sources.directoryRoot());
    try {
      Tree tree = new Tree(root, sources.store()::readBlock);
      tree.check();
      tree.walk(
          -1,
          new NodeVisitor() {
            @Override
            public void item(Key key, byte[] source, int offset, int length) throws IOException {
              if (!isDirectory) {
                visitItem(owner, key, Arrays.copyOfRange(source, offset, offset + length), reached);
              }
            }

            @Override
            public void node(BlockPointer pointer, int level) {
              reached.add(
                  new Reference(pointer.sector(), pointer.sectors(), pointer.birthTxg(), 0, owner));
            }
          });
    } catch (IOException failure) {
      complete = false;
      report("space/unreadable", owner + ": " + failure.getMessage());
    }
    return reached;
  }

  private void visitItem(String owner, Key key, byte[] value, List<Reference> reached)
      throws IOException {
    DataExtent extent = sources.extents().extentOf(key, value);
    if (extent == null) {
      return;
    }
    reached.add(new Reference(extent.sector(), extent.sectors(), extent.birthTxg(), 1, owner));
    if (!verified.add(new SectorRange(extent.sector(), extent.sectors()))) {
      return;
    }
    try {
      if (extent.isPlain()) {
        sources
            .store()
            .readPlain(
                List.of(extent), ByteBuffer.allocate(extent.sectors() * DeviceLayout.SECTOR_BYTES));
      } else {
        sources.store().readCompressed(extent);
      }
    } catch (IOException failure) {
      report(
          "space/unreadable",
          "%s: inode %d at offset %d: %s"
              .formatted(owner, key.high(), key.low(), failure.getMessage()));
    }
  }

  /** No tree reaches a sector twice. */
  private void checkWithin(List<Reference> reached) {
    reached.sort(Comparator.comparingLong(Reference::sector));
    for (int i = 1; i < reached.size(); i++) {
      if (reached.get(i).sector() < reached.get(i - 1).end()) {
        report("space/shared", reached.get(i - 1) + ", and " + reached.get(i));
      }
    }
  }

  /**
   * Everything reached, as disjoint ranges, ascending. Trees of one history share what has the same
   * birth: nodes as a whole, extents also in part.
   */
  private List<SectorRange> union(List<Reference> all) {
    all.sort(Comparator.comparingLong(Reference::sector));
    List<SectorRange> union = new ArrayList<>();
    Reference widest = null;
    for (Reference reference : all) {
      if (widest == null || reference.sector() >= widest.end()) {
        union.add(new SectorRange(reference.sector(), reference.sectors()));
        widest = reference;
        continue;
      }
      boolean same =
          reference.birthTxg() == widest.birthTxg()
              && reference.kind() == widest.kind()
              && (reference.kind() == 1 || reference.sectors() == widest.sectors());
      if (!same) {
        report("space/shared", widest + ", and " + reference);
      }
      if (reference.end() > widest.end()) {
        union.add(new SectorRange(widest.end(), (int) (reference.end() - widest.end())));
        widest = reference;
      }
    }
    return union;
  }

  private void checkSpace(List<SectorRange> reached) {
    List<SectorRange> pending = new ArrayList<>(sources.allocator().pendingRanges());
    pending.sort(Comparator.comparingLong(SectorRange::sector));
    long sum = 0;
    for (SectorRange range : reached) {
      sum += range.count();
      if (!sources.allocator().isAllocated(range.sector(), range.count())) {
        report("space/free", "sectors %d to %d".formatted(range.sector(), range.end() - 1));
      }
    }
    long pendingEnd = 0;
    for (SectorRange range : pending) {
      sum += range.count();
      if (range.sector() < pendingEnd
          || !sources.allocator().isAllocated(range.sector(), range.count())) {
        report("space/freed-twice", "sectors %d to %d".formatted(range.sector(), range.end() - 1));
      }
      pendingEnd = range.end();
    }
    List<SectorRange> known = new ArrayList<>(reached);
    known.addAll(pending);
    known.sort(Comparator.comparingLong(SectorRange::sector));
    for (int i = 1; i < known.size(); i++) {
      if (known.get(i).sector() < known.get(i - 1).end()) {
        report(
            "space/pending",
            "sectors %d to %d".formatted(known.get(i).sector(), known.get(i - 1).end() - 1));
      }
    }
    if (complete && sum != sources.allocator().status().allocated()) {
      reportLeaks(known, sources.allocator().status().allocated() - sum);
    }
  }

  private void reportLeaks(List<SectorRange> known, long missing) {
    long left = missing;
    long at = DeviceLayout.DATA_FIRST_SECTOR;
    for (SectorRange range : known) {
      for (; at < range.sector() && left > 0; at++) {
        left -= reportIfLeaked(at);
      }
      at = Math.max(at, range.end());
    }
    long end = DeviceLayout.DATA_FIRST_SECTOR + sources.allocator().status().capacity();
    for (; at < end && left > 0; at++) {
      left -= reportIfLeaked(at);
    }
    if (left != 0) {
      report("space/leaked", left + " sectors more in use than there are");
    }
  }

  private int reportIfLeaked(long sector) {
    if (!sources.allocator().isAllocated(sector, 1)) {
      return 0;
    }
    report("space/leaked", "sector " + sector);
    return 1;
  }
}
