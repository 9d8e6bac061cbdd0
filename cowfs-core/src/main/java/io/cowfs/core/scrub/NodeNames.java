package io.cowfs.core.scrub;

import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import java.util.Map;

/** What findings call datasets and snapshots. */
public final class NodeNames {
  private NodeNames() {}

  /** As users write it; nothing before or behind the @ where there is no name any more. */
  public static String of(NodeRecord node, Map<Integer, NodeRecord> nodes) {
    if (node.kind() == NodeKind.HEAD) {
      return node.name();
    }
    NodeRecord head = nodes.get(node.dataset());
    return (head == null ? "" : head.name()) + "@" + node.name();
  }
}
