package io.cowfs.core.fs;

import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.txg.SyncTask;
import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Arrays;

/** Replaces the tree of a volume under those who use it. Thread-safe. */
final class Rollback {
  private static final Logger LOG = System.getLogger(Rollback.class.getName());

  private final VolumeState volume;

  Rollback(VolumeState volume) {
    this.volume = volume;
  }

  /**
   * Has a sync task replace the dataset's tree, as a rollback does, while no operation is active,
   * and tells the front end what it must forget. The task keeps the tree as it was, and the caller
   * keeps others from destroying it meanwhile.
   */
  void replaceTree(SyncTask task, CacheInvalidator frontEnd) throws IOException {
    Tree[] before = new Tree[1];
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
      volume.treeWasOpened();
      renewChangedFiles(before[0], volume.tree().committed());
    } finally {
      volume.closedGate().unlock();
    }
    invalidateFrontEnd(before[0], frontEnd);
  }

  /**
   * A kernel that caches writes trusts its own size and times of a file that it holds, whatever it
   * is told. So files that the rollback changed become new ones to it, by their generation; handles
   * to the old ones are stale.
   */
  private void renewChangedFiles(Tree before, Tree after) {
    for (long number : volume.inodes().referenced()) {
      Key key = Items.inode(number);
      boolean changed;
      try {
        byte[] old = before.get(key);
        changed = old != null && isRegular(old) && !Arrays.equals(old, after.get(key));
      } catch (IOException damaged) {
        LOG.log(Level.WARNING, "inode " + number + ": its attributes cannot be read", damaged);
        changed = number != FileSystem.ROOT_INODE;
      }
      if (changed) {
        volume.inodes().shiftGeneration(number);
      }
    }
  }

  private static boolean isRegular(byte[] inode) {
    return FileType.ofMode(InodeFormat.getInt(inode, InodeFormat.MODE)) == FileType.REGULAR;
  }

  /** Sync thread, with the gate shut. */
  private void switchTree(long txg, Runnable afterwards) {
    if (afterwards != null) {
      afterwards.run();
    }
    volume.tree().replace(new Tree(volume.head().root(), volume.nodes()), txg);
    volume.inodes().invalidateAll();
    // Before the next sync: what is an orphan now may have a name in the new tree.
    volume.reaper().clear();
  }

  /**
   * Everything that the front end holds is named by the old tree; names that it cannot tell are
   * skipped.
   */
  private void invalidateFrontEnd(Tree old, CacheInvalidator frontEnd) {
    for (long inode : volume.inodes().referenced()) {
      try {
        for (DirectoryItems.Link link : DirectoryItems.linksOf(old, inode)) {
          frontEnd.entryChanged(link.parent(), link.name());
        }
      } catch (IOException damaged) {
        LOG.log(Level.WARNING, "inode " + inode + ": its names cannot be read", damaged);
      }
      frontEnd.inodeChanged(inode);
    }
    frontEnd.inodeChanged(FileSystem.ROOT_INODE);
  }
}
