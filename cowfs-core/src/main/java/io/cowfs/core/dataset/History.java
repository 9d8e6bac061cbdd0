package io.cowfs.core.dataset;

import io.cowfs.core.dataset.Deadlists.Detached;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The tree of heads and snapshots, and the rules by which it changes; each rule is one method. None
 * of them reads a block or touches a reference one by one: what dies is {@link Condemned}, and
 * freed later. Owned by the sync thread.
 */
final class History {
  /** No snapshot that anybody sees has such a name. */
  private static final String DISCARDED = "%";

  private final TreeMap<Integer, DatasetNode> nodes = new TreeMap<>();

  /** Snapshots with a name, by the id of their dataset and their name. */
  private final Map<Integer, Map<String, DatasetNode>> snapshots = new HashMap<>();

  /** Those of them that are checkpoints, by the id of their dataset and their own. */
  private final Map<Integer, TreeMap<Integer, DatasetNode>> checkpoints = new TreeMap<>();

  private final Deadlists deadlists;
  private final IdCounter ids;
  private final Grave grave;
  private final Set<Integer> changed = new TreeSet<>();
  private final Set<Integer> propertiesChanged = new TreeSet<>();
  private final Set<Integer> removed = new HashSet<>();
  private int nextNode;

  private int checkpointCount;

  /** Counts the changes of who continues whom. */
  private long shape;

  /** Receives what nothing reaches any more. */
  @FunctionalInterface
  interface Grave {
    void condemn(Condemned condemned);
  }

  /** Takes the records over; {@link HistoryCheck} has found that they fit together. */
  History(
      int nextNode,
      Collection<NodeRecord> records,
      Deadlists deadlists,
      IdCounter ids,
      Grave grave) {
    this.nextNode = nextNode;
    this.deadlists = deadlists;
    this.ids = ids;
    this.grave = grave;
    for (NodeRecord record : records) {
      DatasetNode node = DatasetNode.of(record);
      nodes.put(node.id, node);
      enterName(node);
    }
    for (NodeRecord record : records) {
      if (record.parent() != 0) {
        attach(nodes.get(record.id()), nodes.get(record.parent()));
      }
    }
  }

  /** The same history for trying things out: what is changed in it stays in it. */
  History trial(Grave trialGrave) {
    List<NodeRecord> records = nodes.values().stream().map(DatasetNode::record).toList();
    return new History(nextNode, records, deadlists.trial(), new IdCounter(ids.next()), trialGrave);
  }

  /** All nodes, by ascending id. */
  Collection<DatasetNode> nodes() {
    return nodes.values();
  }

  /** The node of this id, or null. */
  DatasetNode node(int id) {
    return nodes.get(id);
  }

  /** The snapshot or checkpoint of a dataset with this name, or null. */
  DatasetNode snapshot(int dataset, String name) {
    return snapshots.getOrDefault(dataset, Map.of()).get(name);
  }

  /** The snapshots and checkpoints of a dataset, in no order. */
  Collection<DatasetNode> snapshots(int dataset) {
    return snapshots.getOrDefault(dataset, Map.of()).values();
  }

  /** The checkpoints of a dataset, from old to new. */
  List<DatasetNode> checkpoints(int dataset) {
    TreeMap<Integer, DatasetNode> own = checkpoints.get(dataset);
    return own == null ? List.of() : List.copyOf(own.values());
  }

  /** How many checkpoints all datasets have. */
  int checkpointCount() {
    return checkpointCount;
  }

  /** The checkpoints of all datasets, from old to new. */
  List<DatasetNode> checkpoints() {
    List<DatasetNode> all = new ArrayList<>();
    checkpoints.values().forEach(own -> all.addAll(own.values()));
    all.sort((a, b) -> Integer.compare(a.id, b.id));
    return all;
  }

  int nextNode() {
    return nextNode;
  }

  /** What all nodes together reach, in sectors: each reference counts where it was born. */
  long uniqueSectors() {
    long sum = 0;
    for (DatasetNode node : nodes.values()) {
      sum += node.uniqueSectors;
    }
    return sum;
  }

  /** Another number after every change of any node's ancestors. */
  long shape() {
    return shape;
  }

  /** The node's record has to be written. */
  void touch(DatasetNode node) {
    changed.add(node.id);
  }

  HistoryChanges changes() {
    List<NodeRecord> records = new ArrayList<>();
    changed.forEach(id -> records.add(nodes.get(id).record()));
    Map<Integer, PropertySet> properties = new TreeMap<>();
    propertiesChanged.forEach(id -> properties.put(id, nodes.get(id).properties));
    return new HistoryChanges(records, properties, Set.copyOf(removed));
  }

  /** All that there is, as if this txg had made it. */
  HistoryChanges everything() {
    Map<Integer, PropertySet> properties = new TreeMap<>();
    nodes.values().forEach(node -> properties.put(node.id, node.properties));
    return new HistoryChanges(
        nodes.values().stream().map(DatasetNode::record).toList(), properties, Set.of());
  }

  void committed() {
    changed.clear();
    propertiesChanged.clear();
    removed.clear();
  }

  /** A new dataset: a head without a parent, with an empty tree. */
  DatasetNode addHead(String name, long txg, Instant created) {
    DatasetNode head = newHead(name, created);
    head.txg = txg;
    return head;
  }

  /** Clone: a new head whose parent is S and whose root is S's root. */
  DatasetNode clone(DatasetNode snapshot, String name, Instant created) {
    DatasetNode head = newHead(name, created);
    head.txg = snapshot.txg;
    head.root = snapshot.root;
    head.referencedSectors = snapshot.referencedSectors;
    head.files = snapshot.files;
    head.nextObjectNumber = snapshot.nextObjectNumber;
    attach(head, snapshot);
    return head;
  }

  private DatasetNode newHead(String name, Instant created) {
    int id = nextNode++;
    DatasetNode head = new DatasetNode(id, NodeKind.HEAD, id, created);
    head.name = name;
    head.deadlist = ids.take();
    add(head);
    return head;
  }

  /**
   * Snapshot S of H: S takes H's root, parent and deadlist; H's parent becomes S, its deadlist
   * empty.
   *
   * @param kind a snapshot or a checkpoint
   */
  DatasetNode snapshot(DatasetNode head, NodeKind kind, String name, long txg, Instant created) {
    DatasetNode snapshot = retire(head, kind, name, txg, created);
    continueFrom(head, snapshot);
    return snapshot;
  }

  /**
   * Rollback: a new head whose parent is S and whose root is S's root; the old head becomes a
   * snapshot of its own. The head keeps its identity here, so it is its past that gets the new id.
   */
  DatasetNode rollback(
      DatasetNode head, DatasetNode target, String nameForOldHead, long txg, Instant created) {
    DatasetNode old = retire(head, NodeKind.SNAPSHOT, nameForOldHead, txg, created);
    head.root = target.root;
    head.referencedSectors = target.referencedSectors;
    head.files = target.files;
    continueFrom(head, target);
    return old;
  }

  /** Rollback without keeping what was before: the old head is destroyed at once. */
  void rollbackAndDiscard(DatasetNode head, DatasetNode target, long txg, Instant created)
      throws IOException {
    destroyLeaf(rollback(head, target, DISCARDED, txg, created));
  }

  /** The head's state becomes a snapshot: root, parent, deadlist and counters. */
  private DatasetNode retire(
      DatasetNode head, NodeKind kind, String name, long txg, Instant created) {
    DatasetNode snapshot = new DatasetNode(nextNode++, kind, head.dataset, created);
    snapshot.name = name;
    snapshot.txg = txg;
    snapshot.root = head.root;
    snapshot.deadlist = head.deadlist;
    snapshot.referencedSectors = head.referencedSectors;
    snapshot.uniqueSectors = head.uniqueSectors;
    snapshot.deadlistUniqueSectors = head.deadlistUniqueSectors;
    snapshot.nextObjectNumber = head.nextObjectNumber;
    snapshot.files = head.files;
    DatasetNode parent = head.parent;
    detach(head);
    attach(snapshot, parent);
    add(snapshot);
    return snapshot;
  }

  private void continueFrom(DatasetNode head, DatasetNode snapshot) {
    attach(head, snapshot);
    head.deadlist = ids.take();
    head.uniqueSectors = 0;
    head.deadlistUniqueSectors = 0;
    touch(head);
  }

  /** Another name, which is free. A checkpoint becomes a snapshot by it. */
  void renameSnapshot(DatasetNode snapshot, String name) {
    leaveName(snapshot);
    snapshot.name = name;
    snapshot.kind = NodeKind.SNAPSHOT;
    enterName(snapshot);
    touch(snapshot);
  }

  /** Other local properties. */
  void setProperties(DatasetNode node, PropertySet properties) {
    node.properties = properties;
    propertiesChanged.add(node.id);
  }

  /** Another name for a dataset, which is free. */
  void renameHead(DatasetNode head, String name) {
    head.name = name;
    touch(head);
  }

  /** Destroys a snapshot or a checkpoint, by the rule that its number of children asks for. */
  void destroySnapshot(DatasetNode snapshot) throws IOException {
    switch (snapshot.children.size()) {
      case 0 -> destroyLeaf(snapshot);
      case 1 -> collapse(snapshot);
      default -> loseName(snapshot);
    }
  }

  /**
   * Destroys a dataset: its head, and all snapshots of it that nothing else continues. Those that
   * clones stand on lose their names.
   */
  void destroyDataset(DatasetNode head) throws IOException {
    destroyLeaf(head);
    List<DatasetNode> youngFirst = new ArrayList<>(snapshots(head.dataset));
    youngFirst.sort((a, b) -> Integer.compare(b.id, a.id));
    for (DatasetNode snapshot : youngFirst) {
      destroySnapshot(snapshot);
    }
    snapshots.remove(head.dataset);
    checkpoints.remove(head.dataset);
    for (DatasetNode node : nodes.values()) {
      if (node.dataset == head.dataset) {
        node.dataset = 0;
        touch(node);
      }
    }
  }

  /**
   * Destroy a leaf: what of its tree was born after its parent dies; its deadlist is dropped. A
   * parent without a name collapses when one child is left.
   */
  private void destroyLeaf(DatasetNode leaf) throws IOException {
    if (leaf.uniqueSectors > 0) {
      grave.condemn(Condemned.tree(ids.take(), leaf.root, leaf.parentTxg(), leaf.uniqueSectors));
    }
    for (Detached list : deadlists.takeAll(leaf.deadlist)) {
      grave.condemn(Condemned.forgottenList(ids.take(), list.list()));
    }
    DatasetNode parent = leaf.parent;
    detach(leaf);
    remove(leaf);
    if (parent != null && parent.isNameless() && parent.children.size() == 1) {
      collapse(parent);
    }
  }

  /** Destroy S with several children: its name goes at once. */
  private void loseName(DatasetNode snapshot) {
    leaveName(snapshot);
    snapshot.name = "";
    touch(snapshot);
  }

  /**
   * Destroy S with one child C (parent P): of {@code deadlist(C)}, what was born after P dies; the
   * rest joins {@code deadlist(S)}, which becomes C's, by relabelling. C's parent becomes P.
   */
  private void collapse(DatasetNode snapshot) throws IOException {
    DatasetNode child = snapshot.children.get(0);
    long parentTxg = snapshot.parentTxg();
    for (Detached dying : deadlists.takeBornAfter(child.deadlist, parentTxg)) {
      grave.condemn(Condemned.list(ids.take(), dying));
      child.uniqueSectors -= dying.sectors();
    }
    deadlists.join(child.deadlist, snapshot.deadlist);
    child.deadlist = snapshot.deadlist;
    child.uniqueSectors += snapshot.uniqueSectors;
    DatasetNode parent = snapshot.parent;
    detach(child);
    detach(snapshot);
    attach(child, parent);
    remove(snapshot);
    recountDeadlist(child);
    for (DatasetNode grandchild : child.children) {
      recountDeadlist(grandchild);
    }
  }

  private void recountDeadlist(DatasetNode node) throws IOException {
    node.deadlistUniqueSectors = deadlists.sectorsBornAfter(node.deadlist, node.grandparentTxg());
    touch(node);
  }

  private void add(DatasetNode node) {
    nodes.put(node.id, node);
    enterName(node);
    touch(node);
  }

  private void remove(DatasetNode node) {
    leaveName(node);
    nodes.remove(node.id);
    changed.remove(node.id);
    propertiesChanged.remove(node.id);
    removed.add(node.id);
  }

  private void enterName(DatasetNode node) {
    if (!node.isHead() && !node.isNameless()) {
      snapshots.computeIfAbsent(node.dataset, id -> new HashMap<>()).put(node.name, node);
      if (node.kind == NodeKind.CHECKPOINT) {
        checkpoints.computeIfAbsent(node.dataset, id -> new TreeMap<>()).put(node.id, node);
        checkpointCount++;
      }
    }
  }

  private void leaveName(DatasetNode node) {
    if (!node.isHead() && !node.isNameless()) {
      snapshots.get(node.dataset).remove(node.name);
      if (node.kind == NodeKind.CHECKPOINT) {
        checkpoints.get(node.dataset).remove(node.id);
        checkpointCount--;
      }
    }
  }

  private void attach(DatasetNode node, DatasetNode parent) {
    node.parent = parent;
    shape++;
    if (parent != null) {
      parent.children.add(node);
    }
  }

  private void detach(DatasetNode node) {
    if (node.parent != null) {
      node.parent.children.remove(node);
      node.parent = null;
      shape++;
    }
  }
}
