package io.cowfs.core.dataset;

import static io.cowfs.core.dataset.Condemned.Kind.TREE;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.txg.LogPosition;
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
  private static final NodeRecord LONE = head(1, "root", 0);
  private static final Optional<BlockPointer> ROOT =
      Optional.of(
          new BlockPointer(4711, 16384, 8000, Compression.LZ4, ChecksumAlgorithm.XXH3_64, -5, 3));

  @Test
  void aHistoryIsAccepted() {
    assertDoesNotThrow(() -> check(HEAD, SNAPSHOT, head(3, "home", 0)));
    assertDoesNotThrow(
        () -> check(head(1, "root", 2), snapshot(2, "", 1, 0), snapshot(3, "old", 1, 2)));
    assertDoesNotThrow(() -> check());
  }

  @Test
  void parentsExistAndAreSnapshotsNoYoungerThanTheirChildren() {
    assertRefused(HEAD);
    assertRefused(HEAD, head(2, "home", 0));
    assertRefused(HEAD, snapshot(2, "s", 9, 0));
    NodeRecord younger = ofTxg(snapshot(3, "t", 1, 0), 6);
    assertRefused(head(1, "root", 2), snapshot(2, "s", 1, 3), younger);
    assertRefused(head(1, "root", 2), ofTxg(snapshot(2, "s", 1, 0), 21));
  }

  @Test
  void aCloneContinuesASnapshotOfAnotherDatasetAlsoOfADestroyedOne() {
    assertDoesNotThrow(() -> check(HEAD, SNAPSHOT, head(3, "clone", 2)));
    assertDoesNotThrow(
        () -> check(head(3, "clone", 2), head(4, "other", 2), snapshot(2, "", 0, 0)));
    assertRefused(head(3, "clone", 2), head(4, "other", 2), snapshot(2, "s", 0, 0));
    assertRefused(head(3, "clone", 2), head(4, "other", 2), snapshot(2, "", 3, 4));
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
    assertDoesNotThrow(() -> check(Set.of(1L), Set.of(7L), Set.of(7L)));
    assertListsRefused(Set.of(8L), Set.of(7L), Set.of(7L));
  }

  @Test
  void aListBelongsToADeadlistOrToADestructionAndIsThere() {
    Condemned list = Condemned.list(9, new Deadlists.Detached(8, 1));
    assertDoesNotThrow(() -> check(Set.of(1L), Set.of(7L), Set.of(7L, 8L), list));
    assertDoesNotThrow(() -> check(Set.of(1L), Set.of(7L), Set.of(7L), list));
    assertListsRefused(Set.of(1L), Set.of(7L), Set.of(7L, 8L));
    assertListsRefused(Set.of(1L), Set.of(7L), Set.of());
    assertListsRefused(Set.of(1L), Set.of(8L), Set.of(8L), list);
    assertListsRefused(Set.of(), Set.of(), Set.of(8L), list, Condemned.forgottenList(10, 8));
  }

  @Test
  void idsOfListsAndDestructionsWereGiven() {
    assertListsRefused(Set.of(1L), Set.of(50L), Set.of(50L));
    assertListsRefused(Set.of(1L), Set.of(0L), Set.of(0L));
    assertListsRefused(Set.of(), Set.of(), Set.of(), Condemned.forgottenList(50, 8));
    assertListsRefused(Set.of(), Set.of(), Set.of(), Condemned.forgottenList(9, 50));
    assertListsRefused(
        Set.of(), Set.of(), Set.of(), new Condemned(9, TREE, 0, ROOT, 21, Optional.empty(), 1));
  }

  @Test
  void propertiesBelongToANode() throws Exception {
    PropertySet some = PropertySet.EMPTY.set(NodeKind.HEAD, "user:key", "value");
    assertDoesNotThrow(() -> HistoryCheck.check(state(List.of(LONE), Map.of(1, some))));
    assertThrows(
        BadRecordException.class, () -> HistoryCheck.check(state(List.of(LONE), Map.of(2, some))));
  }

  private static void assertRefused(NodeRecord... nodes) {
    assertThrows(BadRecordException.class, () -> check(nodes));
  }

  private static void check(NodeRecord... nodes) throws BadRecordException {
    HistoryCheck.check(state(List.of(nodes), Map.of()));
  }

  private static void assertListsRefused(
      Set<Long> deadlists, Set<Long> parts, Set<Long> lists, Condemned... condemned) {
    assertThrows(BadRecordException.class, () -> check(deadlists, parts, lists, condemned));
  }

  /** The lists of a pool with one dataset, whose deadlist has the id 1. */
  private static void check(
      Set<Long> deadlists, Set<Long> parts, Set<Long> lists, Condemned... condemned)
      throws BadRecordException {
    CatalogState none = state(List.of(LONE), Map.of());
    HistoryCheck.check(
        new CatalogState(
            none.pool(),
            none.nodes(),
            Map.of(),
            List.of(),
            Map.of(),
            new CatalogState.DeadlistIds(deadlists, parts),
            lists,
            List.of(condemned),
            none.shared()));
  }

  private static CatalogState state(List<NodeRecord> nodes, Map<Integer, PropertySet> properties) {
    return new CatalogState(
        new PoolRecord(new UUID(1, 2), 20, 50, 50, Optional.empty(), 0, LogPosition.START),
        nodes,
        properties,
        List.of(),
        Map.of(),
        new CatalogState.DeadlistIds(Set.of(), Set.of()),
        Set.of(),
        List.of(),
        new CatalogState.SharedTotals(0, 0));
  }

  private static NodeRecord head(int id, String name, int parent) {
    return node(id, NodeKind.HEAD, name, id, parent, id, 5);
  }

  private static NodeRecord snapshot(int id, String name, int dataset, int parent) {
    return node(id, NodeKind.SNAPSHOT, name, dataset, parent, id, 5);
  }

  private static NodeRecord withDeadlist(NodeRecord node, long deadlist) {
    return node(node.id(), node.kind(), node.name(), node.dataset(), node.parent(), deadlist, 5);
  }

  private static NodeRecord ofTxg(NodeRecord node, long txg) {
    return node(
        node.id(), node.kind(), node.name(), node.dataset(), node.parent(), node.deadlist(), txg);
  }

  private static NodeRecord node(
      int id, NodeKind kind, String name, int dataset, int parent, long deadlist, long txg) {
    return new NodeRecord(
        id,
        kind,
        name,
        dataset,
        parent,
        txg,
        Instant.EPOCH,
        Optional.empty(),
        deadlist,
        0,
        0,
        0,
        1,
        1);
  }
}
