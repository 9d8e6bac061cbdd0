package io.cowfs.core.dataset;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The history and the properties as of the last commit, for any thread. A commit costs in
 * proportion to what it changed. Guarded by its own monitor.
 */
final class CommittedHistory {
  private final TreeMap<Integer, NodeRecord> nodes = new TreeMap<>();
  private final Map<Integer, PropertySet> properties = new HashMap<>();
  private final Map<String, NodeRecord> heads = new HashMap<>();

  /** By the id of the dataset, then by name. */
  private final Map<Integer, Map<String, NodeRecord>> snapshots = new HashMap<>();

  CommittedHistory(List<NodeRecord> nodes, Map<Integer, PropertySet> properties) {
    nodes.forEach(this::enter);
    this.properties.putAll(properties);
  }

  synchronized void apply(HistoryChanges changes) {
    changes.removed().forEach(this::leave);
    changes.changed().forEach(node -> leave(node.id(), node));
    changes.changed().forEach(this::enter);
    properties.putAll(changes.properties());
    changes.removed().forEach(properties::remove);
  }

  private void leave(int id) {
    leave(id, null);
  }

  private void leave(int id, NodeRecord inItsPlace) {
    NodeRecord old = inItsPlace == null ? nodes.remove(id) : nodes.get(id);
    if (old == null || old.name().isEmpty()) {
      return;
    }
    if (old.kind() == NodeKind.HEAD) {
      heads.remove(old.name(), old);
    } else {
      snapshots.get(old.dataset()).remove(old.name(), old);
    }
  }

  private void enter(NodeRecord node) {
    nodes.put(node.id(), node);
    if (node.name().isEmpty()) {
      return;
    }
    if (node.kind() == NodeKind.HEAD) {
      heads.put(node.name(), node);
    } else {
      snapshots.computeIfAbsent(node.dataset(), id -> new HashMap<>()).put(node.name(), node);
    }
  }

  /** By ascending id. */
  synchronized List<NodeRecord> nodes() {
    return new ArrayList<>(nodes.values());
  }

  synchronized Optional<NodeRecord> node(int id) {
    return Optional.ofNullable(nodes.get(id));
  }

  synchronized Optional<NodeRecord> head(String dataset) {
    return Optional.ofNullable(heads.get(dataset));
  }

  /** A snapshot or a checkpoint. */
  synchronized Optional<NodeRecord> snapshot(int dataset, String name) {
    return Optional.ofNullable(snapshots.getOrDefault(dataset, Map.of()).get(name));
  }

  /** Snapshots and checkpoints, in no order. */
  synchronized List<NodeRecord> snapshots(int dataset) {
    return new ArrayList<>(snapshots.getOrDefault(dataset, Map.of()).values());
  }

  /** The local properties of a node. */
  synchronized PropertySet properties(int node) {
    return properties.getOrDefault(node, PropertySet.EMPTY);
  }
}
