package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import java.io.IOException;
import java.util.List;

/**
 * Applies changes to a tree in one pass from left to right. Used by one thread, for one update.
 *
 * <p>A node is taken apart ("opened") when the first change that has an effect on it is met, its
 * parents before it; the part of it that was already passed is then handed to the assembler. Until
 * then nothing but the place in it is kept, and when nothing happens it stays what it is.
 */
public final class TreeUpdate {
  private final NodeWriter writer;
  private final ChangeCursor changes;
  private final NodeAssembler assembler;
  private final int capacityBytes;

  private TreeUpdate(ChangeSource changes, NodeWriter writer, int capacityBytes)
      throws IOException {
    this.writer = writer;
    this.changes = new ChangeCursor(changes);
    this.assembler = new NodeAssembler(writer, capacityBytes);
    this.capacityBytes = capacityBytes;
  }

  /**
   * Makes the tree that has the changes. Every new node is written once through {@code writer};
   * every node of {@code base} that the new tree does not have is reported once to {@link
   * NodeWriter#leaves}. After an exception the old tree is as it was, but nodes may have been
   * written and reported: the transaction is to be given up.
   *
   * @param base may be empty; read through {@code writer}
   * @return the new root, null when the new tree is empty, {@code base.root()} itself when no
   *     change has an effect
   * @throws CorruptBlockException when a node that is needed is damaged
   */
  public static BlockPointer apply(Tree base, ChangeSource changes, NodeWriter writer)
      throws IOException {
    return apply(base, changes, writer, NodeFormat.CAPACITY_BYTES);
  }

  /** The same with smaller nodes, to get a high tree from few items. */
  static BlockPointer apply(Tree base, ChangeSource changes, NodeWriter writer, int capacityBytes)
      throws IOException {
    return new TreeUpdate(changes, writer, capacityBytes).run(base.root());
  }

  /** A node of the old tree on the path to the place that was reached. */
  private static final class Frame {
    final Frame parent;
    final Node node;
    boolean opened;

    /** The first entry that was not passed yet. */
    int index;

    Frame(Frame parent, Node node) {
      this.parent = parent;
      this.node = node;
    }
  }

  private BlockPointer run(BlockPointer root) throws IOException {
    if (changes.headBelow(null) == null) {
      return root; // which is not even read
    }
    if (root == null) {
      insertInto(null, null);
      return assembler.finish();
    }
    Node node = assembler.readRoot(root);
    Frame frame = new Frame(null, node);
    update(frame, null);
    return frame.opened ? assembler.finish() : root;
  }

  /**
   * Applies all changes below {@code upper} to a node.
   *
   * @param upper the next key of the parents, or null at the right edge
   */
  private void update(Frame frame, Key upper) throws IOException {
    frame.node.validateUpper(upper);
    if (frame.node.level() == 0) {
      updateItems(frame, upper);
    } else {
      updateChildren(frame, upper);
    }
    if (frame.opened && upper != null) {
      assembler.endOfNode(frame.node.level());
    }
  }

  private void updateChildren(Frame frame, Key upper) throws IOException {
    Node node = frame.node;
    int childLevel = node.level() - 1;
    for (; frame.index < node.count(); frame.index++) {
      Entry.Child child = (Entry.Child) node.entry(frame.index);
      Key childUpper = frame.index + 1 < node.count() ? node.key(frame.index + 1) : upper;
      changes.takeRangesTo(child.key());
      if (!changes.touches(child.key(), childUpper)) {
        keep(frame);
      } else if (changes.deletesAll(child.key(), childUpper)) {
        open(frame);
        drop(child, childLevel);
      } else {
        updateChild(frame, child, childUpper);
      }
    }
  }

  private void updateChild(Frame frame, Entry.Child child, Key upper) throws IOException {
    Node stored = assembler.read(child, frame.node.level() - 1);
    if (stored.level() == 0 && leavePending(frame, child, stored, upper)) {
      return;
    }
    Frame childFrame = new Frame(frame, PendingChanges.apply(stored, child.pending()));
    update(childFrame, upper);
    if (!childFrame.opened) {
      keep(frame);
    }
  }

  /**
   * Keeps the changes of a leaf in its parent, where they are few.
   *
   * @param frame of the parent
   * @return false when the leaf has to take them
   */
  private boolean leavePending(Frame frame, Entry.Child child, Node leaf, Key upper)
      throws IOException {
    leaf.validateUpper(upper);
    List<Change> points =
        changes.fewPoints(child.key(), upper, NodeFormat.pendingBytesMax(capacityBytes));
    if (points == null) {
      return false;
    }
    List<Change> pending = PendingChanges.combine(leaf, child.pending(), points);
    if (!PendingChanges.mayStay(leaf, pending, capacityBytes)) {
      return false;
    }
    if (PendingChanges.same(pending, child.pending())) {
      keep(frame);
    } else {
      open(frame);
      assembler.pass(child.withPending(pending), 0);
    }
    for (int i = 0; i < points.size(); i++) {
      changes.take();
    }
    return true;
  }

  private void updateItems(Frame frame, Key upper) throws IOException {
    Node node = frame.node;
    while (frame.index < node.count()) {
      Key key = node.key(frame.index);
      insertInto(frame, key);
      Change change = changes.headBelow(upper);
      if (change != null && change.key().equals(key)) {
        replace(frame, change);
        changes.take();
      } else if (changes.deletes(key)) {
        open(frame);
      } else {
        keep(frame);
      }
      frame.index++;
    }
    insertInto(frame, upper);
  }

  /** Applies a put or delete of the key the frame is at. */
  private void replace(Frame frame, Change change) throws IOException {
    if (change.isPut() && frame.node.valueEquals(frame.index, change.value())) {
      keep(frame);
      return;
    }
    open(frame);
    if (change.isPut()) {
      assembler.add(0, item(change));
    }
  }

  /**
   * Takes the changes below a key, which no key of the old tree has, and also the ranges that begin
   * at it.
   *
   * @param frame the leaf, null when the old tree is empty
   * @param limit null for no limit
   */
  private void insertInto(Frame frame, Key limit) throws IOException {
    for (Change change = changes.headBelow(limit);
        change != null;
        change = changes.headBelow(limit)) {
      if (change.isPut()) {
        if (frame != null) {
          open(frame);
        }
        assembler.add(0, item(change));
      }
      changes.take();
    }
    if (limit != null) {
      changes.takeRangesTo(limit);
    }
  }

  private static Entry.Item item(Change put) {
    return new Entry.Item(put.key(), put.value(), 0, put.value().length);
  }

  /** The entry at the frame's place stays. */
  private void keep(Frame frame) throws IOException {
    if (frame.opened) {
      keep(frame.node, frame.index);
    }
  }

  private void keep(Node node, int index) throws IOException {
    Entry entry = node.entry(index);
    if (entry instanceof Entry.Child child) {
      assembler.pass(child, node.level() - 1);
    } else {
      assembler.add(0, entry);
    }
  }

  /** Takes a node and its parents apart, up to the place that was reached. */
  private void open(Frame frame) throws IOException {
    if (frame.opened) {
      return;
    }
    if (frame.parent != null) {
      open(frame.parent);
    }
    frame.opened = true;
    writer.leaves(frame.node.pointer());
    for (int i = 0; i < frame.index; i++) {
      keep(frame.node, i);
    }
  }

  /** Reports all nodes of a subtree. Leaves are not read. */
  private void drop(Entry.Child child, int level) throws IOException {
    if (level > 0) {
      Node node = assembler.read(child, level);
      for (int i = 0; i < node.count(); i++) {
        drop((Entry.Child) node.entry(i), level - 1);
      }
    }
    writer.leaves(child.pointer());
  }
}
