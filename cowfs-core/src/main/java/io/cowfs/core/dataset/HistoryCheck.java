package io.cowfs.core.dataset;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks that the records of an index, each of which is sound, form a history. */
final class HistoryCheck {
  private final CatalogState state;
  private final Map<Integer, NodeRecord> nodes = new HashMap<>();
  private final Map<Integer, Integer> childCounts = new HashMap<>();

  private HistoryCheck(CatalogState state) {
    this.state = state;
  }

  /**
   * Checks ids, names, parents and deadlists.
   *
   * @throws BadRecordException with the first thing that does not fit
   */
  static void check(CatalogState state) throws BadRecordException {
    new HistoryCheck(state).check();
  }

  private void check() throws BadRecordException {
    for (NodeRecord node : state.nodes()) {
      nodes.put(node.id(), node);
      childCounts.merge(node.parent(), 1, Integer::sum);
    }
    Set<Long> deadlists = new HashSet<>();
    Set<String> names = new HashSet<>();
    for (NodeRecord node : state.nodes()) {
      checkIds(node);
      checkParent(node);
      checkName(node);
      require(deadlists.add(node.deadlist()), node, "shares its deadlist");
      require(node.name().isEmpty() || names.add(fullName(node)), node, "has the name of another");
    }
    if (!deadlists.containsAll(state.deadlists().deadlists())) {
      throw new BadRecordException("a deadlist belongs to no dataset");
    }
    if (!nodes.keySet().containsAll(state.properties().keySet())) {
      throw new BadRecordException("there are properties of no dataset");
    }
    checkLists();
    checkReachable();
  }

  private void checkIds(NodeRecord node) throws BadRecordException {
    PoolRecord pool = state.pool();
    require(
        node.id() < pool.nextNode() && node.deadlist() < pool.nextId(),
        node,
        "has an id not given yet");
    require(node.txg() <= pool.txg(), node, "is newer than the pool");
    require(
        node.root().isEmpty() || node.root().get().birthTxg() <= node.txg(),
        node,
        "is older than its root");
    if (node.kind() == NodeKind.HEAD) {
      require(node.dataset() == node.id(), node, "is listed under another dataset");
    } else if (node.dataset() != 0 || !node.name().isEmpty()) {
      NodeRecord head = nodes.get(node.dataset());
      require(head != null && head.kind() == NodeKind.HEAD, node, "belongs to no dataset");
    }
  }

  private void checkParent(NodeRecord node) throws BadRecordException {
    if (node.parent() == 0) {
      return;
    }
    NodeRecord parent = nodes.get(node.parent());
    require(parent != null, node, "has no parent");
    require(parent.kind() != NodeKind.HEAD, node, "has a parent of another kind");
    require(
        node.kind() == NodeKind.HEAD || parent.txg() <= node.txg(),
        node,
        "is older than its parent");
  }

  private void checkName(NodeRecord node) throws BadRecordException {
    try {
      if (node.kind() == NodeKind.HEAD) {
        Names.requireDataset(node.name());
      } else if (!node.name().isEmpty()) {
        Names.requireSnapshot(node.name());
      } else {
        require(childCounts.getOrDefault(node.id(), 0) > 1, node, "has lost its name");
      }
    } catch (DatasetException e) {
      throw new BadRecordException("dataset record " + node.id() + ": " + e.getMessage());
    }
  }

  /** Every list of references is a part of a deadlist, or condemned, and of one thing only. */
  private void checkLists() throws BadRecordException {
    PoolRecord pool = state.pool();
    Set<Long> parts = state.deadlists().lists();
    Set<Long> destroyed = new HashSet<>();
    for (Condemned condemned : state.condemned()) {
      if (condemned.id() >= pool.nextId() || condemned.bornAfter() > pool.txg()) {
        throw new BadRecordException("something destroyed has an id not given yet");
      }
      if (condemned.kind() != Condemned.Kind.TREE) {
        checkListId(condemned.list());
        if (parts.contains(condemned.list()) || !destroyed.add(condemned.list())) {
          throw new BadRecordException("a list of references belongs to two");
        }
      }
    }
    for (long id : state.lists()) {
      if (!parts.contains(id) && !destroyed.contains(id)) {
        throw new BadRecordException("a list of references belongs to nothing");
      }
    }
    for (long id : parts) {
      checkListId(id);
      if (!state.lists().contains(id)) {
        throw new BadRecordException("a list of references is missing");
      }
    }
  }

  private void checkListId(long id) throws BadRecordException {
    if (id < 1 || id >= state.pool().nextId()) {
      throw new BadRecordException("a list of references has an id not given yet");
    }
  }

  /** A node that no walk from the parentless ones meets is on a circle of parents. */
  private void checkReachable() throws BadRecordException {
    Map<Integer, Set<Integer>> children = new HashMap<>();
    for (NodeRecord node : state.nodes()) {
      children.computeIfAbsent(node.parent(), id -> new HashSet<>()).add(node.id());
    }
    Deque<Integer> toVisit = new ArrayDeque<>(List.of(0));
    int met = -1;
    while (!toVisit.isEmpty()) {
      met++;
      toVisit.addAll(children.getOrDefault(toVisit.pop(), Set.of()));
    }
    if (met != nodes.size()) {
      throw new BadRecordException("the datasets' parents form a circle");
    }
  }

  private String fullName(NodeRecord node) {
    return node.kind() == NodeKind.HEAD ? node.name() : node.dataset() + "@" + node.name();
  }

  private static void require(boolean condition, NodeRecord node, String what)
      throws BadRecordException {
    if (!condition) {
      throw new BadRecordException("dataset record " + node.id() + " " + what);
    }
  }
}
