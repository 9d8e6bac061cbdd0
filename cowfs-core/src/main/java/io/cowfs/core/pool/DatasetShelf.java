package io.cowfs.core.pool;

import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.dataset.SnapshotIndex;
import io.cowfs.core.fs.SnapshotShelf;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import java.io.IOException;

/** The snapshots of a dataset of an open pool, for those who browse it. Thread-safe. */
final class DatasetShelf implements SnapshotShelf {
  private final Pool pool;
  private final DatasetHead head;
  private final SnapshotIndex.OfDataset snapshots;

  DatasetShelf(Pool pool, DatasetHead head, SnapshotIndex.OfDataset snapshots) {
    this.pool = pool;
    this.head = head;
    this.snapshots = snapshots;
  }

  private static Kind kindOf(NodeRecord node) {
    return switch (node.kind()) {
      case SNAPSHOT -> Kind.SNAPSHOT;
      case CHECKPOINT -> Kind.CHECKPOINT;
      case HEAD -> throw new IllegalArgumentException("a head is no snapshot");
    };
  }

  private static Kept kept(NodeRecord node) {
    return new Kept(node.id(), node.name(), kindOf(node), node.created(), node.root());
  }

  @Override
  public String dataset() {
    return head.name();
  }

  @Override
  public Kept find(Kind kind, String name) {
    NodeRecord found =
        switch (kind) {
          case SNAPSHOT -> snapshots.find(NodeKind.SNAPSHOT, name);
          case CHECKPOINT -> snapshots.find(NodeKind.CHECKPOINT, name);
        };
    return found == null ? null : kept(found);
  }

  @Override
  public Kept byNode(int node) {
    NodeRecord found = snapshots.byId().get(node);
    return found == null ? null : kept(found);
  }

  @Override
  public Iterable<Kept> after(Kind kind, int node) {
    return () ->
        snapshots.byId().tailMap(node, false).values().stream()
            .filter(record -> kindOf(record) == kind)
            .map(DatasetShelf::kept)
            .iterator();
  }

  @Override
  public Kept newest(Kind kind) {
    for (NodeRecord record : snapshots.byId().descendingMap().values()) {
      if (kindOf(record) == kind) {
        return kept(record);
      }
    }
    return null;
  }

  @Override
  public void take(String name) throws IOException {
    pool.administration().snapshot(head.name(), name, Scope.ONE);
  }

  @Override
  public void destroy(String name) throws IOException {
    pool.administration().destroySnapshots(head.name(), name, Scope.ONE, Mode.EXECUTE);
  }

  @Override
  public void rename(String name, String newName) throws IOException {
    pool.administration().renameSnapshot(head.name(), name, newName);
  }
}
