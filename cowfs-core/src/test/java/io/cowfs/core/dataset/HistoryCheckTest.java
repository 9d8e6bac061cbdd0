package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.core.codec.CompressionSetting;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Records that are sound one by one, and do not form a history. */
final class HistoryCheckTest {
  private static final NodeRecord HEAD = head(1, "root", 2);
  private static final NodeRecord SNAPSHOT = snapshot(2, "s", 1, 0);

  @Test
  void aHistoryIsAccepted() {
    assertDoesNotThrow(() -> check(HEAD, SNAPSHOT, head(3, "home", 0)));
    assertDoesNotThrow(
        () -> check(head(1, "root", 2), snapshot(2, "", 1, 0), snapshot(3, "old", 1, 2)));
    assertDoesNotThrow(() -> check());
  }

  @Test
  void parentsExistAndAreSnapshotsOfTheSameDataset() {
    assertRefused(HEAD);
    assertRefused(HEAD, head(2, "home", 0));
    assertRefused(HEAD, snapshot(2, "s", 3, 0), head(3, "home", 0));
    assertRefused(HEAD, snapshot(2, "s", 9, 0));
  }

  @Test
  void parentsFormNoCircle() {
    assertRefused(HEAD, snapshot(2, "s", 1, 3), snapshot(3, "t", 1, 2));
    assertRefused(HEAD, snapshot(2, "s", 1, 2));
  }

  @Test
  void namesAreValidAndDifferent() {
    assertRefused(head(1, "root", 0), head(2, "root", 0));
    assertRefused(head(1, "ro ot", 0));
    assertRefused(head(1, "", 0));
    assertRefused(HEAD, SNAPSHOT, snapshot(3, "s", 1, 2));
    assertRefused(HEAD, snapshot(2, "a/b", 1, 0));
    assertRefused(HEAD, snapshot(2, "", 1, 0));
  }

  @Test
  void idsAndDeadlistsWereGivenAndOnlyOnce() {
    assertRefused(head(100, "root", 0));
    assertRefused(withDeadlist(head(1, "root", 0), 2), head(2, "home", 0));
    assertRefused(withDeadlist(head(1, "root", 0), 100));
  }

  @Test
  void aDeadlistBelongsToANode() {
    assertThrows(
        BadRecordException.class,
        () -> HistoryCheck.check(state(Set.of(7L), List.of(head(1, "root", 0)))));
  }

  private static void assertRefused(NodeRecord... nodes) {
    assertThrows(BadRecordException.class, () -> check(nodes));
  }

  private static void check(NodeRecord... nodes) throws BadRecordException {
    HistoryCheck.check(state(Set.of(), List.of(nodes)));
  }

  private static CatalogState state(Set<Long> deadlists, List<NodeRecord> nodes) {
    PoolRecord pool = new PoolRecord(new UUID(1, 2), 20, 50, 50, Optional.empty());
    return new CatalogState(pool, nodes, List.of(), Map.of(), deadlists);
  }

  private static NodeRecord head(int id, String name, int parent) {
    return node(id, NodeKind.HEAD, name, id, parent, id);
  }

  private static NodeRecord snapshot(int id, String name, int dataset, int parent) {
    return node(id, NodeKind.SNAPSHOT, name, dataset, parent, id);
  }

  private static NodeRecord withDeadlist(NodeRecord node, long deadlist) {
    return node(node.id(), node.kind(), node.name(), node.dataset(), node.parent(), deadlist);
  }

  private static NodeRecord node(
      int id, NodeKind kind, String name, int dataset, int parent, long deadlist) {
    return new NodeRecord(
        id,
        kind,
        name,
        dataset,
        parent,
        5,
        Instant.EPOCH,
        Optional.empty(),
        deadlist,
        0,
        0,
        0,
        1,
        CompressionSetting.LZ4);
  }
}
