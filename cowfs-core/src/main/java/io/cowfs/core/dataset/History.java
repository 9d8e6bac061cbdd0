package io.cowfs.core.dataset;

import io.cowfs.core.codec.CompressionSetting;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The tree of heads and snapshots, and the rules by which it changes; each rule is one method. What
 * needs reading is read by {@link DestructionPlan}s before anything changes. Owned by the sync
 * thread.
 */
final class History {
  private final Map<Integer, DatasetNode> nodes = new TreeMap<>();
  private final Deadlists deadlists;
  private final Set<Integer> changed = new TreeSet<>();
  private final Set<Integer> removed = new HashSet<>();
  private int nextNode;
  private long nextDeadlist;

  /** Where references go that die. */
  @FunctionalInterface
  interface Grave {
    /** A reference dies: its range is freed. */
    void dies(long sector, int sectors) throws IOException;
  }

  /** Takes the records over; {@link HistoryCheck} has found that they fit together. */
  History(PoolRecord pool, List<NodeRecord> records, Deadlists deadlists) {
    this.deadlists = deadlists;
    nextNode = pool.nextNode();
    nextDeadlist = pool.nextDeadlist();
    for (NodeRecord record : records) {
      nodes.put(record.id(), DatasetNode.of(record));
    }
    for (NodeRecord record : records) {
      if (record.parent() != 0) {
        attach(nodes.get(record.id()), nodes.get(record.parent()));
      }
    }
  }

  /** All nodes, by ascending id. */
  Collection<DatasetNode> nodes() {
    return nodes.values();
  }

  int nextNode() {
    return nextNode;
  }

  long nextDeadlist() {
    return nextDeadlist;
  }

  /** The node's record has to be written. */
  void touch(DatasetNode node) {
    changed.add(node.id);
  }

  HistoryChanges changes() {
    List<NodeRecord> records = new ArrayList<>();
    changed.forEach(id -> records.add(nodes.get(id).record()));
    return new HistoryChanges(records, Set.copyOf(removed));
  }

  void committed() {
    changed.clear();
    removed.clear();
  }

  /** A new dataset: a head without a parent, with an empty tree. */
  DatasetNode addHead(String name, long txg, Instant created, CompressionSetting compression) {
    int id = takeNodeId();
    DatasetNode head = new DatasetNode(id, NodeKind.HEAD, id, created, compression);
    head.name = name;
    head.txg = txg;
    head.deadlist = nextDeadlist++;
    add(head);
    return head;
  }

  /**
   * Snapshot S of H: S takes H's root, parent and deadlist; H's parent becomes S, its deadlist
   * empty.
   */
  DatasetNode snapshot(DatasetNode head, String name, long txg, Instant created) {
    DatasetNode snapshot = retire(head, name, txg, created);
    continueFrom(head, snapshot);
    return snapshot;
  }

  /**
   * Rollback: a new head whose parent is S and whose root is S's root; the old head becomes a
   * snapshot of its own. The head keeps its identity here, so it is its past that gets the new id.
   */
  DatasetNode rollback(
      DatasetNode head, DatasetNode target, String nameForOldHead, long txg, Instant created) {
    DatasetNode old = retire(head, nameForOldHead, txg, created);
    head.root = target.root;
    head.referencedSectors = target.referencedSectors;
    continueFrom(head, target);
    return old;
  }

  /** The head's state becomes a snapshot: root, parent, deadlist and counters. */
  private DatasetNode retire(DatasetNode head, String name, long txg, Instant created) {
    DatasetNode snapshot =
        new DatasetNode(takeNodeId(), NodeKind.SNAPSHOT, head.dataset, created, head.compression);
    snapshot.name = name;
    snapshot.txg = txg;
    snapshot.root = head.root;
    snapshot.deadlist = head.deadlist;
    snapshot.referencedSectors = head.referencedSectors;
    snapshot.uniqueSectors = head.uniqueSectors;
    snapshot.deadlistUniqueSectors = head.deadlistUniqueSectors;
    snapshot.nextObjectNumber = head.nextObjectNumber;
    DatasetNode parent = head.parent;
    detach(head);
    attach(snapshot, parent);
    add(snapshot);
    return snapshot;
  }

  private void continueFrom(DatasetNode head, DatasetNode snapshot) {
    attach(head, snapshot);
    head.deadlist = nextDeadlist++;
    head.uniqueSectors = 0;
    head.deadlistUniqueSectors = 0;
    touch(head);
  }

  /** Destroy a leaf: everything met in its own part of its tree dies; its deadlist is dropped. */
  void destroyLeaf(DestructionPlan.Leaf plan, Grave grave) throws IOException {
    plan.met().forEach((sector, sectors, birthTxg) -> grave.dies(sector, sectors));
    deadlists.drop(plan.node().deadlist);
    detach(plan.node());
    remove(plan.node());
  }

  void rename(DatasetNode snapshot, String name) {
    snapshot.name = name;
    touch(snapshot);
  }

  /** Destroy S with several children: its name goes at once. */
  void loseName(DatasetNode snapshot) {
    snapshot.name = "";
    touch(snapshot);
  }

  /**
   * Destroy S with one child C (parent P): of {@code deadlist(C)}, what was born after P dies; the
   * rest joins {@code deadlist(S)}, which becomes C's, by relabelling. C's parent becomes P.
   */
  void collapse(DestructionPlan.Collapse plan, Grave grave) throws IOException {
    DatasetNode snapshot = plan.snapshot();
    DatasetNode child = plan.child();
    plan.dying().forEach((sector, sectors, birthTxg) -> grave.dies(sector, sectors));
    plan.joining()
        .forEach(
            (sector, sectors, birthTxg) ->
                deadlists.append(snapshot.deadlist, sector, sectors, birthTxg));
    deadlists.drop(child.deadlist);
    child.deadlist = snapshot.deadlist;
    child.deadlistUniqueSectors =
        snapshot.deadlistUniqueSectors + plan.joining().sectorsBornAfter(snapshot.grandparentTxg());
    child.uniqueSectors += snapshot.uniqueSectors - plan.dying().sectorsBornAfter(0);
    DatasetNode parent = snapshot.parent;
    detach(child);
    detach(snapshot);
    attach(child, parent);
    remove(snapshot);
    touch(child);
    for (Map.Entry<DatasetNode, Long> each : plan.deadlistUniqueSectors().entrySet()) {
      each.getKey().deadlistUniqueSectors = each.getValue();
      touch(each.getKey());
    }
  }

  private int takeNodeId() {
    return nextNode++;
  }

  private void add(DatasetNode node) {
    nodes.put(node.id, node);
    touch(node);
  }

  private void remove(DatasetNode node) {
    nodes.remove(node.id);
    changed.remove(node.id);
    removed.add(node.id);
  }

  private static void attach(DatasetNode node, DatasetNode parent) {
    node.parent = parent;
    if (parent != null) {
      parent.children.add(node);
    }
  }

  private static void detach(DatasetNode node) {
    if (node.parent != null) {
      node.parent.children.remove(node);
      node.parent = null;
    }
  }
}
