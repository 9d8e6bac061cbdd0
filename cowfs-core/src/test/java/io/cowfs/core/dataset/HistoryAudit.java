package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.MemoryBlocks.Extent;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Checks a committed pool by walking everything in full: space is reachable, deferred or the
 * directory's, contents are the model's, deadlists and counters are what their definitions say.
 */
final class HistoryAudit {
  private final SimulatedPool pool;
  private final Map<Integer, NodeRecord> nodes = new HashMap<>();

  /** By node: every sector that its tree reaches, with the birth of the reference. */
  private final Map<Integer, Map<Long, Long>> reached = new HashMap<>();

  private HistoryAudit(SimulatedPool pool) {
    this.pool = pool;
    pool.datasets.nodes().forEach(node -> nodes.put(node.id(), node));
  }

  static void check(SimulatedPool pool) throws IOException {
    new HistoryAudit(pool).check();
  }

  private void check() throws IOException {
    for (NodeRecord node : nodes.values()) {
      reached.put(node.id(), walk(node));
    }
    checkSpace();
    Set<String> names = new HashSet<>();
    for (NodeRecord node : nodes.values()) {
      checkCounters(node);
      if (!node.name().isEmpty()) {
        names.add(pool.fullName(node));
      } else {
        assertTrue(children(node) > 1, "collapses when one child is left: " + node);
      }
    }
    assertEquals(pool.model.keySet(), names);
    List<String> listed = pool.datasets.list().stream().map(DatasetInfo::fullName).toList();
    assertEquals(names, new HashSet<>(listed));
  }

  /** Also compares the content, and every block with what was written to it. */
  private Map<Long, Long> walk(NodeRecord node) throws IOException {
    return walk(node, node.name().isEmpty() ? null : pool.model.get(pool.fullName(node)));
  }

  /** The node of an earlier commit is whole: a crash may have to go back to it. */
  static void checkWhole(SimulatedPool pool, List<NodeRecord> earlier) throws IOException {
    HistoryAudit audit = new HistoryAudit(pool);
    for (NodeRecord node : earlier) {
      audit.walk(node, null);
    }
  }

  private Map<Long, Long> walk(NodeRecord node, Map<Key, byte[]> expected) throws IOException {
    Map<Long, Long> ranges = new TreeMap<>();
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
                add(ranges, extent.sector(), extent.sectors(), extent.birthTxg());
                items[0]++;
              }

              @Override
              public void node(BlockPointer pointer, int level) {
                add(ranges, pointer.sector(), pointer.sectors(), pointer.birthTxg());
              }
            });
    if (expected != null) {
      assertEquals(expected.size(), items[0], () -> "items of " + node);
    }
    return ranges;
  }

  private static void add(Map<Long, Long> births, long sector, int sectors, long birthTxg) {
    for (long s = sector; s < sector + sectors; s++) {
      assertEquals(null, births.put(s, birthTxg), "met twice");
    }
  }

  private void checkSpace() throws IOException {
    Map<Long, Long> all = new TreeMap<>();
    for (Map<Long, Long> births : reached.values()) {
      births.forEach(
          (sector, birthTxg) -> {
            Long other = all.put(sector, birthTxg);
            assertTrue(other == null || other.equals(birthTxg), "two references differ");
          });
    }
    addDirectory(all);
    for (long sector : all.keySet()) {
      assertTrue(pool.allocator.isAllocated(sector, 1), "reachable and not allocated");
    }
    assertEquals(
        all.size() + pool.allocator.pendingSectors(),
        pool.allocator.status().allocated(),
        "allocated = reachable + deferred");
  }

  private void addDirectory(Map<Long, Long> all) throws IOException {
    Map<Integer, byte[]> records = new HashMap<>();
    BlockPointer root = pool.catalog.pool().directoryRoot().orElseThrow();
    new Tree(root, pool.blocks)
        .walk(
            -1,
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) {
                byte[] value = Arrays.copyOfRange(source, offset, offset + length);
                assertEquals(null, records.put((int) key.high(), value));
              }

              @Override
              public void node(BlockPointer pointer, int level) {
                add(all, pointer.sector(), pointer.sectors(), pointer.birthTxg());
              }
            });
    assertNotNull(records.remove(0), "the pool's record");
    assertEquals(nodes.keySet(), records.keySet());
    for (NodeRecord node : nodes.values()) {
      assertArrayEquals(NodeRecordFormat.encode(node), records.get(node.id()));
    }
  }

  private void checkCounters(NodeRecord node) throws IOException {
    Map<Long, Long> own = reached.get(node.id());
    NodeRecord parent = nodes.get(node.parent());
    NodeRecord grandparent = parent == null ? null : nodes.get(parent.parent());
    long parentTxg = parent == null ? 0 : parent.txg();
    long grandparentTxg = grandparent == null ? 0 : grandparent.txg();
    assertEquals(own.size(), node.referencedSectors(), () -> "referenced by " + node);
    assertEquals(bornAfter(own, parentTxg), node.uniqueSectors(), () -> "unique to " + node);

    Map<Long, Long> missing = new TreeMap<>();
    if (parent != null) {
      missing.putAll(reached.get(parent.id()));
      missing.keySet().removeAll(own.keySet());
    }
    Map<Long, Long> deadlist = new TreeMap<>();
    pool.catalog.readDeadlist(
        node.deadlist(), (sector, sectors, birthTxg) -> add(deadlist, sector, sectors, birthTxg));
    assertEquals(missing, deadlist, () -> "what the parent has and it has not: " + node);
    assertEquals(
        bornAfter(missing, grandparentTxg),
        node.deadlistUniqueSectors(),
        () -> "in the deadlist of " + node);
  }

  private static long bornAfter(Map<Long, Long> births, long txg) {
    return births.values().stream().filter(birthTxg -> birthTxg > txg).count();
  }

  private long children(NodeRecord node) {
    return nodes.values().stream().filter(other -> other.parent() == node.id()).count();
  }
}
