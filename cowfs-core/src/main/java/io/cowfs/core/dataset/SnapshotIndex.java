package io.cowfs.core.dataset;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The named nodes of each dataset that are no heads, by id and by name, as of the last commit. Kept
 * up to date by what each commit changed, so that a commit costs nothing for the snapshots that it
 * leaves alone. Changed by the sync thread only; any thread may ask.
 */
public final class SnapshotIndex {
  /** By id, to know what is gone. Owned by the sync thread. */
  private final Map<Integer, NodeRecord> known = new HashMap<>();

  private final Map<Integer, OfDataset> datasets = new ConcurrentHashMap<>();

  private record Name(NodeKind kind, String name) {}

  /** The snapshots of one dataset. Stays the same object as long as the process lives. */
  public static final class OfDataset {
    private final ConcurrentSkipListMap<Integer, NodeRecord> byId = new ConcurrentSkipListMap<>();
    private final Map<Name, NodeRecord> byName = new ConcurrentHashMap<>();

    private OfDataset() {}

    /** By ascending id; live, and safe to go through while it changes. */
    public NavigableMap<Integer, NodeRecord> byId() {
      return byId;
    }

    /** The one of this name, or null. */
    public NodeRecord find(NodeKind kind, String name) {
      return byName.get(new Name(kind, name));
    }

    /** A rename shows under the new name before it is gone under the old one. */
    private void put(NodeRecord before, NodeRecord now) {
      byId.put(now.id(), now);
      byName.put(new Name(now.kind(), now.name()), now);
      if (before != null && !nameOf(before).equals(nameOf(now))) {
        byName.remove(nameOf(before), before);
      }
    }

    private void remove(NodeRecord gone) {
      byId.remove(gone.id());
      byName.remove(nameOf(gone), gone);
    }

    private static Name nameOf(NodeRecord node) {
      return new Name(node.kind(), node.name());
    }
  }

  SnapshotIndex(List<NodeRecord> nodes) {
    apply(nodes, List.of());
  }

  OfDataset of(int dataset) {
    return datasets.computeIfAbsent(dataset, id -> new OfDataset());
  }

  /** Sync thread: these nodes are new or changed, and those are gone, durably. */
  void apply(Collection<NodeRecord> changed, Collection<Integer> removed) {
    removed.forEach(this::forget);
    // A dataset goes with its head, whose id is its own.
    removed.forEach(datasets::remove);
    for (NodeRecord node : changed) {
      if (node.kind() == NodeKind.HEAD) {
        continue;
      }
      if (node.name().isEmpty()) {
        forget(node.id());
      } else {
        of(node.dataset()).put(known.put(node.id(), node), node);
      }
    }
  }

  private void forget(int id) {
    NodeRecord gone = known.remove(id);
    OfDataset listed = gone == null ? null : datasets.get(gone.dataset());
    if (listed != null) {
      listed.remove(gone);
    }
  }
}
