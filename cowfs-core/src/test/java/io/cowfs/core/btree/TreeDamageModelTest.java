package io.cowfs.core.btree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Random changes of a tree in which some nodes are damaged: whatever {@link Tree#requireReadable}
 * lets pass can be made, also after other such changes, and what is damaged stays what it was.
 */
class TreeDamageModelTest {
  /** Small nodes make a high tree of few items. */
  private static final int CAPACITY_BYTES = 400;

  private static final int RUNS = 300;
  private static final int BATCHES = 12;
  private static final int KEYS = 3000;
  private static final int VALUE_BYTES_MAX = 60;

  /** Is always there, like a root directory: so no leaf but the first one becomes the first. */
  private static final Key LEAST = new Key(0, 0, 0);

  private MemoryNodes nodes;
  private final NavigableMap<Key, byte[]> model = new TreeMap<>();
  private final Map<BlockPointer, byte[]> damaged = new HashMap<>();
  private BlockPointer root;
  private Random random;
  private int refused;
  private int made;

  @Test
  void whatCanBeReadCanBeChanged() throws IOException {
    long seed = Long.getLong("cowfs.test.seed", System.nanoTime());
    System.out.println("TreeDamageModelTest seed " + seed);
    random = new Random(seed);
    for (int run = 0; run < RUNS; run++) {
      nodes = new MemoryNodes();
      model.clear();
      root = null;
      apply(List.of(Change.put(LEAST, new byte[0])));
      apply(puts(1 + random.nextInt(random.nextBoolean() ? 1500 : 60)));
      for (int batch = 0; batch < BATCHES; batch++) {
        damageSome();
        List<Change> first = possible(random.nextInt(3) == 0 ? puts(60) : deletes());
        List<Change> second = first.stream().anyMatch(Change::isRange) ? List.of() : again(first);
        String where = "seed " + seed + ", run " + run + ", batch " + batch;
        try {
          apply(first);
          apply(second);
        } catch (IOException | RuntimeException | Error failure) {
          throw new AssertionError(where, failure);
        }
        mend();
        compare(where);
      }
    }
    assertTrue(refused > 1000 && made > 1000, refused + " refused, " + made + " made");
  }

  /** Points in the places of others and beside them, of which the tree is asked before those. */
  private List<Change> again(List<Change> others) {
    NavigableMap<Key, Change> changes = new TreeMap<>();
    for (Change other : others) {
      if (random.nextInt(4) == 0) {
        Key key = new Key(Math.max(0, other.key().high() + random.nextInt(3) - 1), 1, 0);
        changes.put(key, Change.put(key, new byte[random.nextInt(VALUE_BYTES_MAX)]));
      }
    }
    return possible(List.copyOf(changes.values()));
  }

  private List<Change> possible(List<Change> wanted) {
    List<Change> possible = wanted.stream().filter(this::isPossible).toList();
    refused += wanted.size() - possible.size();
    made += possible.size();
    return possible;
  }

  private Key key() {
    return new Key(random.nextInt(KEYS), 1, 0);
  }

  private List<Change> puts(int count) {
    NavigableMap<Key, Change> changes = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      Key key = key();
      byte[] value = new byte[random.nextInt(VALUE_BYTES_MAX)];
      random.nextBytes(value);
      changes.put(key, Change.put(key, value));
    }
    return List.copyOf(changes.values());
  }

  /** Runs of keys, one by one, and all keys of some ranges. */
  private List<Change> deletes() {
    NavigableMap<Key, Change> changes = new TreeMap<>();
    for (int i = 0; i < 3; i++) {
      Key from = key();
      Key last = new Key(from.high() + random.nextInt(KEYS / 8), 1, 0);
      if (!changes.subMap(from, true, last, true).isEmpty()
          || changes.values().stream().anyMatch(change -> reaches(change, from))) {
        continue;
      }
      if (random.nextBoolean()) {
        changes.put(from, Change.deleteRange(from, last));
      } else {
        model.subMap(from, true, last, true).keySet().stream()
            .filter(key -> random.nextInt(10) > 0)
            .forEach(key -> changes.put(key, Change.delete(key)));
      }
    }
    return List.copyOf(changes.values());
  }

  private static boolean reaches(Change change, Key key) {
    return change.isRange()
        && change.key().compareTo(key) <= 0
        && change.last().compareTo(key) >= 0;
  }

  private static Key lastOf(Change change) {
    return change.isRange() ? change.last() : change.key();
  }

  private boolean isPossible(Change change) {
    try {
      new Tree(root, nodes).requireReadable(change.key().previous(), lastOf(change));
      return true;
    } catch (IOException damage) {
      return false;
    }
  }

  private void apply(List<Change> changes) throws IOException {
    if (changes.isEmpty()) {
      return;
    }
    nodes.nextTxg();
    List<Change> ranges = changes.stream().filter(Change::isRange).toList();
    List<Change> points = changes.stream().filter(change -> !change.isRange()).toList();
    root =
        TreeUpdate.apply(
            new Tree(root, nodes),
            ChangeSource.merging(ranges.iterator(), points.iterator()),
            nodes,
            CAPACITY_BYTES);
    for (Change change : changes) {
      if (change.isPut()) {
        model.put(change.key(), change.value());
      } else {
        model.subMap(change.key(), true, lastOf(change), true).clear();
      }
    }
  }

  private void damageSome() throws IOException {
    List<BlockPointer> all = TreeNodes.allOf(new Tree(root, nodes));
    int some = 1 + all.size() / (random.nextInt(3) == 0 ? 2 : 10);
    for (int i = 0; i < some; i++) {
      BlockPointer node = all.get(random.nextInt(all.size()));
      if (!node.equals(root) && !damaged.containsKey(node)) {
        damaged.put(node, nodes.readNode(node));
        nodes.damage(node, new byte[NodeFormat.NODE_BYTES]);
      }
    }
  }

  private void mend() {
    damaged.forEach(nodes::damage);
    damaged.clear();
  }

  private void compare(String where) throws IOException {
    Tree tree = new Tree(root, nodes);
    assertEquals(nodes.live().size(), tree.check(), where);
    Iterator<Map.Entry<Key, byte[]>> expected = model.entrySet().iterator();
    tree.scan(
        Key.MIN,
        Key.MAX,
        (key, source, offset, length) -> {
          Map.Entry<Key, byte[]> entry = expected.next();
          assertEquals(entry.getKey(), key, where);
          byte[] value = Arrays.copyOfRange(source, offset, offset + length);
          assertArrayEquals(entry.getValue(), value, where);
          return true;
        });
    assertTrue(!expected.hasNext(), where);
  }
}
