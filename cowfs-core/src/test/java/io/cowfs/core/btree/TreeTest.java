package io.cowfs.core.btree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TreeTest {
  private final MemoryNodes nodes = new MemoryNodes();
  private BlockPointer root;

  @Test
  void anEmptyTreeHasNothing() throws IOException {
    Tree tree = new Tree(null, nodes);
    assertNull(tree.get(key(1)));
    assertNull(tree.lastAtMost(Key.MAX));
    assertTrue(tree.scan(Key.MIN, Key.MAX, (key, source, offset, length) -> false));
    assertEquals(0, tree.check());
    assertEquals(-1, tree.rootLevel());
    assertNull(TreeUpdate.apply(tree, ChangeSource.of(List.<Change>of().iterator()), nodes));
    apply(Change.deleteRange(Key.MIN, Key.MAX));
    assertNull(root);
  }

  @Test
  void keysThatGrowFillLeavesInOneBatchAndInMany() throws IOException {
    apply(puts(0, 20_000));
    assertTrue(leafFill() > 0.9, "one batch: " + leafFill());
    for (int i = 20_000; i < 40_000; i += 37) {
      apply(puts(i, i + 37));
    }
    assertTrue(leafFill() > 0.9, "many batches: " + leafFill());
  }

  @Test
  void onePutRewritesOneNodeForEachLevelButTheLeaf() throws IOException {
    apply(puts(0, 100_000));
    Tree tree = new Tree(root, nodes);
    apply(Change.put(key(90_000), value(7)));
    assertEquals(tree.rootLevel(), nodes.writes);
    assertEquals(tree.rootLevel(), nodes.departures);
  }

  @Test
  void manyPutsIntoOneLeafRewriteItAndLeaveNothingPending() throws IOException {
    apply(puts(0, 100_000));
    Tree tree = new Tree(root, nodes);
    apply(
        IntStream.range(50_000, 50_060)
            .mapToObj(i -> Change.put(key(i), value(i + 1)))
            .toArray(Change[]::new));
    assertTrue(nodes.writes > tree.rootLevel());
    assertEquals(0, pendingChanges());
  }

  @Test
  void whatIsPendingIsSeenByEveryRead() throws IOException {
    apply(puts(0, 10_000));
    apply(
        Change.put(key(5_000), value(1)),
        Change.delete(key(5_001)),
        Change.put(new Key(1, 4, 0), value(2)));
    assertEquals(3, pendingChanges());
    Tree tree = new Tree(root, nodes);
    assertArrayEquals(value(1), tree.get(key(5_000)));
    assertNull(tree.get(key(5_001)));
    assertArrayEquals(value(2), tree.get(new Key(1, 4, 0)));
    assertEquals(key(5_000), tree.lastAtMost(key(5_001)).getKey());
    assertEquals(new Key(1, 4, 0), tree.lastAtMost(Key.MAX).getKey());
    assertEquals(10_000, count());
    List<Key> some = new ArrayList<>();
    tree.scan(
        key(4_999),
        key(5_002),
        (key, source, offset, length) -> {
          some.add(key);
          return true;
        });
    assertEquals(List.of(key(4_999), key(5_000), key(5_002)), some);
  }

  @Test
  void aChangeTakenBackIsPendingNoMore() throws IOException {
    apply(puts(0, 10_000));
    apply(Change.put(key(5_000), value(1)), Change.delete(key(7_000)));
    apply(Change.put(key(5_000), value(5_000)), Change.put(key(7_000), value(7_000)));
    assertEquals(0, pendingChanges());
  }

  @Test
  void theFirstKeyOfALeafIsDeletedInTheLeaf() throws IOException {
    apply(puts(0, 10_000));
    Node parent = new Tree(root, nodes).openRoot();
    Key first = parent.key(3);
    apply(Change.delete(first));
    assertEquals(0, pendingChanges());
    assertNull(new Tree(root, nodes).get(first));
  }

  @Test
  void aLeafThatBecomesTheRootTakesWhatWasPending() throws IOException {
    apply(puts(0, 1_000));
    Key second = new Tree(root, nodes).openRoot().key(1);
    apply(Change.put(key(5), value(1)));
    assertEquals(1, pendingChanges());
    apply(Change.deleteRange(second, Key.MAX));
    assertEquals(0, new Tree(root, nodes).rootLevel());
    assertArrayEquals(value(1), new Tree(root, nodes).get(key(5)));
  }

  @Test
  void aWalkGivesWhatIsPendingForOldLeaves() throws IOException {
    apply(puts(0, 10_000));
    long old = nodes.txg();
    apply(Change.put(key(5_000), value(1)), Change.delete(key(5_001)));
    List<Object> given = new ArrayList<>();
    new Tree(root, nodes)
        .walk(
            old,
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) {
                given.add(key);
              }

              @Override
              public void node(BlockPointer pointer, int level) {
                given.add(pointer);
              }
            });
    assertEquals(List.of(key(5_000), root), given);
  }

  private int pendingChanges() throws IOException {
    Node parent = new Tree(root, nodes).openRoot();
    while (parent.level() > 1) {
      parent = new Tree(parent.child(parent.count() / 2), nodes).openRoot();
    }
    return parent.firstPending(parent.count());
  }

  @Test
  void changesWithoutEffectKeepTheRoot() throws IOException {
    apply(puts(0, 10_000));
    BlockPointer before = root;
    apply(
        Change.deleteRange(new Key(0, 0, 0), new Key(0, 255, -1)),
        Change.delete(new Key(0, 1, 5)),
        Change.put(key(77), value(77)),
        Change.put(key(9_000), value(9_000)),
        Change.delete(key(10_001)),
        Change.deleteRange(key(10_002), Key.MAX));
    assertSame(before, root);
    assertEquals(0, nodes.writes);
    assertEquals(0, nodes.departures);
  }

  @Test
  void onlyTheParentOfTheLeafThatChangesIsRewritten() throws IOException {
    apply(puts(0, 10_000));
    apply(Change.put(key(77), value(77)), Change.put(key(5_000), value(1)), Change.delete(key(-9)));
    assertEquals(1, nodes.writes);
  }

  @Test
  void aDroppedSubtreeIsReportedWithoutReadingItsLeaves() throws IOException {
    apply(puts(0, 200_000));
    long all = nodes.live().size();
    assertTrue(new Tree(root, nodes).rootLevel() == 2);
    apply(Change.deleteRange(key(1_000), key(199_000)));
    assertTrue(nodes.reads < 30, "reads: " + nodes.reads);
    assertTrue(nodes.departures > all * 9 / 10);
    assertEquals(2_000 - 1, count());
    apply(Change.deleteRange(Key.MIN, Key.MAX));
    assertNull(root);
    assertTrue(nodes.live().isEmpty());
  }

  @Test
  void aPointInsideARangeWins() throws IOException {
    apply(puts(0, 5_000));
    apply(
        Change.deleteRange(key(100), key(4_900)),
        Change.put(key(100), value(1)),
        Change.put(key(2_000), value(2)),
        Change.delete(key(3_000)),
        Change.put(key(4_900), value(3)));
    assertEquals(100 + 3 + 99, count());
    assertArrayEquals(value(2), new Tree(root, nodes).get(key(2_000)));
    Map.Entry<Key, byte[]> found = new Tree(root, nodes).lastAtMost(key(4_899));
    assertNotNull(found);
    assertEquals(key(2_000), found.getKey());
  }

  @Test
  void changesOutOfOrderAreRefused() throws IOException {
    assertThrows(
        IllegalStateException.class,
        () -> apply(Change.put(key(2), value(2)), Change.put(key(2), value(2))));
    assertThrows(
        IllegalStateException.class,
        () -> apply(Change.deleteRange(key(2), key(5)), Change.deleteRange(key(5), key(6))));
    assertThrows(IllegalArgumentException.class, () -> Change.deleteRange(key(2), key(1)));
    assertThrows(
        IllegalArgumentException.class,
        () -> Change.put(key(2), new byte[NodeFormat.MAX_VALUE_BYTES + 1]));
  }

  @Test
  void aMillionChangesStreamThrough() throws IOException {
    Iterator<Change> changes =
        IntStream.range(0, 1_000_000).mapToObj(i -> Change.put(key(i), value(i))).iterator();
    nodes.nextTxg();
    root = TreeUpdate.apply(new Tree(null, nodes), ChangeSource.of(changes), nodes);
    TreeShape.verify(new Tree(root, nodes), nodes, NodeFormat.CAPACITY_BYTES);
    assertEquals(1_000_000, count());
  }

  @Test
  void aWalkLeavesOutWhatIsOld() throws IOException {
    apply(puts(0, 100_000));
    long old = nodes.txg();
    apply(Change.put(key(50_000), new byte[50]));
    List<BlockPointer> young = new ArrayList<>();
    List<BlockPointer> all = new ArrayList<>();
    walk(old, young);
    walk(-1, all);
    assertEquals(nodes.writes, young.size());
    assertEquals(root, young.get(young.size() - 1), "children come before parents");
    assertEquals(nodes.live().size(), all.size());
  }

  @Test
  void aValueOfEveryLengthComesBack() throws IOException {
    List<Change> changes = new ArrayList<>();
    for (int i = 0; i <= NodeFormat.MAX_VALUE_BYTES; i++) {
      changes.add(Change.put(key(i), new byte[i]));
    }
    apply(changes.toArray(Change[]::new));
    for (int i = 0; i <= NodeFormat.MAX_VALUE_BYTES; i++) {
      assertEquals(i, new Tree(root, nodes).get(key(i)).length);
    }
  }

  @Test
  void aNodeThatIsItsOwnChildIsCorruptAndNoEndlessLoop() throws IOException {
    apply(puts(0, 5_000));
    Node whole = Node.open(nodes.readNode(root), root);
    assertEquals(1, whole.level());
    byte[] loop =
        NodeFormat.encode(1, List.of(Entry.Child.existing(whole.key(0), root, List.of())));
    NodeReader reader =
        pointer -> {
          assertTrue(nodes.reads++ < 100, "it is read for ever");
          return loop;
        };
    nodes.reads = 0;
    assertThrows(CorruptBlockException.class, () -> new Tree(root, reader).get(key(0)));
    assertThrows(CorruptBlockException.class, () -> new Tree(root, reader).check());
  }

  @Test
  void keysOutOfOrderAreCorrupt() throws IOException {
    apply(puts(0, 50));
    Node leaf = Node.open(nodes.readNode(root), root);
    assertEquals(0, leaf.level());
    List<Entry> entries = new ArrayList<>();
    for (int i : new int[] {0, 2, 1, 3}) {
      entries.add(leaf.entry(i));
    }
    nodes.damage(root, NodeFormat.encode(0, entries));
    assertThrows(CorruptBlockException.class, () -> new Tree(root, nodes).check());
    entries.set(2, entries.get(1));
    nodes.damage(root, NodeFormat.encode(0, entries));
    assertThrows(CorruptBlockException.class, () -> new Tree(root, nodes).check());
  }

  @Test
  void hostileNodesNeverGiveMoreThanACorruptBlock() throws IOException {
    long seed = System.nanoTime();
    System.out.println("TreeTest.hostileNodes seed " + seed);
    Random random = new Random(seed);
    apply(puts(0, 60_000));
    for (int i = 0; i < 60_000; i += 500) {
      apply(Change.put(key(i), value(i + 1)), Change.delete(key(i + 1)));
    }
    List<BlockPointer> all = new ArrayList<>();
    walk(-1, all);
    int refused = 0;
    for (int i = 0; i < 3_000; i++) {
      BlockPointer victim = all.get(random.nextInt(4) == 0 ? all.size() - 1 : random.nextInt(5));
      byte[] good = nodes.readNode(victim);
      nodes.damage(victim, damaged(good, random));
      refused += useDamagedTree(random) ? 1 : 0;
      nodes.damage(victim, good);
    }
    assertTrue(refused > 1_000, "refused: " + refused);
    assertEquals(all.size(), new Tree(root, nodes).check());
  }

  private static byte[] damaged(byte[] good, Random random) {
    byte[] bad = good.clone();
    int flips = 1 + random.nextInt(3);
    for (int i = 0; i < flips; i++) {
      int limit = random.nextBoolean() ? NodeFormat.HEADER_BYTES * 8 : bad.length;
      bad[random.nextInt(limit)] = (byte) random.nextInt();
    }
    return bad;
  }

  private boolean useDamagedTree(Random random) throws IOException {
    Tree tree = new Tree(root, nodes);
    try {
      tree.get(key(random.nextInt(600)));
      tree.lastAtMost(key(random.nextInt(60_000)));
      tree.scan(key(0), key(600), (key, source, offset, length) -> true);
      tree.check();
      return false;
    } catch (CorruptBlockException e) {
      assertFalse(e.getMessage().contains("\n"));
      return true;
    }
  }

  private void walk(long bornAfter, List<BlockPointer> pointers) throws IOException {
    new Tree(root, nodes)
        .walk(
            bornAfter,
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) {
                assertEquals(1, key.high());
              }

              @Override
              public void node(BlockPointer pointer, int level) {
                pointers.add(pointer);
              }
            });
  }

  private void apply(Change... changes) throws IOException {
    nodes.nextTxg();
    root =
        TreeUpdate.apply(
            new Tree(root, nodes), ChangeSource.of(List.of(changes).iterator()), nodes);
    long reads = nodes.reads;
    TreeShape.verify(new Tree(root, nodes), nodes, NodeFormat.CAPACITY_BYTES);
    nodes.reads = reads;
  }

  private long count() throws IOException {
    long[] count = {0};
    new Tree(root, nodes)
        .scan(
            Key.MIN,
            Key.MAX,
            (key, source, offset, length) -> {
              count[0]++;
              return true;
            });
    return count[0];
  }

  private double leafFill() throws IOException {
    long[] used = {0};
    long[] leaves = {0};
    new Tree(root, nodes)
        .walk(
            -1,
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) {
                used[0] += NodeFormat.LEAF_SLOT_BYTES + length;
              }

              @Override
              public void node(BlockPointer pointer, int level) {
                leaves[0] += level == 0 ? 1 : 0;
              }
            });
    return (double) used[0] / leaves[0] / NodeFormat.CAPACITY_BYTES;
  }

  private static Change[] puts(int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(i -> Change.put(key(i), value(i)))
        .toArray(Change[]::new);
  }

  private static Key key(long i) {
    return new Key(1, 3, i);
  }

  private static byte[] value(int i) {
    byte[] value = new byte[60];
    value[0] = (byte) i;
    value[59] = (byte) (i >> 8);
    return value;
  }
}
