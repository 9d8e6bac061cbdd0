package io.cowfs.core.btree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The differences of two trees are those of their models, and what they share is not read. */
class TreeDiffTest {
  /** How versions of a tree come from each other. */
  enum Mix {
    FEW_CHANGES(NodeFormat.CAPACITY_BYTES, 20_000, 5, 100),
    MANY_CHANGES(NodeFormat.CAPACITY_BYTES, 20_000, 5_000, 100),
    LARGE_VALUES(NodeFormat.CAPACITY_BYTES, 500, 100, NodeFormat.MAX_VALUE_BYTES),
    HIGH(400, 2_000, 30, 20),
    HIGH_AND_EMPTY(400, 300, 400, 20);

    final int capacityBytes;
    final int keys;
    final int changesMax;
    final int valueBytesMax;

    Mix(int capacityBytes, int keys, int changesMax, int valueBytesMax) {
      this.capacityBytes = capacityBytes;
      this.keys = keys;
      this.changesMax = changesMax;
      this.valueBytesMax = valueBytesMax;
    }
  }

  /** One state of a tree, and what is in it. */
  private record Version(Tree tree, NavigableMap<Key, byte[]> model) {
    Set<Long> sectors() throws IOException {
      Set<Long> sectors = new HashSet<>();
      tree.walk(
          -1,
          new NodeVisitor() {
            @Override
            public void item(Key key, byte[] source, int offset, int length) {}

            @Override
            public void node(BlockPointer pointer, int level) {
              sectors.add(pointer.sector());
            }
          });
      return sectors;
    }
  }

  private record Difference(Key key, byte[] oldValue, byte[] newValue) {}

  /** Nodes that stay, whatever leaves a tree; counts what is read. */
  private static final class KeptNodes implements NodeWriter {
    private final Map<Long, byte[]> nodes = new HashMap<>();
    final List<Long> reads = new ArrayList<>();
    long txg = 1;

    @Override
    public byte[] readNode(BlockPointer pointer) {
      reads.add(pointer.sector());
      return nodes.get(pointer.sector());
    }

    @Override
    public BlockPointer writeNode(byte[] node) {
      long sector = 130 + 4L * nodes.size();
      nodes.put(sector, node);
      return new BlockPointer(
          sector,
          NodeFormat.NODE_BYTES,
          NodeFormat.NODE_BYTES,
          Compression.NONE,
          ChecksumAlgorithm.XXH3_64,
          -sector,
          txg);
    }

    @Override
    public void leaves(BlockPointer pointer) {}
  }

  private final KeptNodes nodes = new KeptNodes();

  @ParameterizedTest
  @EnumSource
  void agreesWithTreeMapAndReadsOnlyWhatIsNotShared(Mix mix) throws IOException {
    long seed = Long.getLong("cowfs.test.seed", System.nanoTime());
    System.out.println("TreeDiffTest " + mix + " seed " + seed);
    Random random = new Random(seed);
    Version empty = new Version(new Tree(null, nodes), new TreeMap<>());
    List<Version> versions = new ArrayList<>(List.of(empty));
    versions.add(change(empty, filling(mix, random), mix));
    for (int i = 0; i < 40; i++) {
      // mostly the newest is changed, sometimes an old one: history is a tree
      int from = random.nextInt(4) == 0 ? random.nextInt(versions.size()) : versions.size() - 1;
      versions.add(change(versions.get(from), randomChanges(versions.get(from), mix, random), mix));
      for (int pair = 0; pair < 5; pair++) {
        Version old = versions.get(random.nextInt(versions.size()));
        Version now = versions.get(random.nextInt(versions.size()));
        compare(old, now);
      }
      compare(versions.get(from), versions.get(versions.size() - 1));
    }
  }

  private void compare(Version old, Version now) throws IOException {
    Set<Long> onlyInOne = old.sectors();
    Set<Long> inNew = now.sectors();
    Set<Long> shared = new HashSet<>(onlyInOne);
    shared.retainAll(inNew);
    onlyInOne.addAll(inNew);
    onlyInOne.removeAll(shared);
    for (Version version : List.of(old, now)) {
      if (version.tree().root() != null) {
        onlyInOne.add(version.tree().root().sector());
      }
    }
    nodes.reads.clear();
    List<Difference> found = diff(old, now);
    nodes.reads.removeAll(changedInTheirParents(old, now));
    Set<Long> read = new HashSet<>(nodes.reads);
    assertEquals(read.size(), nodes.reads.size(), "nodes are read twice");
    read.removeAll(onlyInOne);
    assertEquals(Set.of(), read, "nodes of both trees are read");
    assertSame(expected(old.model(), now.model()), found);
  }

  /** The leaves that both trees have, with other changes pending. */
  private Set<Long> changedInTheirParents(Version old, Version now) throws IOException {
    Map<Long, List<Change>> pending = new HashMap<>();
    collectPending(old.tree(), pending);
    Map<Long, List<Change>> pendingNow = new HashMap<>();
    collectPending(now.tree(), pendingNow);
    pending.keySet().retainAll(pendingNow.keySet());
    pending.entrySet().removeIf(e -> PendingChanges.same(e.getValue(), pendingNow.get(e.getKey())));
    return pending.keySet();
  }

  private void collectPending(Tree tree, Map<Long, List<Change>> pending) throws IOException {
    if (tree.root() == null) {
      return;
    }
    Node node = Node.open(nodes.nodes.get(tree.root().sector()), tree.root());
    for (int i = 0; node.level() > 0 && i < node.count(); i++) {
      if (node.level() == 1) {
        pending.put(node.child(i).sector(), node.pending(i));
      }
      collectPending(new Tree(node.child(i), nodes), pending);
    }
  }

  private static List<Difference> diff(Version old, Version now) throws IOException {
    List<Difference> found = new ArrayList<>();
    TreeDiff.run(
        old.tree(),
        now.tree(),
        (key, before, after) -> found.add(new Difference(key, before, after)));
    return found;
  }

  private static List<Difference> expected(
      NavigableMap<Key, byte[]> old, NavigableMap<Key, byte[]> now) {
    TreeSet<Key> keys = new TreeSet<>(old.keySet());
    keys.addAll(now.keySet());
    List<Difference> differences = new ArrayList<>();
    for (Key key : keys) {
      if (!Arrays.equals(old.get(key), now.get(key))) {
        differences.add(new Difference(key, old.get(key), now.get(key)));
      }
    }
    return differences;
  }

  private static void assertSame(List<Difference> expected, List<Difference> found) {
    assertEquals(
        expected.stream().map(Difference::key).toList(),
        found.stream().map(Difference::key).toList());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i).oldValue(), found.get(i).oldValue());
      assertArrayEquals(expected.get(i).newValue(), found.get(i).newValue());
    }
  }

  private Version change(Version from, NavigableMap<Key, Change> changes, Mix mix)
      throws IOException {
    nodes.txg++;
    NavigableMap<Key, byte[]> model = new TreeMap<>(from.model());
    for (Change change : changes.values()) {
      if (change.isPut()) {
        model.put(change.key(), change.value());
      } else {
        Key last = change.last() == null ? change.key() : change.last();
        model.subMap(change.key(), true, last, true).clear();
      }
    }
    BlockPointer root =
        TreeUpdate.apply(
            from.tree(), ChangeSource.of(changes.values().iterator()), nodes, mix.capacityBytes);
    return new Version(new Tree(root, nodes), model);
  }

  private static NavigableMap<Key, Change> filling(Mix mix, Random random) {
    NavigableMap<Key, Change> changes = new TreeMap<>();
    for (int i = 0; i < mix.keys; i++) {
      Key key = key(mix, random);
      changes.put(key, Change.put(key, value(mix, random)));
    }
    return changes;
  }

  private static NavigableMap<Key, Change> randomChanges(Version from, Mix mix, Random random) {
    NavigableMap<Key, Change> changes = new TreeMap<>();
    if (mix == Mix.HIGH_AND_EMPTY && random.nextInt(4) == 0) {
      changes.put(Key.MIN, Change.deleteRange(Key.MIN, Key.MAX));
      return changes;
    }
    if (random.nextInt(5) == 0) {
      Key first = key(mix, random);
      Key last = new Key(first.high(), first.kind(), first.low() + random.nextInt(mix.keys));
      changes.put(first, Change.deleteRange(first, last));
      return changes;
    }
    int count = 1 + random.nextInt(mix.changesMax);
    for (int i = 0; i < count; i++) {
      Key key = key(mix, random);
      Key existing = from.model().ceilingKey(key);
      if (existing == null || random.nextInt(3) == 0) {
        changes.put(key, Change.put(key, value(mix, random)));
      } else if (random.nextBoolean()) {
        changes.put(existing, Change.delete(existing));
      } else {
        changes.put(existing, Change.put(existing, value(mix, random)));
      }
    }
    return changes;
  }

  private static Key key(Mix mix, Random random) {
    return new Key(1 + random.nextInt(3), random.nextInt(2), random.nextInt(mix.keys * 2));
  }

  private static byte[] value(Mix mix, Random random) {
    byte[] value = new byte[random.nextInt(mix.valueBytesMax + 1)];
    random.nextBytes(value);
    return value;
  }

  @Test
  void aFewChangesInALargeTreeReadAFewNodes() throws IOException {
    Version empty = new Version(new Tree(null, nodes), new TreeMap<>());
    NavigableMap<Key, Change> fill = new TreeMap<>();
    for (int i = 0; i < 300_000; i++) {
      Key key = new Key(i / 10, 1, i % 10);
      fill.put(key, Change.put(key, new byte[60]));
    }
    Version before = change(empty, fill, Mix.FEW_CHANGES);
    NavigableMap<Key, Change> few = new TreeMap<>();
    for (int i = 0; i < 10; i++) {
      Key key = new Key(i * 2_999, 1, 5);
      few.put(key, Change.put(key, new byte[] {1}));
    }
    Version after = change(before, few, Mix.FEW_CHANGES);
    int height = after.tree().rootLevel() + 1;
    assertTrue(height >= 3 && before.sectors().size() > 1_400, "a large tree");
    nodes.reads.clear();
    assertEquals(10, diff(before, after).size());
    assertTrue(nodes.reads.size() <= 2 * 10 * height, "reads: " + nodes.reads.size());
    nodes.reads.clear();
    assertEquals(0, diff(after, after).size());
    assertEquals(0, nodes.reads.size());
  }

  @Test
  void nodesInTheWrongOrderAreCorruptAndNoEndlessLoop() throws IOException {
    Version empty = new Version(new Tree(null, nodes), new TreeMap<>());
    NavigableMap<Key, Change> fill = new TreeMap<>();
    for (int i = 0; i < 2_000; i++) {
      Key key = new Key(1, 1, i);
      fill.put(key, Change.put(key, new byte[60]));
    }
    Version whole = change(empty, fill, Mix.FEW_CHANGES);
    Node root = Node.open(nodes.readNode(whole.tree().root()), whole.tree().root());
    Node first = Node.open(nodes.readNode(root.child(0)), root.child(0));
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < first.count() - 1; i++) {
      entries.add(first.entry(i));
    }
    entries.add(new Entry.Item(new Key(9, 9, 9), new byte[1], 0, 1));
    nodes.nodes.put(root.child(0).sector(), NodeFormat.encode(0, entries));
    assertThrows(CorruptBlockException.class, () -> diff(empty, whole));
    assertThrows(CorruptBlockException.class, () -> diff(whole, empty));
  }
}
