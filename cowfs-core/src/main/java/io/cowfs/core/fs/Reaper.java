package io.cowfs.core.fs;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Change;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.RangeWalk;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.txg.Overlay;
import io.cowfs.core.txg.TransactionalTree;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Queue;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongPredicate;

/**
 * Frees orphans that nobody holds any more. Anyone may hand one in; the sync thread frees them, at
 * most {@link #EXTENTS_PER_TXG} extents in one txg: what is left of a large file waits for the next
 * one, and its orphan item keeps it over a crash.
 */
final class Reaper {
  private static final Logger LOG = System.getLogger(Reaper.class.getName());

  static final int EXTENTS_PER_TXG = 100_000;

  private record Orphan(long inode, long changedTxg) {}

  private final Queue<Orphan> queue = new ConcurrentLinkedQueue<>();
  private final Runnable onWork;

  /**
   * @param onWork called whenever there is something to free
   */
  Reaper(Runnable onWork) {
    this.onWork = onWork;
  }

  /** What one txg frees. */
  static final class Harvest {
    /** Inodes that are gone entirely: nothing of them may be written in this txg. */
    final NavigableSet<Long> gone = new TreeSet<>();

    /** Ranges of keys to delete, ascending. */
    final List<Change> ranges = new ArrayList<>();
  }

  /** Has an orphan freed in the txg that changed it last, or later. */
  void add(long inode, long changedTxg) {
    queue.add(new Orphan(inode, changedTxg));
    onWork.run();
  }

  /**
   * Has the orphans of a tree freed that are {@code due}: what a crash or a rollback left. The
   * space of those that cannot be read is lost until the damage is mended.
   */
  void addAllOf(Tree tree, LongPredicate due) throws IOException {
    RangeWalk.Visitor visitor =
        new RangeWalk.Visitor() {
          @Override
          public void item(Key key, byte[] source, int offset, int length) {
            if (key.high() == 0 && key.kind() == Items.ORPHAN && due.test(key.low())) {
              add(key.low(), 0);
            }
          }

          @Override
          public void node(BlockPointer pointer, int level) {}

          @Override
          public void damaged(BlockPointer node, Key first, Key next, IOException failure) {
            LOG.log(Level.WARNING, "not all orphan inodes are freed", failure);
          }
        };
    new RangeWalk(tree, -1, visitor, () -> false).walk(Items.orphan(0), Items.orphan(-1L));
  }

  /** Forgets everything, because the tree was replaced. */
  void clear() {
    queue.clear();
  }

  /** True when nothing waits to be freed. */
  boolean isIdle() {
    return queue.isEmpty();
  }

  /**
   * Sync thread: frees what is due in this txg.
   *
   * @param inodesMax that there is space for: to delete items, nodes are written anew
   * @throws IOException when something is freed in part only; not for what cannot be read
   */
  Harvest harvest(long txg, TransactionalTree tree, DatasetHead head, int inodesMax)
      throws IOException {
    TreeSet<Long> due = new TreeSet<>();
    List<Orphan> later = new ArrayList<>();
    for (Orphan orphan = queue.poll(); orphan != null; orphan = queue.poll()) {
      if (orphan.changedTxg <= txg) {
        due.add(orphan.inode);
      } else {
        later.add(orphan);
      }
    }
    Harvest harvest = new Harvest();
    int budget = EXTENTS_PER_TXG;
    int inodesLeft = inodesMax;
    for (long inode : due) {
      if (budget == 0 || inodesLeft-- <= 0) {
        later.add(new Orphan(inode, 0));
        continue;
      }
      Reading reading;
      try {
        reading = isOrphan(inode, tree) ? read(inode, budget, tree.committed()) : null;
      } catch (IOException damaged) {
        // Its orphan item stays: the space is lost until the damage is mended, the pool is not.
        LOG.log(Level.ERROR, () -> "the orphan inode " + inode + " cannot be freed", damaged);
        continue;
      }
      if (reading != null) {
        budget -= reading.extents.size();
        reap(inode, reading, head, harvest);
        if (!reading.all) {
          later.add(new Orphan(inode, 0));
        }
      }
    }
    queue.addAll(later);
    return harvest;
  }

  /** Only what this very txg knows as an orphan is freed, whatever was asked for. */
  private static boolean isOrphan(long inode, TransactionalTree tree) throws IOException {
    Key key = Items.orphan(inode);
    byte[] changed = tree.syncing().items().get(key);
    return changed != null ? changed != Overlay.DELETED : tree.committed().get(key) != null;
  }

  /**
   * The first extents of an inode.
   *
   * @param lastKey of the last of them
   * @param all whether there are no more
   */
  private record Reading(List<DataExtent> extents, long lastKey, boolean all) {}

  private static Reading read(long inode, int budget, Tree committed) throws IOException {
    List<DataExtent> extents = new ArrayList<>();
    long[] last = {0};
    boolean all =
        committed.scan(
            Items.extent(inode, 0),
            Items.extent(inode, -1L),
            (key, source, offset, length) -> {
              if (extents.size() == budget) {
                return false;
              }
              extents.add(DataExtentFormat.decode(ByteBuffer.wrap(source, offset, length)));
              last[0] = key.low();
              return true;
            });
    if (all) {
      Key orphan = Items.orphan(inode);
      committed.requireReadable(orphan.previous(), orphan);
      committed.requireReadable(Items.firstOf(inode), Items.lastOf(inode));
    }
    return new Reading(extents, last[0], all);
  }

  /**
   * Frees what was read.
   *
   * @throws IOException in the middle of it: nothing may be committed any more
   */
  private static void reap(long inode, Reading reading, DatasetHead head, Harvest harvest)
      throws IOException {
    for (DataExtent extent : reading.extents) {
      head.leaves(extent);
    }
    if (reading.all) {
      harvest.gone.add(inode);
      harvest.ranges.add(Change.deleteRange(Items.firstOf(inode), Items.lastOf(inode)));
    } else {
      harvest.ranges.add(
          Change.deleteRange(Items.extent(inode, 0), Items.extent(inode, reading.lastKey)));
    }
  }
}
