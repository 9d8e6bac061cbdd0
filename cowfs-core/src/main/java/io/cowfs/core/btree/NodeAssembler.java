package io.cowfs.core.btree;

import static io.cowfs.core.btree.NodeFormat.MAX_LEVEL;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes the nodes of a new tree, all levels at once, from entries that come in ascending order.
 * Used by one thread, for one update.
 *
 * <p>Each level has an <em>open</em> list of entries, not yet cut into nodes, and before it at most
 * one <em>held</em> node, which is complete but not written. A held node already has its entry, as
 * the last one of the level above; it is written when a right neighbour is complete. After a cut,
 * what is open is less than the least filling: it waits for more, or is joined with its left
 * neighbour, which is the held node, or else a node of the old tree, which then is taken apart.
 * Hence no node is written twice. Where that node cannot be read, a node with little in it is made:
 * what the changes do not need must not fail them.
 */
final class NodeAssembler {
  private final NodeWriter writer;
  private final int capacityBytes;

  /** Nodes with less are joined with a neighbour that is sound, but for the last of each level. */
  private final int leastBytes;

  private final List<Level> levels = new ArrayList<>();

  /**
   * Makes an assembler for one update.
   *
   * @param capacityBytes what entries may take of a node: {@link NodeFormat#CAPACITY_BYTES}, or
   *     less to get a high tree from few items
   */
  NodeAssembler(NodeWriter writer, int capacityBytes) {
    this.writer = writer;
    this.capacityBytes = capacityBytes;
    this.leastBytes = leastBytes(capacityBytes);
  }

  static int leastBytes(int capacityBytes) {
    return capacityBytes / 3;
  }

  /** What is not yet written of one level. */
  private static final class Level {
    List<Entry> open = new ArrayList<>();
    int openBytes;

    /** Null when there is none. */
    List<Entry> held;

    /** The held node's entry in the level above. */
    Entry.Child heldEntry;

    boolean isEmpty() {
      return open.isEmpty() && held == null;
    }

    void openAgain(List<Entry> entries) {
      open = entries;
      openBytes = bytes(entries);
    }
  }

  /**
   * Appends an entry to a level. The levels below must have nothing open; use {@link #pass} for
   * children.
   */
  void add(int level, Entry entry) throws IOException {
    Level at = level(level);
    at.open.add(entry);
    at.openBytes += entry.bytes();
    if (at.openBytes > 2 * capacityBytes) {
      completeFull(level);
    }
  }

  /** Appends an unchanged node of the old tree, of the given level, to the level above. */
  void pass(Entry.Child child, int level) throws IOException {
    if (!settle(level)) {
      Node node = readNeighbour(child, level);
      if (node != null) {
        absorb(child, node);
        return;
      }
      for (int k = 0; k <= level; k++) {
        cut(k);
        completeRest(k);
      }
    }
    writeHeldTo(level);
    add(level + 1, child);
  }

  /**
   * Reads a node of the old tree as it is stored.
   *
   * @throws io.cowfs.core.block.CorruptBlockException when it is damaged or not in its place
   */
  Node read(Entry.Child child, int level) throws IOException {
    Node node = readRoot(child.pointer());
    node.validatePlace(level, child.key());
    return node;
  }

  /** Reads a node of the old tree as it is stored, which can be done without; null if damaged. */
  private Node readIfSound(Entry.Child child, int level) {
    try {
      return read(child, level);
    } catch (IOException damaged) {
      return null;
    }
  }

  /** The same with what is pending for it. */
  private Node readNeighbour(Entry.Child child, int level) throws IOException {
    Node node = readIfSound(child, level);
    return node == null ? null : PendingChanges.apply(node, child.pending());
  }

  /** Reads a node whose place is not known. */
  Node readRoot(BlockPointer pointer) throws IOException {
    Node node = Node.open(writer.readNode(pointer), pointer);
    node.validate();
    return node;
  }

  /** All entries of a node of the old tree that was taken apart have been added. */
  void endOfNode(int level) throws IOException {
    if (level > 0 && !level(level - 1).open.isEmpty() && !level(level).open.isEmpty()) {
      if (!joinLeft(level - 1)) {
        completeRest(level - 1);
      }
    }
    cut(level);
  }

  /**
   * All entries have been added: writes what is left.
   *
   * @return the new root, or null when the tree is empty
   */
  BlockPointer finish() throws IOException {
    for (int k = 0; ; k++) {
      if (isTop(k)) {
        Level top = level(k);
        if (top.isEmpty()) {
          return null;
        }
        if (k > 0 && top.held == null && top.open.size() == 1) {
          writeHeldTo(k - 1);
          return lowestRoot((Entry.Child) top.open.get(0), k - 1);
        }
      }
      closeRightEdge(k);
    }
  }

  private boolean isTop(int level) {
    for (int k = level + 1; k < levels.size(); k++) {
      if (!levels.get(k).isEmpty()) {
        return false;
      }
    }
    return true;
  }

  /**
   * A node that became the root and has one child is no root: its child is, unless that cannot be
   * read. A leaf that becomes the root has no parent any more to keep its changes.
   *
   * @param level of the child
   */
  private BlockPointer lowestRoot(Entry.Child child, int level) throws IOException {
    Entry.Child lowest = child;
    Node node = readIfSound(lowest, level);
    if (node == null) {
      return writer.writeNode(NodeFormat.encode(level + 1, List.of(child)));
    }
    while (node.level() > 0 && node.count() == 1) {
      Entry.Child only = (Entry.Child) node.entry(0);
      Node below = readIfSound(only, node.level() - 1);
      if (below == null) {
        return lowest.pointer();
      }
      writer.leaves(lowest.pointer());
      lowest = only;
      node = below;
    }
    if (lowest.pending().isEmpty()) {
      return lowest.pointer();
    }
    writer.leaves(lowest.pointer());
    return writer.writeNode(PendingChanges.apply(node, lowest.pending()).bytes());
  }

  private Level level(int level) {
    if (level > MAX_LEVEL) {
      throw new IllegalStateException("a tree of more than %d levels".formatted(MAX_LEVEL));
    }
    while (levels.size() <= level) {
      levels.add(new Level());
    }
    return levels.get(level);
  }

  /** Leaves nothing open up to a level; false when something is open and has no left neighbour. */
  private boolean settle(int level) throws IOException {
    for (int k = 0; k <= level; k++) {
      cut(k);
      while (!level(k).open.isEmpty()) {
        if (!joinLeft(k)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Takes an unchanged node apart to join its first entries with what is open before it. */
  private void absorb(Entry.Child child, Node node) throws IOException {
    int level = node.level();
    writer.leaves(child.pointer());
    for (int i = 0; i < node.count(); i++) {
      Entry entry = node.entry(i);
      if (level == 0) {
        add(0, entry);
      } else {
        pass((Entry.Child) entry, level - 1);
      }
    }
    endOfNode(level);
  }

  /** Cuts what is open into complete nodes; leaves it open when it is too little for one. */
  private void cut(int level) throws IOException {
    Level at = level(level);
    if (at.openBytes < leastBytes) {
      return;
    }
    List<Entry> entries = at.open;
    int total = at.openBytes;
    at.openAgain(new ArrayList<>());
    for (int parts = 1; ; parts++) {
      List<List<Entry>> nodes = divide(entries, total, parts);
      if (nodes.stream().allMatch(node -> bytes(node) <= capacityBytes)) {
        for (List<Entry> node : nodes) {
          complete(level, node);
        }
        return;
      }
    }
  }

  /** Divides entries into parts of about equal size, none empty. */
  private static List<List<Entry>> divide(List<Entry> entries, int total, int parts) {
    List<List<Entry>> result = new ArrayList<>();
    List<Entry> part = new ArrayList<>();
    long before = 0;
    for (Entry entry : entries) {
      long boundary = (long) total * (result.size() + 1) / parts;
      boolean nearerWithout = before + entry.bytes() - boundary > boundary - before;
      if (!part.isEmpty() && nearerWithout && result.size() + 1 < parts) {
        result.add(part);
        part = new ArrayList<>();
      }
      part.add(entry);
      before += entry.bytes();
    }
    result.add(part);
    return result;
  }

  /** Completes a node with as many of the open entries as it takes. */
  private void completeFull(int level) throws IOException {
    Level at = level(level);
    int count = 0;
    int bytes = 0;
    while (bytes + at.open.get(count).bytes() <= capacityBytes) {
      bytes += at.open.get(count).bytes();
      count++;
    }
    List<Entry> full = new ArrayList<>(at.open.subList(0, count));
    at.openAgain(new ArrayList<>(at.open.subList(count, at.open.size())));
    complete(level, full);
  }

  /** At the end of a level nodes are filled: keys that grow will not come back to them. */
  private void closeRightEdge(int level) throws IOException {
    Level at = level(level);
    if (at.open.isEmpty()) {
      return;
    }
    if (at.held != null && bytes(at.held) + at.openBytes <= capacityBytes) {
      joinLeft(level);
    }
    while (at.openBytes > capacityBytes) {
      completeFull(level);
    }
    completeRest(level);
  }

  /** Makes a node of what is open, however little that is. */
  private void completeRest(int level) throws IOException {
    List<Entry> rest = level(level).open;
    if (!rest.isEmpty()) {
      level(level).openAgain(new ArrayList<>());
      complete(level, rest);
    }
  }

  /** Makes a node the held one. */
  private void complete(int level, List<Entry> entries) throws IOException {
    writeHeld(level);
    Level at = level(level);
    at.held = entries;
    at.heldEntry = Entry.Child.unwritten(entries.get(0).key());
    add(level + 1, at.heldEntry);
  }

  private void writeHeldTo(int level) throws IOException {
    for (int k = 0; k <= level; k++) {
      writeHeld(k);
    }
  }

  private void writeHeld(int level) throws IOException {
    Level at = level(level);
    if (at.held != null) {
      at.heldEntry.written(writer.writeNode(NodeFormat.encode(level, at.held)));
      at.held = null;
      at.heldEntry = null;
    }
  }

  /**
   * Joins what is open with the node on its left, and cuts again.
   *
   * @return false when there is none that can be taken apart, in the whole tree
   */
  private boolean joinLeft(int level) throws IOException {
    Level at = level(level);
    List<Entry> right = at.open;
    at.openAgain(new ArrayList<>());
    if (at.held == null && !holdLeft(level)) {
      at.openAgain(right);
      return false;
    }
    List<Entry> joined = takeHeld(level);
    joined.addAll(right);
    at.openAgain(joined);
    cut(level);
    return true;
  }

  /**
   * Takes the last node of a level, one of the old tree, apart and makes it the held one.
   *
   * @return false when there is none that can be taken apart
   */
  private boolean holdLeft(int level) throws IOException {
    if (!openLast(level + 1)) {
      return false;
    }
    Level above = level(level + 1);
    Entry.Child last = (Entry.Child) above.open.get(above.open.size() - 1);
    // Only beside what was damaged once a node is so small that its left neighbour is new.
    Node node = last.isNew() ? null : readNeighbour(last, level);
    if (node == null) {
      return false;
    }
    removeLast(above);
    writer.leaves(last.pointer());
    Level at = level(level);
    at.held = new ArrayList<>();
    for (int i = 0; i < node.count(); i++) {
      at.held.add(node.entry(i));
    }
    at.heldEntry = Entry.Child.unwritten(last.key());
    above.open.add(at.heldEntry);
    above.openBytes += at.heldEntry.bytes();
    return true;
  }

  /** Makes the last entry of a level an open one; false when the level has none. */
  private boolean openLast(int level) throws IOException {
    if (level >= levels.size()) {
      return false;
    }
    Level at = level(level);
    if (at.open.isEmpty()) {
      if (at.held == null && !holdLeft(level)) {
        return false;
      }
      at.openAgain(takeHeld(level));
    }
    return true;
  }

  /** Takes the held node and its entry away. */
  private List<Entry> takeHeld(int level) throws IOException {
    openLast(level + 1);
    Entry last = removeLast(level(level + 1));
    Level at = level(level);
    if (last != at.heldEntry) {
      throw new IllegalStateException("the held node is not the last one");
    }
    List<Entry> entries = at.held;
    at.held = null;
    at.heldEntry = null;
    return entries;
  }

  private static Entry removeLast(Level level) {
    Entry last = level.open.remove(level.open.size() - 1);
    level.openBytes -= last.bytes();
    return last;
  }

  private static int bytes(List<Entry> entries) {
    int bytes = 0;
    for (Entry entry : entries) {
      bytes += entry.bytes();
    }
    return bytes;
  }
}
