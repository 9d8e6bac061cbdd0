package io.cowfs.core.btree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The older tree, less what left, and with what joined, must be the newer one. */
class DivergenceTest {
  private static final int KEYS = 3_000;

  /** Nodes that stay, whatever leaves a tree. */
  private static final class KeptNodes implements NodeWriter {
    private final Map<Long, byte[]> nodes = new HashMap<>();
    long txg = 1;

    @Override
    public byte[] readNode(BlockPointer pointer) {
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

  /** How often each node and each item was given: added or taken away. */
  private static final class Sum implements NodeVisitor {
    final Map<Object, Integer> counts;
    private final int step;

    Sum(Map<Object, Integer> counts, int step) {
      this.counts = counts;
      this.step = step;
    }

    @Override
    public void item(Key key, byte[] source, int offset, int length) {
      add(key + " " + Arrays.toString(Arrays.copyOfRange(source, offset, offset + length)));
    }

    @Override
    public void node(BlockPointer pointer, int level) {
      add(pointer);
    }

    private void add(Object what) {
      counts.merge(what, step, (old, more) -> old + more == 0 ? null : old + more);
    }
  }

  private final KeptNodes nodes = new KeptNodes();
  private Random random;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 0})
  void theOlderTreeWithTheDifferenceIsTheNewerOne(long fixed) throws IOException {
    long seed = fixed == 0 ? System.nanoTime() : fixed;
    System.out.println("DivergenceTest seed " + seed);
    random = new Random(seed);
    int foundInCommonLeaves = 0;
    for (int run = 0; run < 30; run++) {
      int capacityBytes = random.nextBoolean() ? 400 : NodeFormat.CAPACITY_BYTES;
      BlockPointer older = change(null, KEYS, capacityBytes);
      for (int i = random.nextInt(4); i > 0; i--) {
        older = change(older, 1 + random.nextInt(40), capacityBytes);
      }
      long olderTxg = nodes.txg;
      BlockPointer newer = older;
      for (int i = 1 + random.nextInt(4); i > 0; i--) {
        newer = change(newer, 1 + random.nextInt(40), capacityBytes);
      }
      foundInCommonLeaves += compare(older, olderTxg, newer);
    }
    assertTrue(foundInCommonLeaves > 0, "no leaf was the same with other changes pending");
  }

  /** Returns 1 where items differed though no leaf left: they were pending; else 0. */
  private int compare(BlockPointer older, long olderTxg, BlockPointer newer) throws IOException {
    Map<Object, Integer> sum = new HashMap<>();
    new Tree(older, nodes).walk(-1, new Sum(sum, 1));
    Map<Object, Integer> expected = new HashMap<>();
    new Tree(newer, nodes).walk(-1, new Sum(expected, 1));
    int[] itemsOfOldLeaves = {0};
    boolean[] leafGiven = {false};
    Sum plus = new Sum(sum, 1);
    Sum minus = new Sum(sum, -1);
    Divergence.run(
        older,
        olderTxg,
        newer,
        nodes,
        new Divergence.Visitor() {
          @Override
          public NodeVisitor joined() {
            return plus;
          }

          @Override
          public NodeVisitor left() {
            return new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) {
                itemsOfOldLeaves[0]++;
                minus.item(key, source, offset, length);
              }

              @Override
              public void node(BlockPointer pointer, int level) {
                leafGiven[0] |= level == 0;
                minus.node(pointer, level);
              }
            };
          }

          @Override
          public void foreign(BlockPointer node) {
            throw new AssertionError("foreign: " + node);
          }
        });
    assertEquals(expected, sum);
    return !leafGiven[0] && itemsOfOldLeaves[0] > 0 ? 1 : 0;
  }

  private BlockPointer change(BlockPointer root, int count, int capacityBytes) throws IOException {
    nodes.txg++;
    TreeMap<Key, Change> changes = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      Key key = new Key(1, 1, random.nextInt(KEYS));
      byte[] value = new byte[random.nextInt(40)];
      random.nextBytes(value);
      changes.put(key, random.nextInt(4) > 0 ? Change.put(key, value) : Change.delete(key));
    }
    return TreeUpdate.apply(
        new Tree(root, nodes), ChangeSource.of(changes.values().iterator()), nodes, capacityBytes);
  }
}
