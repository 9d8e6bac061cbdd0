package io.cowfs.core.btree;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random changes of a tree and of a {@link TreeMap}; both must agree after each batch. */
class TreeModelTest {
  /** What a run mostly does. */
  enum Mix {
    CLUSTERED(60, 4000, 200, 40_000),
    SEQUENTIAL(60, 4000, 400, 60_000),
    SPARSE(2000, 40, 120, 30_000),
    FEW(6000, 12, 60, 20_000),
    LARGE_VALUES(100, 700, NodeFormat.MAX_VALUE_BYTES, 6_000),
    TINY_VALUES(50, 8000, 8, 100_000),
    RANGES(400, 800, 600, 20_000),
    HIGH(400, 600, 60, 10_000),
    HIGH_RANGES(400, 600, 60, 10_000);

    final int batches;
    final int opsPerBatch;
    final int valueBytesMax;
    final int itemsMax;

    /** Small nodes make a high tree of few items. */
    int capacityBytes() {
      return isHigh() ? 400 : NodeFormat.CAPACITY_BYTES;
    }

    boolean isHigh() {
      return this == HIGH || this == HIGH_RANGES;
    }

    Mix(int batches, int opsPerBatch, int valueBytesMax, int itemsMax) {
      this.batches = batches;
      this.opsPerBatch = opsPerBatch;
      this.valueBytesMax = valueBytesMax;
      this.itemsMax = itemsMax;
    }
  }

  /** The changes of one txg: ranges first, points win. */
  private record Batch(List<Change> ranges, List<Change> points) {
    int size() {
      return ranges.size() + points.size();
    }

    ChangeSource source() {
      return ChangeSource.merging(ranges.iterator(), points.iterator());
    }
  }

  @ParameterizedTest
  @EnumSource
  void agreesWithTreeMap(Mix mix) {
    long seed = Long.getLong("cowfs.test.seed", System.nanoTime());
    System.out.println("TreeModelTest " + mix + " seed " + seed);
    Random random = new Random(seed);
    List<Batch> batches = new ArrayList<>();
    Run run = new Run(mix);
    long operations = 0;
    while (batches.size() < mix.batches || operations < 200_000) {
      Batch batch = new Generator(mix, random, run.model).batch();
      batches.add(batch);
      operations += batch.size();
      try {
        run.apply(batch);
      } catch (IOException | RuntimeException | AssertionError e) {
        throw new AssertionError(
            "seed %d, batch %d; smallest failing sequence:%n%s"
                .formatted(seed, batches.size(), describe(shrink(mix, batches))),
            e);
      }
    }
  }

  /** A tree and its model. */
  private static final class Run {
    final Mix mix;
    final NavigableMap<Key, byte[]> model = new TreeMap<>();
    final MemoryNodes nodes = new MemoryNodes();
    BlockPointer root;

    Run(Mix mix) {
      this.mix = mix;
    }

    void apply(Batch batch) throws IOException {
      nodes.nextTxg();
      root = TreeUpdate.apply(new Tree(root, nodes), batch.source(), nodes, mix.capacityBytes());
      for (Change range : batch.ranges) {
        model.subMap(range.key(), true, range.last(), true).clear();
      }
      for (Change point : batch.points) {
        if (point.isPut()) {
          model.put(point.key(), point.value());
        } else {
          model.remove(point.key());
        }
      }
      Tree tree = new Tree(root, nodes);
      TreeShape.verify(tree, nodes, mix.capacityBytes());
      compareItems(tree);
      compareSearches(tree, batch);
    }

    private void compareItems(Tree tree) throws IOException {
      Iterator<Map.Entry<Key, byte[]>> expected = model.entrySet().iterator();
      tree.scan(
          Key.MIN,
          Key.MAX,
          (key, source, offset, length) -> {
            assertTrue(expected.hasNext(), "more items than expected");
            Map.Entry<Key, byte[]> entry = expected.next();
            assertEquals(entry.getKey(), key);
            assertTrue(
                Arrays.equals(
                    source, offset, offset + length, entry.getValue(), 0, entry.getValue().length));
            return true;
          });
      assertTrue(!expected.hasNext(), "items are missing");
    }

    private void compareSearches(Tree tree, Batch batch) throws IOException {
      int step = Math.max(1, batch.points.size() / 50);
      for (int i = 0; i < batch.points.size(); i += step) {
        Key key = batch.points.get(i).key();
        assertArrayEquals(model.get(key), tree.get(key));
        Key near = new Key(key.high(), key.kind(), key.low() + 1);
        Map.Entry<Key, byte[]> expected = model.floorEntry(near);
        Map.Entry<Key, byte[]> found = tree.lastAtMost(near);
        if (expected == null) {
          assertNull(found);
        } else {
          assertEquals(expected.getKey(), found.getKey());
        }
        List<Key> some = new ArrayList<>();
        boolean whole =
            tree.scan(
                key,
                Key.MAX,
                (k, source, offset, length) -> {
                  some.add(k);
                  return some.size() < 5;
                });
        List<Key> tail = model.tailMap(key).keySet().stream().limit(5).toList();
        assertEquals(tail, some);
        assertEquals(tail.size() < 5, whole);
      }
    }
  }

  /** Makes changes that fit a mix. */
  private record Generator(Mix mix, Random random, NavigableMap<Key, byte[]> model) {
    Batch batch() {
      int ops =
          random.nextInt(4) == 0 ? 1 + random.nextInt(4) : 1 + random.nextInt(mix.opsPerBatch);
      NavigableMap<Key, Change> ranges = new TreeMap<>();
      NavigableMap<Key, Change> points = new TreeMap<>();
      int rangeCount = rangeCount(ops);
      for (int i = 0; i < rangeCount; i++) {
        addRange(ranges);
      }
      boolean shrinking = model.size() > mix.itemsMax || random.nextInt(5) == 0;
      long sequence = model.isEmpty() ? 0 : model.lastKey().low();
      for (int i = 0; i < ops; i++) {
        Key key =
            mix == Mix.SEQUENTIAL && random.nextInt(50) > 0
                ? new Key(7, 1, ++sequence)
                : random.nextBoolean() && !model.isEmpty() ? existingKey() : newKey();
        boolean delete = random.nextInt(10) < (shrinking ? 7 : 2);
        points.put(key, delete ? Change.delete(key) : Change.put(key, value(key)));
      }
      return new Batch(List.copyOf(ranges.values()), List.copyOf(points.values()));
    }

    private int rangeCount(int ops) {
      if (mix == Mix.RANGES || mix == Mix.HIGH_RANGES) {
        return random.nextInt(6);
      }
      return random.nextInt(8) == 0 || ops < 3 ? random.nextInt(3) : 0;
    }

    private void addRange(NavigableMap<Key, Change> ranges) {
      Key a = random.nextBoolean() && !model.isEmpty() ? existingKey() : newKey();
      Key b =
          switch (random.nextInt(6)) {
            case 0 -> a;
            case 1 -> new Key(a.high(), 255, -1);
            case 2 -> random.nextInt(5) == 0 ? Key.MAX : newKey();
            default -> new Key(a.high(), a.kind(), a.low() + random.nextInt(2000));
          };
      Key first = a.compareTo(b) <= 0 ? a : b;
      Key last = a.compareTo(b) <= 0 ? b : a;
      if (random.nextInt(200) == 0) {
        first = Key.MIN;
        last = Key.MAX;
      }
      Map.Entry<Key, Change> before = ranges.floorEntry(last);
      if (before == null || before.getValue().last().compareTo(first) < 0) {
        ranges.put(first, Change.deleteRange(first, last));
      }
    }

    private Key newKey() {
      return switch (mix) {
        case SPARSE -> new Key(random.nextLong(), random.nextInt(256), random.nextLong());
        case TINY_VALUES -> new Key(1, 2, random.nextInt(1_000_000));
        default -> new Key(random.nextInt(30), random.nextInt(4), random.nextInt(20_000));
      };
    }

    private Key existingKey() {
      Key key = model.ceilingKey(newKey());
      return key == null ? model.lastKey() : key;
    }

    private byte[] value(Key key) {
      byte[] old = model.get(key);
      if (old != null && random.nextInt(4) == 0) {
        return old.clone();
      }
      int bytes =
          random.nextInt(30) == 0 && !mix.isHigh()
              ? random.nextInt(NodeFormat.MAX_VALUE_BYTES + 1)
              : random.nextInt(mix.valueBytesMax + 1);
      byte[] value = new byte[bytes];
      random.nextBytes(value);
      return value;
    }
  }

  /** Leaves out halves, then smaller parts, as long as the rest still fails. */
  private static List<Batch> shrink(Mix mix, List<Batch> failing) {
    List<Batch> smallest = failing;
    for (int part = Math.max(1, failing.size() / 2); part >= 1; part /= 2) {
      for (int at = 0; at + part <= smallest.size(); ) {
        List<Batch> shorter = new ArrayList<>(smallest);
        shorter.subList(at, at + part).clear();
        if (fails(mix, shorter)) {
          smallest = shorter;
        } else {
          at += part;
        }
      }
    }
    for (int i = 0; i < smallest.size(); i++) {
      smallest = shrinkBatch(mix, smallest, i);
    }
    return smallest;
  }

  private static List<Batch> shrinkBatch(Mix mix, List<Batch> failing, int index) {
    List<Batch> smallest = failing;
    for (int part = Math.max(1, failing.get(index).points.size() / 2); part >= 1; part /= 2) {
      for (int at = 0; at + part <= smallest.get(index).points.size(); ) {
        List<Change> points = new ArrayList<>(smallest.get(index).points);
        points.subList(at, at + part).clear();
        List<Batch> shorter = new ArrayList<>(smallest);
        shorter.set(index, new Batch(smallest.get(index).ranges, points));
        if (fails(mix, shorter)) {
          smallest = shorter;
        } else {
          at += part;
        }
      }
    }
    return smallest;
  }

  private static boolean fails(Mix mix, List<Batch> batches) {
    Run run = new Run(mix);
    try {
      for (Batch batch : batches) {
        run.apply(batch);
      }
      return false;
    } catch (IOException | RuntimeException | AssertionError e) {
      return true;
    }
  }

  private static String describe(List<Batch> batches) {
    StringBuilder text = new StringBuilder();
    for (Batch batch : batches) {
      text.append("  ").append(batch.ranges).append(' ');
      List<Change> points = batch.points;
      text.append(points.size() > 100 ? points.size() + " points" : points).append('\n');
    }
    return text.toString();
  }
}
