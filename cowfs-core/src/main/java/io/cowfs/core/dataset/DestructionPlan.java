package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads what the destruction of a node needs to know, and changes nothing: a damaged block shows
 * before the first change.
 */
final class DestructionPlan {
  private final Deadlists deadlists;
  private final NodeReader reader;
  private final ExtentScanner scanner;

  /**
   * How a leaf goes.
   *
   * @param met in the walk of its tree
   */
  record Leaf(DatasetNode node, ReferenceList met) {}

  /**
   * How a snapshot with one child goes.
   *
   * @param dying of the child's deadlist
   * @param joining the rest of it
   * @param deadlistUniqueSectors of the child's children, whose parent's parent changes
   */
  record Collapse(
      DatasetNode snapshot,
      DatasetNode child,
      ReferenceList dying,
      ReferenceList joining,
      Map<DatasetNode, Long> deadlistUniqueSectors) {}

  DestructionPlan(Deadlists deadlists, NodeReader reader, ExtentScanner scanner) {
    this.deadlists = deadlists;
    this.reader = reader;
    this.scanner = scanner;
  }

  /** Walks a leaf's tree, pruned to what was born after its parent. */
  Leaf leaf(DatasetNode node) throws IOException {
    ReferenceList met = new ReferenceList();
    long parentTxg = node.parentTxg();
    new Tree(node.root, reader)
        .walk(
            parentTxg,
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) throws IOException {
                byte[] value = Arrays.copyOfRange(source, offset, offset + length);
                scanner.extents(
                    key,
                    value,
                    (sector, sectors, birthTxg) -> {
                      if (birthTxg > parentTxg) {
                        met.add(sector, sectors, birthTxg);
                      }
                    });
              }

              @Override
              public void node(BlockPointer pointer, int level) {
                met.add(pointer.sector(), pointer.sectors(), pointer.birthTxg());
              }
            });
    return new Leaf(node, met);
  }

  /** Sorts the deadlist of a snapshot's one child. */
  Collapse collapse(DatasetNode snapshot, DatasetNode child) throws IOException {
    ReferenceList dying = new ReferenceList();
    ReferenceList joining = new ReferenceList();
    long parentTxg = snapshot.parentTxg();
    deadlists.forEach(
        child.deadlist,
        (sector, sectors, birthTxg) ->
            (birthTxg > parentTxg ? dying : joining).add(sector, sectors, birthTxg));
    Map<DatasetNode, Long> deadlistUniqueSectors = new HashMap<>();
    for (DatasetNode grandchild : child.children) {
      long[] sum = {0};
      deadlists.forEach(
          grandchild.deadlist,
          (sector, sectors, birthTxg) -> sum[0] += birthTxg > parentTxg ? sectors : 0);
      deadlistUniqueSectors.put(grandchild, sum[0]);
    }
    return new Collapse(snapshot, child, dying, joining, deadlistUniqueSectors);
  }
}
