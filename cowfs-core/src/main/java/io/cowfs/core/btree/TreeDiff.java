package io.cowfs.core.btree;

import java.io.IOException;
import java.util.Arrays;

/**
 * Finds in which keys two trees differ. What both reach by equal pointers is passed by unread: a
 * pointer names its block by place, birth and checksum, and blocks are never overwritten. A leaf is
 * the same when what is pending for it is the same, too.
 *
 * <p>Two cursors go through the trees from left to right. Each stands on an item or on a child
 * pointer, whose key is the first key below it. The one with the smaller key moves: an item is a
 * difference, a child is opened. At equal keys the higher one is opened, until both stand on the
 * same level, where equal pointers are seen as such. So a node is opened only when the other tree
 * has no such node: it would have begun at the same key, and the other cursor comes to each key
 * from above. The only nodes read that both trees have are the two roots. Memory is one node for
 * each level of each tree.
 *
 * <p>Belongs to one thread. The one who uses it sees to it that no node of either tree is freed
 * meanwhile.
 */
public final class TreeDiff {
  private TreeDiff() {}

  /**
   * Gives all differences.
   *
   * @throws io.cowfs.core.block.CorruptBlockException when a node it needs is damaged; what was
   *     given before is right
   */
  public static void run(Tree before, Tree after, DifferenceVisitor visitor) throws IOException {
    if (before.root() != null && before.root().equals(after.root())) {
      return;
    }
    TreeCursor old = new TreeCursor(before);
    TreeCursor now = new TreeCursor(after);
    while (!old.isAtEnd() || !now.isAtEnd()) {
      int order = order(old, now);
      if (order < 0) {
        if (old.isItem()) {
          visitor.differs(old.key(), old.value(), null);
        }
        old.step();
      } else if (order > 0) {
        if (now.isItem()) {
          visitor.differs(now.key(), null, now.value());
        }
        now.step();
      } else {
        atSameKey(old, now, visitor);
      }
    }
  }

  /** Which cursor comes first; one at its end comes last. */
  private static int order(TreeCursor old, TreeCursor now) {
    if (old.isAtEnd() || now.isAtEnd()) {
      return now.isAtEnd() ? -1 : 1;
    }
    return old.key().compareTo(now.key());
  }

  private static void atSameKey(TreeCursor old, TreeCursor now, DifferenceVisitor visitor)
      throws IOException {
    if (old.level() > now.level()) {
      old.step();
    } else if (now.level() > old.level()) {
      now.step();
    } else if (old.isItem()) {
      byte[] oldValue = old.value();
      byte[] newValue = now.value();
      if (!Arrays.equals(oldValue, newValue)) {
        visitor.differs(old.key(), oldValue, newValue);
      }
      old.step();
      now.step();
    } else if (old.isSameSubtree(now)) {
      old.skip();
      now.skip();
    } else {
      old.step();
      now.step();
    }
  }
}
