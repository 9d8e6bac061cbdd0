package io.cowfs.core.btree;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Walks in pieces of random size, compared with {@link Tree#walk} over the same tree. */
final class PartialWalkTest {
  /** Small nodes make a high tree of few items. */
  private static final int CAPACITY_BYTES = 400;

  private static final int TXGS = 8;
  private static final int MAX_KEY = 2_000;

  private final MemoryNodes nodes = new MemoryNodes();
  private Random random;
  private BlockPointer root;

  /** An item, with level -1, or a node. */
  private record Given(int level, Key key, long sector) {}

  private static final class Recorder implements NodeVisitor {
    final List<Given> all = new ArrayList<>();
    final Set<Long> sectors = new HashSet<>();
    private final List<Integer> leafEnds = new ArrayList<>();

    @Override
    public void item(Key key, byte[] source, int offset, int length) {
      all.add(new Given(-1, key, 0));
    }

    @Override
    public void node(BlockPointer pointer, int level) {
      all.add(new Given(level, null, pointer.sector()));
      sectors.add(pointer.sector());
      if (level == 0) {
        leafEnds.add(all.size());
      }
    }

    int leaves() {
      return leafEnds.size();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 0})
  void thePiecesTogetherAreTheWalk(long fixed) throws IOException {
    long seed = fixed == 0 ? System.nanoTime() : fixed;
    System.out.println("PartialWalkTest seed " + seed);
    random = new Random(seed);
    for (int tree = 0; tree < 12; tree++) {
      root = null;
      long first = nodes.txg();
      grow();
      for (int i = 0; i < 20; i++) {
        long bornAfter = random.nextInt(4) == 0 ? 0 : first + random.nextInt(TXGS + 1);
        int leaves = 1 + random.nextInt(random.nextBoolean() ? 3 : 40);
        walkInPieces(bornAfter, leaves);
      }
    }
  }

  /** Also with ranges of keys gone, whose nodes then have old children only. */
  private void grow() throws IOException {
    int keys = 1 + random.nextInt(MAX_KEY);
    for (int txg = 0; txg < TXGS; txg++) {
      nodes.nextTxg();
      TreeMap<Key, Change> changes = new TreeMap<>();
      int from = random.nextInt(keys);
      int span = txg == 0 ? keys : 1 + random.nextInt(keys);
      for (int i = txg == 0 ? keys : random.nextInt(60); i > 0; i--) {
        Key key = new Key((from + random.nextInt(span)) % keys, 1, 0);
        boolean put = txg == 0 || random.nextInt(3) > 0;
        changes.put(key, put ? Change.put(key, new byte[random.nextInt(40)]) : Change.delete(key));
      }
      if (random.nextInt(3) == 0) {
        Key low = new Key(from, 0, 0);
        Key high = new Key(from + random.nextInt(200), 2, 0);
        changes.subMap(low, true, high, true).clear();
        changes.put(low, Change.deleteRange(low, high));
      }
      ChangeSource source = ChangeSource.of(changes.values().iterator());
      root = TreeUpdate.apply(new Tree(root, nodes), source, nodes, CAPACITY_BYTES);
    }
  }

  private void walkInPieces(long bornAfter, int leaves) throws IOException {
    Recorder whole = new Recorder();
    new Tree(root, nodes).walk(bornAfter, whole);
    Recorder pieces = new Recorder();
    Key next = null;
    boolean complete = false;
    while (!complete) {
      int before = pieces.leaves();
      Set<Long> gone = Set.copyOf(pieces.sectors);
      NodeReader reader =
          pointer -> {
            assertFalse(gone.contains(pointer.sector()), "what was given is never read again");
            return nodes.readNode(pointer);
          };
      PartialWalk walk =
          new PartialWalk(bornAfter, pieces, () -> pieces.leaves() - before >= leaves);
      PartialWalk.Progress progress = walk.walk(new Tree(root, reader), next);
      assertNull(progress.damage());
      complete = progress.isComplete();
      int given = pieces.leaves() - before;
      assertTrue(given <= leaves, "a piece is not larger than asked for");
      assertTrue(complete || given == leaves, "nor smaller");
      assertTrue(complete || next == null || progress.next().compareTo(next) > 0, "it goes on");
      next = progress.next();
    }
    assertEquals(whole.all, pieces.all);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void damageStopsTheWalkBeforeItsLeaf(long seed) throws IOException {
    random = new Random(seed);
    int damagedWalks = 0;
    while (damagedWalks < 20) {
      root = null;
      grow();
      Recorder whole = new Recorder();
      new Tree(root, nodes).walk(0, whole);
      if (whole.leaves() < 2) {
        continue;
      }
      damagedWalks++;
      int leaf = random.nextInt(whole.leaves());
      long damaged = whole.all.get(whole.leafEnds.get(leaf) - 1).sector();
      Recorder given = new Recorder();
      NodeReader reader =
          pointer -> {
            if (pointer.sector() == damaged) {
              throw new CorruptBlockException("damaged");
            }
            return nodes.readNode(pointer);
          };
      PartialWalk walk = new PartialWalk(0, given, () -> false);
      PartialWalk.Progress progress = walk.walk(new Tree(root, reader), null);
      assertNotNull(progress.damage());
      assertFalse(progress.isComplete());
      assertEquals(whole.all.subList(0, given.all.size()), given.all);
      assertEquals(leaf, given.leaves());
      PartialWalk.Progress again = walk.walk(new Tree(root, reader), progress.next());
      assertNotNull(again.damage(), "it goes on where it stopped");
      assertEquals(leaf, given.leaves());
    }
  }
}
