package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BackgroundFreesTest {
  private static final int KEYS = 200;

  /** An item takes about a sixth of a leaf, so a leaf has few references. */
  private static final int PADDING = 2_500;

  private static final int REFERENCES = 20;
  private static final int LEAF_REFERENCES = 8;

  /** Of an extent, and of a node. */
  private static final int MAX_SECTORS = 4;

  @TempDir Path directory;
  private SimulatedPool pool;

  @BeforeEach
  void open() throws IOException {
    pool = new SimulatedPool(directory, new BackgroundFrees.Budget(REFERENCES, 1));
  }

  @AfterEach
  void close() throws IOException {
    pool.close();
  }

  @Test
  void aTreeIsFreedInPiecesOfTheBudget() throws IOException {
    createAndDestroy("d");
    long left = pool.datasets.totals().condemned();
    assertTrue(left > KEYS, "much is to be freed");
    int pieces = 0;
    while (left > 0) {
      assertTrue(pool.datasets.backgroundFrees().hasBacklog());
      freeAndCommit();
      long now = pool.datasets.totals().condemned();
      assertTrue(now < left, "it goes on");
      assertTrue(
          left - now <= (REFERENCES + LEAF_REFERENCES) * MAX_SECTORS, "not more than a piece");
      left = now;
      pieces++;
    }
    assertTrue(pieces >= KEYS / (REFERENCES + LEAF_REFERENCES), pieces + " pieces");
    assertFalse(pool.datasets.backgroundFrees().hasBacklog());
  }

  @Test
  void whatWasDestroyedFirstIsFreedFirst() throws IOException {
    createAndDestroy("a");
    createAndDestroy("b");
    List<Condemned> both = pool.catalog.load().condemned();
    assertEquals(2, both.size());
    while (pool.catalog.load().condemned().size() == 2) {
      assertEquals(both.get(1), pool.catalog.load().condemned().get(1));
      freeAndCommit();
    }
    assertEquals(both.get(1).id(), pool.catalog.load().condemned().get(0).id());
  }

  @Test
  void aForgottenListGoesChunkByChunkAndFreesNothing() throws IOException {
    for (int i = 0; i < 4; i++) {
      pool.begin();
      pool.change("root", allKeys(), PADDING);
      pool.snapshot("root", "s" + i);
      pool.commit();
    }
    pool.begin();
    pool.change("root", allKeys(), PADDING);
    pool.commit();
    pool.begin();
    pool.rollbackAndDiscard("root", "s2");
    pool.commit();
    HistoryAudit.check(pool);
    List<Condemned> condemned = pool.catalog.load().condemned();
    assertTrue(
        condemned.stream().anyMatch(each -> each.kind() == Condemned.Kind.FORGOTTEN_LIST),
        condemned.toString());
    int lists = pool.catalog.load().lists().size();
    int txgs = 0;
    while (pool.datasets.backgroundFrees().hasBacklog()) {
      freeAndCommit();
      txgs++;
    }
    assertTrue(txgs > 2, "one chunk in each txg");
    assertTrue(pool.catalog.load().lists().size() < lists);
  }

  @Test
  void whatCannotBeReadStaysCondemnedAndKeepsNothingElseFromBeingFreed() throws IOException {
    createAndDestroy("a");
    createAndDestroy("b");
    Condemned damaged = pool.catalog.load().condemned().get(0);
    Runnable repair = pool.blocks.damage(leaves(damaged).get(12));
    while (pool.datasets.backgroundFrees().hasBacklog()) {
      freeAndCommit();
    }
    List<Condemned> left = pool.catalog.load().condemned();
    assertEquals(List.of(damaged.id()), left.stream().map(Condemned::id).toList());
    assertTrue(left.get(0).sectors() < damaged.sectors(), "up to the damage it is freed");
    assertTrue(left.get(0).sectors() > 0);

    pool.begin();
    pool.change("root", allKeys(), 0);
    pool.free();
    pool.commit();
    HistoryAudit.check(pool);
    assertEquals(left, pool.catalog.load().condemned());

    repair.run();
    pool.crash();
    assertTrue(pool.datasets.backgroundFrees().hasBacklog(), "it is tried again");
    while (pool.datasets.backgroundFrees().hasBacklog()) {
      freeAndCommit();
    }
    assertEquals(List.of(), pool.catalog.load().condemned());
  }

  private List<BlockPointer> leaves(Condemned tree) throws IOException {
    List<BlockPointer> leaves = new ArrayList<>();
    new Tree(tree.root().orElseThrow(), pool.blocks)
        .walk(
            tree.bornAfter(),
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) {}

              @Override
              public void node(BlockPointer pointer, int level) {
                if (level == 0) {
                  leaves.add(pointer);
                }
              }
            });
    return leaves;
  }

  private static Map<Key, Integer> allKeys() {
    Map<Key, Integer> keys = new TreeMap<>();
    for (int i = 0; i < KEYS; i++) {
      keys.put(new Key(i, 1, 0), 1);
    }
    return keys;
  }

  private void createAndDestroy(String dataset) throws IOException {
    pool.begin();
    pool.create(dataset);
    pool.commit();
    pool.begin();
    pool.change(dataset, allKeys(), PADDING);
    pool.commit();
    // Neighbours with one birth would be one reference.
    pool.begin();
    Map<Key, Integer> everyOther = allKeys();
    everyOther.keySet().removeIf(key -> key.high() % 2 == 0);
    pool.change(dataset, everyOther, PADDING);
    pool.commit();
    pool.begin();
    pool.destroyDataset(dataset);
    pool.commit();
    HistoryAudit.check(pool);
  }

  private void freeAndCommit() throws IOException {
    pool.begin();
    pool.free();
    pool.commit();
    HistoryAudit.check(pool);
  }
}
