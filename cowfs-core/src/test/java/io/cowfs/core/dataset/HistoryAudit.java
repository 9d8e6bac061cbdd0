package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.cowfs.core.alloc.SectorRange;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.MemoryBlocks.Extent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Checks a committed pool by walking everything in full: space is reachable, condemned, deferred or
 * the directory's, contents are the model's, deadlists, counts of references and counters are what
 * their definitions say, and memory, index and directory agree.
 */
final class HistoryAudit {
  private final SimulatedPool pool;
  private final CatalogState state;
  private final Map<Integer, NodeRecord> nodes = new TreeMap<>();

  /** By node: what its tree refers to. */
  private final Map<Integer, SectorReferences> reached = new HashMap<>();

  /** Whose blocks are all as they were written. */
  private final Set<BlockPointer> wholeRoots = new HashSet<>();

  private long directorySectors;

  private HistoryAudit(SimulatedPool pool) throws IOException {
    this.pool = pool;
    this.state = pool.catalog.load();
    pool.datasets.nodes().forEach(node -> nodes.put(node.id(), node));
  }

  static void check(SimulatedPool pool) throws IOException {
    check(pool, List.of());
  }

  /**
   * @param earlier the nodes of earlier commits: they are whole, for a crash may have to go back
   */
  static void check(SimulatedPool pool, Iterable<List<NodeRecord>> earlier) throws IOException {
    HistoryAudit audit = new HistoryAudit(pool);
    audit.check();
    for (List<NodeRecord> then : earlier) {
      for (NodeRecord node : then) {
        if (node.root().isPresent() && audit.wholeRoots.add(node.root().get())) {
          audit.walk(node, null);
        }
      }
    }
    pool.walked.keySet().retainAll(audit.wholeRoots);
  }

  private void check() throws IOException {
    try {
      HistoryCheck.check(state);
    } catch (BadRecordException e) {
      fail(e);
    }
    assertEquals(state.nodes(), List.copyOf(nodes.values()), "memory and index");
    for (NodeRecord node : nodes.values()) {
      reached.put(node.id(), walk(node, expectedContent(node)));
      node.root().ifPresent(wholeRoots::add);
      assertEquals(
          state.properties().getOrDefault(node.id(), PropertySet.EMPTY),
          pool.datasets.properties(node.id()),
          () -> "properties in memory and index of " + node);
    }
    checkNames();
    checkDirectory();
    for (NodeRecord node : nodes.values()) {
      checkCounters(node);
    }
    checkSpace();
  }

  private Map<Key, byte[]> expectedContent(NodeRecord node) {
    if (node.name().isEmpty()) {
      return pool.contentOfNameless.get(node.id());
    }
    Map<Key, byte[]> content = pool.model.get(pool.fullName(node));
    if (node.kind() != NodeKind.HEAD) {
      pool.contentOfNameless.put(node.id(), content);
    }
    return content;
  }

  private void checkNames() {
    Set<String> names = new HashSet<>();
    for (NodeRecord node : nodes.values()) {
      if (!node.name().isEmpty()) {
        names.add(pool.fullName(node));
      } else {
        assertTrue(children(node) > 1, () -> "collapses when one child is left: " + node);
      }
    }
    assertEquals(pool.model.keySet(), names);
    List<String> listed = pool.datasets.list().stream().map(DatasetInfo::fullName).toList();
    assertEquals(names, new HashSet<>(listed));
    pool.contentOfNameless.keySet().retainAll(nodes.keySet());
  }

  /**
   * Also compares the content, and every block with what was written to it. A tree of which this is
   * known from an earlier audit, and no sector was written since, is not walked again.
   */
  private SectorReferences walk(NodeRecord node, Map<Key, byte[]> expected) throws IOException {
    boolean lasting = expected == null || node.kind() != NodeKind.HEAD;
    BlockPointer root = node.root().orElse(null);
    WalkedTree known = pool.walked.get(root);
    if (known != null
        && lasting
        && (expected == null || expected == known.content())
        && !pool.blocks.writtenSince(known.writes(), known.references())) {
      return known.references();
    }
    SectorReferences references = walkWhole(node, expected);
    pool.walked.put(
        root, new WalkedTree(references, lasting ? expected : null, pool.blocks.writes()));
    return references;
  }

  /**
   * What an audit found to be right.
   *
   * @param content compared with; null when with none that lasts
   * @param writes how many there had been
   */
  record WalkedTree(SectorReferences references, Map<Key, byte[]> content, long writes) {}

  private SectorReferences walkWhole(NodeRecord node, Map<Key, byte[]> expected)
      throws IOException {
    SectorReferences references = new SectorReferences();
    int[] items = {0};
    new Tree(node.root().orElse(null), pool.blocks)
        .walk(
            -1,
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) {
                byte[] value = Arrays.copyOfRange(source, offset, offset + length);
                if (expected != null) {
                  assertArrayEquals(expected.get(key), value, () -> "item " + key + " of " + node);
                }
                Extent extent = Extent.decode(value);
                assertTrue(
                    pool.blocks.holds(extent.sector(), extent.sectors(), extent.write()),
                    () -> "overwritten: " + extent + " of " + node);
                references.add(extent.sector(), extent.sectors(), extent.birthTxg());
                items[0]++;
              }

              @Override
              public void node(BlockPointer pointer, int level) {
                pointer.forEachPlace(references::add);
              }
            });
    if (expected != null) {
      assertEquals(expected.size(), items[0], () -> "items of " + node);
    }
    return references;
  }

  // ---- deadlists and counters

  private void checkCounters(NodeRecord node) throws IOException {
    SectorReferences own = reached.get(node.id());
    NodeRecord parent = nodes.get(node.parent());
    NodeRecord grandparent = parent == null ? null : nodes.get(parent.parent());
    assertEquals(own.size(), node.referencedSectors(), () -> "referenced by " + node);
    assertEquals(
        own.bornAfter(txgOf(parent)).size(), node.uniqueSectors(), () -> "unique to " + node);

    SectorReferences old = own.notBornAfter(txgOf(parent));
    SectorReferences ofParent = parent == null ? new SectorReferences() : reached.get(parent.id());
    assertEquals(0, old.without(ofParent).size(), () -> "older than the parent: " + node);
    SectorReferences missing = ofParent.without(old);
    assertArrayEquals(
        missing.sorted(),
        deadlist(node).sorted(),
        () -> "what the parent has and it has not: " + node);
    assertEquals(
        missing.bornAfter(txgOf(grandparent)).size(),
        node.deadlistUniqueSectors(),
        () -> "in the deadlist of " + node);
  }

  /** Each of its parts is on one side of every ancestor, and has what it says. */
  private SectorReferences deadlist(NodeRecord node) throws IOException {
    SectorReferences whole = new SectorReferences();
    List<Long> ancestors = new ArrayList<>();
    for (NodeRecord at = nodes.get(node.parent()); at != null; at = nodes.get(at.parent())) {
      ancestors.add(at.txg());
    }
    pool.catalog.readDeadlist(
        node.deadlist(),
        (part, sectors) -> {
          SectorReferences own = new SectorReferences();
          pool.catalog.forEachReference(part.list(), own::add);
          assertEquals(own.size(), sectors, () -> "sectors of " + part);
          for (long reference : own.sorted()) {
            long birth = SectorReferences.birth(reference);
            assertTrue(birth > part.bornAfter(), () -> "born in " + birth + ": " + part);
            for (long ancestor : ancestors) {
              assertEquals(
                  birth > ancestor,
                  part.bornAfter() >= ancestor,
                  () ->
                      "an ancestor of txg %d is between %s and %d"
                          .formatted(ancestor, part, birth));
            }
          }
          whole.addAll(own);
        });
    return whole;
  }

  private static long txgOf(NodeRecord node) {
    return node == null ? 0 : node.txg();
  }

  private long children(NodeRecord node) {
    return nodes.values().stream().filter(other -> other.parent() == node.id()).count();
  }

  // ---- space

  private void checkSpace() throws IOException {
    SectorReferences references = new SectorReferences();
    for (NodeRecord node : nodes.values()) {
      long parentTxg = txgOf(nodes.get(node.parent()));
      references.addAll(reached.get(node.id()).bornAfter(parentTxg));
    }
    long referenced = references.size();
    SectorReferences condemned = pool.condemned.left(state.condemned());
    references.addAll(condemned);
    int[] counts = references.countsBySector();
    long saved = checkShared(counts);
    assertEquals(
        new Datasets.SpaceTotals(referenced, condemned.size(), saved, directorySectors),
        pool.datasets.totals());
    assertEquals(condemned.size() * 4096L, pool.datasets.destroyingBytes());
    BitSet used = new BitSet();
    for (int sector = 0; sector < counts.length; sector++) {
      if (counts[sector] != 0) {
        int at = sector;
        assertTrue(pool.allocator.isAllocated(at, 1), () -> "reachable and free: " + at);
        used.set(sector);
      }
    }
    for (SectorRange pending : pool.allocator.pendingRanges()) {
      int next = used.nextSetBit((int) pending.sector());
      assertTrue(next < 0 || next >= pending.end(), () -> "reachable and freed: " + next);
    }
    assertEquals(
        used.cardinality() + directorySectors + pool.allocator.pendingSectors(),
        pool.allocator.status().allocated(),
        "allocated = reachable + condemned + directory + deferred");
  }

  /** The counts in the index are those of a walk; returns what sharing saves. */
  private long checkShared(int[] counts) throws IOException {
    TreeMap<Long, Integer> expected = new TreeMap<>();
    for (int sector = 0; sector < counts.length; sector++) {
      if (counts[sector] > 1) {
        expected.put((long) sector, counts[sector]);
      }
    }
    TreeMap<Long, Integer> stored = new TreeMap<>();
    List<SharedRange> ranges = new ArrayList<>();
    pool.catalog.readShared(
        0,
        1L << 48,
        range -> {
          ranges.add(range);
          for (long sector = range.sector(); sector < range.end(); sector++) {
            assertEquals(null, stored.put(sector, range.references()), "two ranges overlap");
          }
        });
    assertEquals(expected, stored, "references of what is shared");
    for (int i = 1; i < ranges.size(); i++) {
      SharedRange before = ranges.get(i - 1);
      SharedRange range = ranges.get(i);
      assertTrue(
          before.end() < range.sector() || before.references() != range.references(),
          () -> "not merged: " + before + " and " + range);
    }
    return expected.values().stream().mapToLong(count -> count - 1).sum();
  }

  // ---- the directory

  private void checkDirectory() throws IOException {
    Map<Key, byte[]> records = new TreeMap<>();
    BlockPointer root = state.pool().directoryRoot().orElseThrow();
    new Tree(root, pool.blocks)
        .walk(
            -1,
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) {
                byte[] value = Arrays.copyOfRange(source, offset, offset + length);
                assertEquals(null, records.put(key, value));
              }

              @Override
              public void node(BlockPointer pointer, int level) {
                directorySectors += pointer.allocatedSectors();
                pointer.forEachPlace(
                    (sector, sectors, birthTxg) ->
                        assertTrue(pool.allocator.isAllocated(sector, sectors)));
              }
            });
    assertEquals(directorySectors, state.pool().directorySectors());
    byte[] poolRecord = records.remove(DatasetDirectory.POOL_KEY);
    assertNotNull(poolRecord, "the pool's record");
    for (NodeRecord node : nodes.values()) {
      assertArrayEquals(
          NodeRecordFormat.encode(node), records.remove(DatasetDirectory.nodeKey(node.id())));
      int chunk = 0;
      for (byte[] part : PropertyChunks.split(pool.datasets.properties(node.id()))) {
        assertArrayEquals(part, records.remove(DatasetDirectory.propertiesKey(node.id(), chunk++)));
      }
    }
    assertEquals(Set.of(), records.keySet(), "records of nothing");
  }
}
