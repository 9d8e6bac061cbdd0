package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.MemoryBlocks.Extent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What is left of what was destroyed, worked out without the code that frees it: a tree is walked
 * in full when it is met first, and from then on its cursor tells what is left of that walk. It has
 * to be asked after each commit.
 */
final class CondemnedModel {
  private final SimulatedPool pool;
  private final Map<Long, List<Step>> trees = new HashMap<>();

  /** A leaf with its items' extents, or an inner node; in the order in which they are given up. */
  private record Step(Key firstKey, SectorReferences references) {
    boolean isLeafFrom(Key cursor) {
      return firstKey != null && firstKey.compareTo(cursor) >= 0;
    }
  }

  CondemnedModel(SimulatedPool pool) {
    this.pool = pool;
  }

  /** The references that are still to die. */
  SectorReferences left(List<Condemned> all) throws IOException {
    trees.keySet().retainAll(all.stream().map(Condemned::id).toList());
    SectorReferences left = new SectorReferences();
    for (Condemned each : all) {
      SectorReferences own = left(each);
      assertEquals(own.size(), each.sectors(), () -> "left of " + each);
      left.addAll(own);
    }
    return left;
  }

  private SectorReferences left(Condemned condemned) throws IOException {
    SectorReferences left = new SectorReferences();
    switch (condemned.kind()) {
      case TREE -> leftOfTree(condemned, left);
      case LIST -> pool.catalog.forEachReference(condemned.list(), left::add);
      default -> {} // Others have what is in a forgotten list.
    }
    return left;
  }

  private void leftOfTree(Condemned tree, SectorReferences left) throws IOException {
    List<Step> steps = trees.get(tree.id());
    if (steps == null) {
      assertEquals(null, tree.cursor().orElse(null), "met before its first piece is freed");
      steps = walk(tree);
      trees.put(tree.id(), steps);
    }
    boolean met = tree.cursor().isEmpty();
    for (Step step : steps) {
      met |= !met && step.isLeafFrom(tree.cursor().get());
      if (met) {
        left.addAll(step.references());
      }
    }
  }

  private List<Step> walk(Condemned tree) throws IOException {
    List<Step> steps = new ArrayList<>();
    new Tree(tree.root().orElseThrow(), pool.blocks)
        .walk(
            tree.bornAfter(),
            new NodeVisitor() {
              private Key firstKey;
              private SectorReferences references = new SectorReferences();

              @Override
              public void item(Key key, byte[] source, int offset, int length) {
                firstKey = firstKey == null ? key : firstKey;
                Extent extent = Extent.decode(Arrays.copyOfRange(source, offset, offset + length));
                if (extent.birthTxg() > tree.bornAfter()) {
                  references.add(extent.sector(), extent.sectors(), extent.birthTxg());
                }
              }

              @Override
              public void node(BlockPointer pointer, int level) {
                pointer.forEachPlace(references::add);
                if (level == 0) {
                  assertNotNull(firstKey, "a leaf has items");
                }
                steps.add(new Step(firstKey, references));
                firstKey = null;
                references = new SectorReferences();
              }
            });
    return steps;
  }
}
