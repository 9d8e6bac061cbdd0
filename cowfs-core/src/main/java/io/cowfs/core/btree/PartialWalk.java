package io.cowfs.core.btree;

import io.cowfs.core.block.CorruptBlockException;
import java.io.IOException;
import java.util.function.BooleanSupplier;

/**
 * Walks a tree piece by piece, children before parents, so that what was given may be freed and a
 * later piece never reads it again. A piece ends between two leaves; the key at which the next one
 * begins is all that has to be kept. Belongs to one thread.
 */
public final class PartialWalk {
  private final long bornAfter;
  private final NodeVisitor visitor;
  private final BooleanSupplier enough;
  private Key next;

  /**
   * How far a piece came.
   *
   * @param next where to go on; null when everything was given
   * @param damage what kept the walk from going on; null where it ended of its own accord
   */
  public record Progress(Key next, CorruptBlockException damage) {
    public boolean isComplete() {
      return next == null && damage == null;
    }
  }

  /**
   * Prepares a walk; reads nothing.
   *
   * @param bornAfter subtrees whose pointer was born in this txg or before are left out
   * @param visitor gets nodes and items; must not fail for damage of its own
   * @param enough asked before each leaf but the first: true ends the piece
   */
  public PartialWalk(long bornAfter, NodeVisitor visitor, BooleanSupplier enough) {
    this.bornAfter = bornAfter;
    this.visitor = visitor;
    this.enough = enough;
  }

  /**
   * Gives the next piece: at least one leaf, unless nothing is left or it is damaged.
   *
   * @param from where the piece before ended; null for the first
   */
  public Progress walk(Tree tree, Key from) throws IOException {
    next = from;
    if (tree.root() == null || tree.root().birthTxg() <= bornAfter) {
      return new Progress(null, null);
    }
    try {
      Node root = tree.openRoot();
      root.validate();
      boolean complete = walk(tree, root, from, new boolean[] {true});
      return new Progress(complete ? null : next, null);
    } catch (CorruptBlockException damage) {
      return new Progress(next, damage);
    }
  }

  /** Returns false when it stopped within the node, which is then not given. */
  private boolean walk(Tree tree, Node node, Key from, boolean[] first) throws IOException {
    if (node.level() == 0) {
      giveLeaf(node);
      first[0] = false;
      return true;
    }
    for (int i = 0; i < node.count(); i++) {
      boolean given = from != null && i + 1 < node.count() && node.compareKey(i + 1, from) <= 0;
      if (given || node.childBirthTxg(i) <= bornAfter) {
        continue;
      }
      if (from == null || node.compareKey(i, from) > 0) {
        next = node.key(i);
      }
      if (node.level() == 1 && !first[0] && enough.getAsBoolean()) {
        return false;
      }
      if (!walk(tree, tree.openChecked(node, i), from, first)) {
        return false;
      }
    }
    node.givePendingOfOld(bornAfter, visitor);
    visitor.node(node.pointer(), node.level());
    return true;
  }

  private void giveLeaf(Node leaf) throws IOException {
    for (int i = 0; i < leaf.count(); i++) {
      visitor.item(leaf.key(i), leaf.bytes(), leaf.valueOffset(i), leaf.valueLength(i));
    }
    visitor.node(leaf.pointer(), 0);
  }
}
