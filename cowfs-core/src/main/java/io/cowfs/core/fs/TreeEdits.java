package io.cowfs.core.fs;

import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Changes of a volume's tree that make references to extents which are there already. A head may
 * change only while its volume is synced, so an operation hands its edit in here and waits for the
 * commit. Thread-safe.
 *
 * <p>Edits come first in the sync of a txg, before orphans are freed and dirty data is written:
 * counts of shared ranges are raised before they are lowered. They lie below the txg's overlay, so
 * whoever hands one in sees to it that nobody else changes the same keys.
 */
final class TreeEdits {
  /** What an edit changes. */
  record Target(long txg, DatasetHead head, FileFlush flush, NavigableMap<Key, byte[]> changes) {

    /** Counts one more reference to an extent. Comes before anything that lowers a count. */
    void count(DataExtent extent) throws IOException {
      head.cloned(extent);
    }

    /** Puts a counted reference, born in this txg, into a file. */
    void put(Key key, DataExtent extent) {
      changes.put(key, DataExtentFormat.encode(extent.withBirthTxg(txg)));
    }
  }

  /** Carried out by the sync thread. */
  @FunctionalInterface
  interface Edit {
    /**
     * Asked before it is carried out: why it cannot be done, or null. What it refers to may be gone
     * since it was prepared.
     */
    default IOException refusal() {
      return null;
    }

    /** Changes the tree. An exception suspends the pool. */
    void apply(Target target) throws IOException;
  }

  /** An edit with its outcome, which is read after the commit only. */
  private static final class Pending {
    final Edit edit;
    volatile IOException refusal;

    Pending(Edit edit) {
      this.edit = edit;
    }
  }

  private final TransactionGroups txgs;
  private final Queue<Pending> queue = new ConcurrentLinkedQueue<>();

  TreeEdits(TransactionGroups txgs) {
    this.txgs = txgs;
  }

  /**
   * Has an edit made in the next commit, and waits until that is durable. No inode may be locked
   * and no txg joined.
   *
   * @throws IOException why it was refused; then nothing was changed
   * @throws io.cowfs.core.txg.PoolSuspendedException when it will never be durable
   */
  void commit(Edit edit) throws IOException {
    Pending pending = new Pending(edit);
    queue.add(pending);
    try {
      // Whatever is open now has not begun to sync, so it finds the edit.
      txgs.awaitDurable(txgs.openTxg(), () -> false);
    } finally {
      queue.remove(pending);
    }
    if (pending.refusal != null) {
      throw pending.refusal;
    }
  }

  /** Sync thread: makes all edits that wait. */
  void applyAll(Target target) throws IOException {
    for (Pending next = queue.poll(); next != null; next = queue.poll()) {
      next.refusal = next.edit.refusal();
      if (next.refusal == null) {
        next.edit.apply(target);
      }
    }
  }
}
