package io.cowfs.core.fs;

import io.cowfs.core.btree.Tree;
import io.cowfs.core.btree.TreeDiff;
import io.cowfs.core.txg.SyncTask;
import io.cowfs.core.vfs.CacheInvalidator;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.Iterator;
import java.util.function.Supplier;

/**
 * Replaces the tree of a volume under those who use it. Thread-safe.
 *
 * <p>While the gate is shut, everything up to then is committed, the tree is switched, the two
 * trees are compared, and what is in memory of inodes that differ is forgotten. Then the gate
 * opens, and the front end is told of the same inodes and of the names that lead elsewhere; it
 * learns nothing of what is as it was. A kernel that is told waits for directories that requests
 * have locked: so whoever tells holds no lock that a request may wait for.
 *
 * <p><b>Files.</b> A kernel that caches writes trusts its own size, times and pages of a regular
 * file. So each file that differs is <i>unsettled</i> before the gate opens: what is asked of it
 * then may rest on the old state (pages that were dirtied before, an append at the old end), and
 * counts as done before the rollback: it comes to nothing. A file that is open is settled by the
 * front end, which takes over the new state in place, and handles go on. One that is only cached,
 * or that the front end cannot settle, gets another generation instead; handles to it are stale.
 */
final class Rollback {
  private static final Logger LOG = System.getLogger(Rollback.class.getName());

  private final VolumeState volume;

  Rollback(VolumeState volume) {
    this.volume = volume;
  }

  /**
   * Has a sync task replace the dataset's tree, as a rollback does, while no operation is active.
   * The task keeps the tree as it was, and the caller keeps others from destroying both trees until
   * the front end has been told.
   *
   * @return tells the front end what it must forget; to be run, once, before the tree is replaced
   *     again
   */
  Runnable replaceTree(SyncTask task, Supplier<CacheInvalidator> frontEnd) throws IOException {
    Tree[] before = new Tree[1];
    Tree after;
    TreeChanges changes;
    volume.closedGate().lock();
    try {
      volume
          .txgs()
          .runTask(
              txg -> {
                // With all changes of this txg, of which some are in no committed tree yet.
                before[0] = new Tree(volume.head().root(), volume.nodes());
                Runnable afterwards = task.run(txg);
                return () -> switchTree(txg, afterwards);
              });
      after = volume.tree().committed();
      changes = forgetChanges(before[0], after);
    } finally {
      volume.closedGate().unlock();
    }
    return () -> {
      tellFrontEnd(before[0], changes, frontEnd.get());
      tellOfNewNames(before[0], after, frontEnd.get());
    };
  }

  /** Sync thread, with the gate shut. */
  private void switchTree(long txg, Runnable afterwards) {
    if (afterwards != null) {
      afterwards.run();
    }
    volume.tree().replace(new Tree(volume.head().root(), volume.nodes()), txg);
    // Before the next sync: what is an orphan now may have a name in the new tree.
    volume.reaper().clear();
  }

  /** With the gate shut. */
  private TreeChanges forgetChanges(Tree before, Tree after) {
    TreeChanges changes;
    boolean compared = false;
    try {
      changes = TreeChanges.between(before, after, volume.nodes(), volume.inodes());
      compared = true;
    } catch (IOException damaged) {
      LOG.log(Level.WARNING, "all caches are emptied: " + damaged.getMessage(), damaged);
      changes = TreeChanges.everything(before, after, volume.inodes());
    }
    changes.inodes().forEach(volume.inodes()::invalidate);
    changes.files().forEach(volume.inodes()::unsettle);
    // A kernel that removed a directory lets nobody into it again, whatever it is told.
    changes.removedDirectories().forEach(volume.inodes()::shiftGeneration);
    try {
      if (compared) {
        volume.treeWasReplaced(changes.moreNodes());
      } else {
        volume.treeWasOpened();
      }
    } catch (IOException damaged) {
      // The front end is told all the same: without that, what is written to these files is lost.
      LOG.log(Level.WARNING, "not all orphans are freed: " + damaged.getMessage(), damaged);
    }
    return changes;
  }

  private void tellFrontEnd(Tree before, TreeChanges changes, CacheInvalidator frontEnd) {
    Iterator<Long> files = changes.files().iterator();
    try {
      for (DirectoryItems.Link name : changes.names()) {
        frontEnd.entryChanged(name.parent(), name.name());
      }
      for (long inode : changes.inodes()) {
        if (changes.files().contains(inode) || !volume.inodes().isReferenced(inode)) {
          continue;
        }
        if (changes.wasOnlyRead(inode)) {
          frontEnd.attributesChanged(inode);
        } else {
          frontEnd.inodeChanged(inode);
        }
      }
      while (files.hasNext()) {
        settle(files.next(), before, frontEnd);
      }
    } finally {
      // Whatever happened: changes to a file must not come to nothing for ever.
      changes.files().forEach(volume.inodes()::renew);
    }
  }

  /**
   * The front end may believe that a name is not there which is now. There can be any number of
   * them, so they are not kept but found once more.
   */
  private void tellOfNewNames(Tree before, Tree after, CacheInvalidator frontEnd) {
    try {
      TreeDiff.run(
          before,
          after,
          (key, oldValue, newValue) -> {
            long directory = key.high();
            if (key.kind() != Items.DIRECTORY_ENTRY
                || newValue == null
                || !volume.inodes().isReferenced(directory)) {
              return;
            }
            byte[] name = NameFormat.decode(newValue).name();
            if (oldValue == null || !Arrays.equals(name, NameFormat.decode(oldValue).name())) {
              frontEnd.entryChanged(directory, name);
            }
          });
    } catch (IOException damaged) {
      LOG.log(Level.WARNING, "all names are asked for again: " + damaged.getMessage(), damaged);
      tellOfAllNames(after, volume.inodes(), frontEnd);
    }
  }

  /** As far as they can be read; what is in other directories than the root goes with their own. */
  static void tellOfAllNames(Tree after, InodeTable memory, CacheInvalidator frontEnd) {
    for (long inode : memory.known()) {
      if (memory.isReferenced(inode)) {
        try {
          DirectoryItems.forEachName(after, inode, name -> frontEnd.entryChanged(inode, name));
        } catch (IOException damaged) {
          LOG.log(Level.WARNING, "directory {0} cannot be read to its end", inode);
        }
      }
    }
  }

  private void settle(long file, Tree before, CacheInvalidator frontEnd) {
    if (volume.inodes().isOpen(file) && frontEnd.settle(file)) {
      volume.inodes().settle(file);
      return;
    }
    frontEnd.inodeChanged(file);
    try {
      for (DirectoryItems.Link link : DirectoryItems.linksOf(before, file)) {
        frontEnd.entryChanged(link.parent(), link.name());
      }
    } catch (IOException damaged) {
      LOG.log(Level.WARNING, "inode " + file + ": its names cannot be read", damaged);
    }
    volume.inodes().renew(file);
    frontEnd.inodeChanged(file);
  }
}
