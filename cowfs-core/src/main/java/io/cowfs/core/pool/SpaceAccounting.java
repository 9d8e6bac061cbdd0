package io.cowfs.core.pool;

import io.cowfs.core.alloc.SpaceStatus;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.pool.SpaceReport.SnapshotSpace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Makes the report of space from the books of one commit. */
final class SpaceAccounting {
  private final Datasets datasets;
  private final SpaceStatus space;
  private final long freeBytes;

  /**
   * @param space as of the same commit
   * @param freeBytes what can still be allocated
   */
  SpaceAccounting(Datasets datasets, SpaceStatus space, long freeBytes) {
    this.datasets = datasets;
    this.space = space;
    this.freeBytes = freeBytes;
  }

  SpaceReport report(String dataset) throws IOException {
    int id = datasets.head(dataset).id();
    List<NodeRecord> nodes =
        datasets.nodes().stream().filter(node -> node.dataset() == id).toList();
    NodeRecord head = nodes.stream().filter(node -> node.id() == id).findAny().orElseThrow();
    List<SnapshotSpace> snapshots = new ArrayList<>();
    long alone = head.uniqueSectors() * BlockPointer.SECTOR_BYTES;
    for (DatasetInfo info : datasets.list()) {
      if (info.dataset().equals(dataset) && info.kind() != NodeKind.HEAD) {
        snapshots.add(
            new SnapshotSpace(
                info.snapshot(),
                info.referencedBytes(),
                info.usedBytes(),
                info.kind() == NodeKind.CHECKPOINT));
        alone += info.usedBytes();
      }
    }
    Datasets.SpaceTotals totals = datasets.totals();
    return new SpaceReport(
        dataset,
        bytes(head.referencedSectors()),
        bytes(head.uniqueSectors()),
        List.copyOf(snapshots),
        bytes(nodes.stream().mapToLong(NodeRecord::uniqueSectors).sum()) - alone,
        bytes(fromOrigin(nodes)),
        bytes(totals.referenced()),
        bytes(totals.saved()),
        bytes(totals.directory()),
        bytes(totals.condemned()),
        bytes(space.pending()),
        bytes(space.allocated()),
        bytes(space.reserve()),
        freeBytes);
  }

  /** What the oldest state of a clone has from the snapshot that it continues. */
  private long fromOrigin(List<NodeRecord> nodes) {
    Set<Integer> ids = nodes.stream().map(NodeRecord::id).collect(Collectors.toSet());
    for (NodeRecord node : nodes) {
      if (node.parent() != 0 && !ids.contains(node.parent())) {
        return node.referencedSectors() - node.uniqueSectors();
      }
    }
    return 0;
  }

  private static long bytes(long sectors) {
    return sectors * BlockPointer.SECTOR_BYTES;
  }
}
