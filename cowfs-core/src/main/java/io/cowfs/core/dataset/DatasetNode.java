package io.cowfs.core.dataset;

import io.cowfs.core.block.BlockPointer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * A node of the history in memory. Owned by the sync thread, but for the fields that say otherwise.
 * What each field means is said at {@link NodeRecord}.
 */
final class DatasetNode {
  final int id;
  final Instant created;
  final List<DatasetNode> children = new ArrayList<>();

  NodeKind kind;
  int dataset;

  /** Volatile for {@link DatasetHead}. */
  volatile String name;

  /** Volatile for {@link DatasetHead}, which any thread may ask. */
  volatile DatasetNode parent;

  /** Volatile for {@link DatasetHead}. */
  volatile BlockPointer root;

  /** Volatile for {@link DatasetHead}. */
  volatile long nextObjectNumber;

  /** Volatile for {@link DatasetHead}. */
  volatile long referencedSectors;

  /** Volatile for {@link DatasetHead}. */
  volatile long files;

  long txg;
  long deadlist;
  long uniqueSectors;
  long deadlistUniqueSectors;
  PropertySet properties = PropertySet.EMPTY;

  DatasetNode(int id, NodeKind kind, int dataset, Instant created) {
    this.id = id;
    this.kind = kind;
    this.dataset = dataset;
    this.created = created;
  }

  /** A node without its parent: that is set when all nodes are there. */
  static DatasetNode of(NodeRecord record) {
    DatasetNode node =
        new DatasetNode(record.id(), record.kind(), record.dataset(), record.created());
    node.name = record.name();
    node.root = record.root().orElse(null);
    node.nextObjectNumber = record.nextObjectNumber();
    node.files = record.files();
    node.txg = record.txg();
    node.deadlist = record.deadlist();
    node.referencedSectors = record.referencedSectors();
    node.uniqueSectors = record.uniqueSectors();
    node.deadlistUniqueSectors = record.deadlistUniqueSectors();
    return node;
  }

  NodeRecord record() {
    return new NodeRecord(
        id,
        kind,
        name,
        dataset,
        parent == null ? 0 : parent.id,
        txg,
        created,
        Optional.ofNullable(root),
        deadlist,
        referencedSectors,
        uniqueSectors,
        deadlistUniqueSectors,
        nextObjectNumber,
        files);
  }

  boolean isHead() {
    return kind == NodeKind.HEAD;
  }

  /** It was destroyed while it had several children. */
  boolean isNameless() {
    return name.isEmpty();
  }

  /** What was born after this is not in the parent; 0 without a parent, before the first birth. */
  long parentTxg() {
    return txgOf(parent);
  }

  /** What was born after this is not in the parent's parent. */
  long grandparentTxg() {
    DatasetNode above = parent;
    return above == null ? 0 : txgOf(above.parent);
  }

  /** The txgs of all nodes that it continues, ascending. */
  long[] ancestorTxgs() {
    List<Long> txgs = new ArrayList<>();
    for (DatasetNode ancestor = parent; ancestor != null; ancestor = ancestor.parent) {
      txgs.add(ancestor.txg);
    }
    Collections.reverse(txgs);
    return txgs.stream().mapToLong(Long::longValue).toArray();
  }

  static long txgOf(DatasetNode snapshot) {
    return snapshot == null ? 0 : snapshot.txg;
  }
}
