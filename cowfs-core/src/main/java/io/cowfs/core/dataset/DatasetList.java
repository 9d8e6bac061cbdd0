package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes the list for users from the records of one commit. */
final class DatasetList {
  /** Snapshots in the order in which they were taken. */
  static final Comparator<NodeRecord> OLD_TO_NEW =
      Comparator.comparingLong(NodeRecord::txg).thenComparingInt(NodeRecord::id);

  private final List<NodeRecord> nodes;
  private final Map<Integer, NodeRecord> byId = new HashMap<>();
  private final Map<Integer, List<NodeRecord>> children = new HashMap<>();

  DatasetList(List<NodeRecord> nodes) {
    this.nodes = nodes;
    for (NodeRecord node : nodes) {
      byId.put(node.id(), node);
      children.computeIfAbsent(node.parent(), id -> new ArrayList<>()).add(node);
    }
  }

  /** Each dataset, by name, followed by its snapshots from old to new. */
  List<DatasetInfo> build() {
    return nodes.stream()
        .filter(node -> !node.name().isEmpty())
        .sorted(
            Comparator.comparing(this::datasetName)
                .thenComparing(node -> node.kind() != NodeKind.HEAD)
                .thenComparing(OLD_TO_NEW))
        .map(this::info)
        .toList();
  }

  private DatasetInfo info(NodeRecord node) {
    boolean head = node.kind() == NodeKind.HEAD;
    NodeRecord parent = byId.get(node.parent());
    return new DatasetInfo(
        datasetName(node),
        head ? "" : node.name(),
        node.kind(),
        parent == null ? "" : parent.name(),
        (head ? node.uniqueSectors() : sectorsFreedWithout(node)) * BlockPointer.SECTOR_BYTES,
        node.referencedSectors() * BlockPointer.SECTOR_BYTES,
        node.created(),
        node.txg());
  }

  private String datasetName(NodeRecord node) {
    return byId.get(node.dataset()).name();
  }

  /** What the destruction of a snapshot frees, by the same rules as {@link History} follows. */
  private long sectorsFreedWithout(NodeRecord snapshot) {
    List<NodeRecord> continued = childrenOf(snapshot.id());
    if (continued.size() > 1) {
      return 0;
    }
    if (continued.size() == 1) {
      return continued.get(0).deadlistUniqueSectors();
    }
    return snapshot.uniqueSectors() + sectorsFreedByNamelessParent(snapshot);
  }

  private long sectorsFreedByNamelessParent(NodeRecord leaf) {
    NodeRecord parent = byId.get(leaf.parent());
    List<NodeRecord> siblings = childrenOf(leaf.parent());
    if (parent == null || !parent.name().isEmpty() || siblings.size() != 2) {
      return 0;
    }
    NodeRecord other = siblings.get(siblings.get(0).id() == leaf.id() ? 1 : 0);
    return other.deadlistUniqueSectors();
  }

  private List<NodeRecord> childrenOf(int id) {
    return children.getOrDefault(id, List.of());
  }
}
