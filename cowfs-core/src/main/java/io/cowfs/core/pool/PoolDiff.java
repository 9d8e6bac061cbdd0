package io.cowfs.core.pool;

import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.fs.FileChange;
import io.cowfs.core.fs.TreeComparison;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;

/**
 * The comparison of two states of a dataset, also while it is written to and its snapshots are
 * destroyed. Thread-safe.
 */
final class PoolDiff {
  private final Datasets datasets;
  private final TransactionGroups txgs;
  private final NodeReader reader;

  PoolDiff(Datasets datasets, TransactionGroups txgs, NodeReader reader) {
    this.datasets = datasets;
    this.txgs = txgs;
    this.reader = reader;
  }

  /** See {@link Pool#diff}. */
  void run(String dataset, String from, String to, ChangeVisitor visitor) throws IOException {
    if (from == null || to == null) {
      txgs.syncAll();
    }
    TreeComparison.Page page;
    // The hold comes first: what is looked up after it stays readable.
    ReadPins.Pin hold = txgs.readPins().pin();
    try {
      TreeComparison comparison = new TreeComparison(tree(dataset, from), tree(dataset, to));
      page = comparison.pageAfter(null);
      while (!page.isLast()) {
        page = comparison.pageAfter(give(page, visitor));
      }
    } finally {
      hold.close();
    }
    // Without the hold: the visitor may take its time, and a list of usual length is one page.
    give(page, visitor);
  }

  /** Returns the last change; null when there are none. */
  private static FileChange give(TreeComparison.Page page, ChangeVisitor visitor)
      throws IOException {
    FileChange last = null;
    for (FileChange change : page.changes()) {
      visitor.change(change);
      last = change;
    }
    return last;
  }

  private Tree tree(String dataset, String snapshot) throws IOException {
    NodeRecord node =
        snapshot == null
            ? datasets.node(datasets.head(dataset).id()).orElseThrow()
            : datasets.snapshot(dataset, snapshot);
    return new Tree(node.root().orElse(null), reader);
  }
}
