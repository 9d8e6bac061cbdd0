package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import java.io.IOException;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Walks the part of a tree that lies in a range of keys, in the order of keys, past what is
 * damaged. Unlike {@link PartialWalk} it is for trees that change between two walks: what is
 * pending for a subtree that is left out comes where that subtree is passed by, so that nothing
 * that stays in the tree is lost when a walk goes on in a newer state of it. It may give things
 * twice.
 *
 * <p>Belongs to one thread. The one who uses it sees to it that no node of the tree is freed
 * meanwhile.
 */
public final class RangeWalk {
  private final Tree tree;
  private final long bornAfter;
  private final Visitor visitor;
  private final BooleanSupplier enough;

  /** Null for the end of the tree. */
  private Key upTo;

  private boolean anyLeafGiven;

  /** Where it stopped because it was enough; null otherwise. */
  private Key stoppedAt;

  /** Gets nodes and items as a {@link NodeVisitor} does. */
  public interface Visitor extends NodeVisitor {
    /**
     * A node that cannot be read, or an item in it. What is below it is left out.
     *
     * @param first its first key, or one that is at most that
     * @param next the first key of the node after it; null where that is not known
     */
    void damaged(BlockPointer node, Key first, Key next, IOException failure) throws IOException;
  }

  /**
   * Prepares a walk; reads nothing.
   *
   * @param bornAfter subtrees whose pointer was born in this txg or before are left out
   * @param enough asked before each leaf but the first: true ends the walk
   */
  public RangeWalk(Tree tree, long bornAfter, Visitor visitor, BooleanSupplier enough) {
    this.tree = tree;
    this.bornAfter = bornAfter;
    this.visitor = visitor;
    this.enough = enough;
  }

  /**
   * Walks, once.
   *
   * @param from where to begin: at the leaf that has this key; null for the first one
   * @param end where to end: before the first leaf whose keys are all at least this; null for the
   *     end of the tree
   * @return the first key that was not given, because it was enough; null when it came to the end
   * @throws IOException only what the visitor throws
   */
  public Key walk(Key from, Key end) throws IOException {
    upTo = end;
    BlockPointer root = tree.root();
    if (root == null || root.birthTxg() <= bornAfter) {
      return null;
    }
    Node node;
    try {
      node = tree.openRoot();
      node.validate();
    } catch (IOException failure) {
      visitor.damaged(root, Key.MIN, null, failure);
      return null;
    }
    if (node.level() == 0) {
      giveLeaf(node, Key.MIN, null);
    } else {
      walk(node, from, null);
    }
    return stoppedAt;
  }

  /**
   * Returns false when it ended within the node.
   *
   * @param next the first key behind it; null where there is none
   */
  private boolean walk(Node node, Key from, Key next) throws IOException {
    for (int i = 0; i < node.count(); i++) {
      if (from != null && i + 1 < node.count() && node.compareKey(i + 1, from) <= 0) {
        continue;
      }
      if (upTo != null && node.compareKey(i, upTo) >= 0) {
        return false;
      }
      Key childNext = i + 1 < node.count() ? node.key(i + 1) : next;
      if (!walkChild(node, i, from, childNext)) {
        return false;
      }
    }
    visitor.node(node.pointer(), node.level());
    return true;
  }

  private boolean walkChild(Node parent, int index, Key from, Key next) throws IOException {
    BlockPointer pointer = parent.child(index);
    List<Change> pending = parent.pending(index);
    if (pointer.birthTxg() <= bornAfter) {
      givePending(parent, pending);
      return true;
    }
    Key first = parent.key(index);
    if (parent.level() == 1 && anyLeafGiven && enough.getAsBoolean()) {
      stoppedAt = first;
      return false;
    }
    Node child;
    try {
      child = tree.openChecked(parent, index);
    } catch (IOException failure) {
      visitor.damaged(pointer, first, next, failure);
      givePending(parent, pending);
      return true;
    }
    if (child.level() > 0) {
      return walk(child, from, next);
    }
    anyLeafGiven = true;
    giveLeaf(child, first, next);
    return true;
  }

  private void giveLeaf(Node leaf, Key first, Key next) throws IOException {
    for (int i = 0; i < leaf.count(); i++) {
      try {
        visitor.item(leaf.key(i), leaf.bytes(), leaf.valueOffset(i), leaf.valueLength(i));
      } catch (CorruptBlockException failure) {
        visitor.damaged(leaf.pointer(), first, next, failure);
      }
    }
    visitor.node(leaf.pointer(), 0);
  }

  private void givePending(Node parent, List<Change> pending) throws IOException {
    for (Change change : pending) {
      if (change.isPut()) {
        try {
          visitor.item(change.key(), change.value(), 0, change.value().length);
        } catch (CorruptBlockException failure) {
          visitor.damaged(parent.pointer(), change.key(), null, failure);
        }
      }
    }
  }
}
