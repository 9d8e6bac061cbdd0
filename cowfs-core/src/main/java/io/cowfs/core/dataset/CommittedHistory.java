package io.cowfs.core.dataset;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The history and the properties as of the last commit, for any thread. A commit costs in
 * proportion to what it changed. Guarded by its own monitor, but for the index of snapshots.
 */
final class CommittedHistory {
  private final TreeMap<Integer, NodeRecord> nodes = new TreeMap<>();
  private final Map<Integer, PropertySet> properties = new HashMap<>();
  private final Map<String, NodeRecord> heads = new HashMap<>();

  private final SnapshotIndex snapshots;

  CommittedHistory(List<NodeRecord> nodes, Map<Integer, PropertySet> properties) {
    nodes.forEach(this::enter);
    snapshots = new SnapshotIndex(nodes);
    this.properties.putAll(properties);
  }

  synchronized void apply(HistoryChanges changes) {
    for (int id : changes.removed()) {
      leave(nodes.remove(id));
      properties.remove(id);
    }
    for (NodeRecord node : changes.changed()) {
      leave(nodes.get(node.id()));
    }
    changes.changed().forEach(this::enter);
    properties.putAll(changes.properties());
    snapshots.apply(changes.changed(), changes.removed());
  }

  private void leave(NodeRecord old) {
    if (old != null && old.kind() == NodeKind.HEAD) {
      heads.remove(old.name(), old);
    }
  }

  private void enter(NodeRecord node) {
    nodes.put(node.id(), node);
    if (node.kind() == NodeKind.HEAD) {
      heads.put(node.name(), node);
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
  Optional<NodeRecord> snapshot(int dataset, String name) {
    SnapshotIndex.OfDataset of = snapshots.of(dataset);
    NodeRecord snapshot = of.find(NodeKind.SNAPSHOT, name);
    return Optional.ofNullable(snapshot != null ? snapshot : of.find(NodeKind.CHECKPOINT, name));
  }

  /** Snapshots and checkpoints, which follow each commit. */
  SnapshotIndex.OfDataset snapshotsOf(int dataset) {
    return snapshots.of(dataset);
  }

  /** The local properties of a node. */
  synchronized PropertySet properties(int node) {
    return properties.getOrDefault(node, PropertySet.EMPTY);
  }
}
