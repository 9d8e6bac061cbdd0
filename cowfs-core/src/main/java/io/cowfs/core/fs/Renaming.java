package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.btree.Key;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.RenameMode;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * renameat2(2). Thread-safe. {@code treeShape} is held by whatever moves a directory to another
 * parent, before any inode's lock: the ancestors of a directory then stay what they are during the
 * check that it is not moved below itself.
 */
final class Renaming {
  private final VolumeState volume;
  private final Creation creation;
  private final ReentrantLock treeShape = new ReentrantLock();

  Renaming(VolumeState volume, Creation creation) {
    this.volume = volume;
    this.creation = creation;
  }

  /** The two names of a rename with what is behind them now; the target may be missing. */
  private record Names(
      Inode parent,
      byte[] name,
      DirectoryItems.Found source,
      Inode child,
      Inode newParent,
      byte[] newName,
      DirectoryItems.Found existing,
      Inode target) {}

  void rename(long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException, IOException {
    rename(null, parent, name, newParent, newName, mode);
  }

  /** The same, with a whiteout of the caller's in the old place. */
  void renameLeavingWhiteout(
      Caller caller, long parent, byte[] name, long newParent, byte[] newName, RenameMode mode)
      throws FsException, IOException {
    if (mode == RenameMode.EXCHANGE) {
      throw new FsException(FsError.INVALID);
    }
    rename(caller, parent, name, newParent, newName, mode);
  }

  private void rename(
      Caller whiteoutOwner,
      long parent,
      byte[] name,
      long newParent,
      byte[] newName,
      RenameMode mode)
      throws FsException, IOException {
    DirectoryItems.checkName(name);
    DirectoryItems.checkName(newName);
    for (byte[] each : new byte[][] {name, newName}) {
      if (DirectoryItems.isDot(each) || DirectoryItems.isDotDot(each)) {
        throw new FsException(FsError.BUSY);
      }
    }
    boolean moves = parent != newParent;
    if (moves) {
      treeShape.lock();
    }
    try (Mutation change = Mutation.begin(volume, Caller.ROOT, ReserveTier.DELETE)) {
      Names names = lockNames(change, change.use(parent), name, change.use(newParent), newName);
      if (!validate(names, mode)) {
        return;
      }
      if (mode == RenameMode.EXCHANGE) {
        exchange(change, names);
      } else {
        move(change, names, whiteoutOwner);
      }
    } finally {
      if (moves) {
        treeShape.unlock();
      }
    }
  }

  private Names lockNames(
      Mutation change, Inode parent, byte[] name, Inode newParent, byte[] newName)
      throws FsException, IOException {
    DirectoryItems directories = volume.directories();
    DirectoryItems.Found source = volume.findEntry(parent, name);
    DirectoryItems.Found existing = volume.findEntry(newParent, newName);
    while (true) {
      if (source == null) {
        throw new FsException(FsError.NOT_FOUND);
      }
      Inode child = volume.useEntry(change, parent, name, source);
      Inode target =
          existing == null ? null : volume.useEntry(change, newParent, newName, existing);
      if (child == null || (existing != null && target == null)) {
        source = volume.findEntry(parent, name);
        existing = volume.findEntry(newParent, newName);
        continue;
      }
      change.lock(parent, newParent, child, target);
      volume.requireDirectory(parent);
      volume.requireLiveDirectory(newParent);
      DirectoryItems.Found sourceNow = directories.find(parent.number, name);
      DirectoryItems.Found existingNow = directories.find(newParent.number, newName);
      if (leadsTo(sourceNow, child) && leadsTo(existingNow, target)) {
        return new Names(parent, name, sourceNow, child, newParent, newName, existingNow, target);
      }
      change.unlock();
      source = sourceNow;
      existing = existingNow;
    }
  }

  private static boolean leadsTo(DirectoryItems.Found found, Inode inode) {
    return found == null ? inode == null : inode != null && found.inode() == inode.number;
  }

  /** Returns false when there is nothing to do. */
  private boolean validate(Names n, RenameMode mode) throws FsException, IOException {
    if (n.child.isDirectory() && n.parent != n.newParent) {
      checkNotBelow(n.child, n.newParent);
    }
    if (mode == RenameMode.EXCHANGE && n.target == null) {
      throw new FsException(FsError.NOT_FOUND);
    }
    if (mode == RenameMode.NO_REPLACE && n.target != null) {
      throw new FsException(FsError.EXISTS);
    }
    checkFlags(n);
    if (mode == RenameMode.EXCHANGE) {
      if (n.target.isDirectory() && n.parent != n.newParent) {
        checkNotBelow(n.target, n.parent);
      }
      return n.child != n.target;
    }
    if (n.target == null) {
      return true;
    }
    if (n.child == n.target) {
      return false;
    }
    if (n.target.isDirectory()) {
      if (!n.child.isDirectory()) {
        throw new FsException(FsError.IS_A_DIRECTORY);
      }
      if (n.target.size > 0) {
        throw new FsException(FsError.NOT_EMPTY);
      }
    } else if (n.child.isDirectory()) {
      throw new FsException(FsError.NOT_A_DIRECTORY);
    }
    return true;
  }

  private static void checkFlags(Names n) throws FsException {
    if (n.child == n.target) {
      return;
    }
    InodeFlags.checkRemoval(n.parent, n.child);
    if (n.target == null) {
      InodeFlags.checkNewEntry(n.newParent);
    } else {
      InodeFlags.checkRemoval(n.newParent, n.target);
    }
  }

  private void checkNotBelow(Inode moved, Inode destination) throws FsException, IOException {
    if (volume.directories().isAtOrBelow(destination.number, moved.number)) {
      throw new FsException(FsError.INVALID);
    }
  }

  /**
   * Moves a name.
   *
   * @param whiteoutOwner whose whiteout takes its place; null for none
   */
  private void move(Mutation change, Names n, Caller whiteoutOwner)
      throws FsException, IOException {
    DirectoryItems directories = volume.directories();
    Key oldBack = directories.backReference(n.child.number, n.parent.number, n.name);
    Key newBack = directories.freeBackReference(n.child.number, n.newParent.number, n.newName);
    Key targetBack =
        n.target == null
            ? null
            : directories.backReference(n.target.number, n.newParent.number, n.newName);
    Key entry =
        n.existing != null
            ? n.existing.key()
            : directories.freeEntry(n.newParent.number, n.newName);
    Inode whiteout = whiteoutOwner == null ? null : creation.newWhiteout(whiteoutOwner, n.parent);

    change.join(
        n.source.key(),
        oldBack,
        newBack,
        targetBack,
        entry,
        n.target == null ? null : Mutation.orphanOfLast(n.target));
    if (whiteout == null) {
      change.delete(n.source.key());
    } else {
      // Under the key of the old entry, which has the same name.
      creation.enter(change, n.source.key(), n.parent, n.name, whiteout);
    }
    change.delete(oldBack);
    boolean directory = n.child.isDirectory();
    if (n.target != null) {
      change.delete(targetBack);
      change.dropLink(n.target);
    }
    DirectoryItems.link(change, entry, newBack, n.newParent.number, n.newName, n.child);
    n.child.ctime = change.now();
    change.store(n.child);
    boolean replacedDirectory = n.target != null && n.target.isDirectory();
    change.touchDirectory(n.parent, whiteout == null ? -1 : 0, directory ? -1 : 0);
    change.touchDirectory(
        n.newParent, n.target == null ? 1 : 0, (directory ? 1 : 0) - (replacedDirectory ? 1 : 0));
  }

  private void exchange(Mutation change, Names n) throws FsException, IOException {
    DirectoryItems directories = volume.directories();
    Key childBack = directories.backReference(n.child.number, n.parent.number, n.name);
    Key targetBack = directories.backReference(n.target.number, n.newParent.number, n.newName);
    Key newChildBack = directories.freeBackReference(n.child.number, n.newParent.number, n.newName);
    Key newTargetBack = directories.freeBackReference(n.target.number, n.parent.number, n.name);

    change.join(
        childBack, targetBack, newChildBack, newTargetBack, n.existing.key(), n.source.key());
    change.delete(childBack);
    change.delete(targetBack);
    DirectoryItems.link(
        change, n.existing.key(), newChildBack, n.newParent.number, n.newName, n.child);
    DirectoryItems.link(change, n.source.key(), newTargetBack, n.parent.number, n.name, n.target);
    n.child.ctime = change.now();
    n.target.ctime = change.now();
    change.store(n.child);
    change.store(n.target);
    int moreInParent = (n.target.isDirectory() ? 1 : 0) - (n.child.isDirectory() ? 1 : 0);
    change.touchDirectory(n.parent, 0, moreInParent);
    change.touchDirectory(n.newParent, 0, -moreInParent);
  }
}
