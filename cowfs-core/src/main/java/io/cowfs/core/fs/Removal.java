package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.btree.Key;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;

/** unlink(2) and rmdir(2). Thread-safe. */
final class Removal {
  private final VolumeState volume;
  private final InodeFlags.Obedience obedience;

  Removal(VolumeState volume, InodeFlags.Obedience obedience) {
    this.volume = volume;
    this.obedience = obedience;
  }

  void unlink(long parentNumber, byte[] name) throws FsException, IOException {
    DirectoryItems.checkName(name);
    try (Mutation change = Mutation.begin(volume, Caller.ROOT, ReserveTier.DELETE)) {
      Inode parent = change.use(parentNumber);
      if (DirectoryItems.isDot(name) || DirectoryItems.isDotDot(name)) {
        throw new FsException(FsError.IS_A_DIRECTORY);
      }
      DirectoryItems.Found found = lockWithChild(change, parent, name);
      Inode child = change.use(found.inode());
      if (child.isDirectory()) {
        throw new FsException(FsError.IS_A_DIRECTORY);
      }
      checkFlags(parent, child);
      Key back = volume.directories().backReference(child.number, parentNumber, name);

      change.join(found.key(), back, Mutation.orphanOfLast(child));
      change.delete(found.key());
      change.delete(back);
      change.dropLink(child);
      change.touchDirectory(parent, -1, 0);
    }
  }

  void removeDirectory(long parentNumber, byte[] name) throws FsException, IOException {
    DirectoryItems.checkName(name);
    try (Mutation change = Mutation.begin(volume, Caller.ROOT, ReserveTier.DELETE)) {
      Inode parent = change.use(parentNumber);
      if (DirectoryItems.isDot(name)) {
        throw new FsException(FsError.INVALID);
      }
      if (DirectoryItems.isDotDot(name)) {
        throw new FsException(FsError.NOT_EMPTY);
      }
      DirectoryItems.Found found = lockWithChild(change, parent, name);
      Inode child = change.use(found.inode());
      if (!child.isDirectory()) {
        throw new FsException(FsError.NOT_A_DIRECTORY);
      }
      checkFlags(parent, child);
      if (child.size > 0) {
        throw new FsException(FsError.NOT_EMPTY);
      }
      Key back = volume.directories().backReference(child.number, parentNumber, name);

      change.join(found.key(), back, Mutation.orphanOfLast(child));
      change.delete(found.key());
      change.delete(back);
      change.dropLink(child);
      change.touchDirectory(parent, -1, -1);
    }
  }

  private void checkFlags(Inode parent, Inode child) throws FsException {
    if (obedience == InodeFlags.Obedience.OBEYS) {
      InodeFlags.checkRemoval(parent, child);
    }
  }

  /**
   * Locks a directory and what one of its entries leads to, which is then certain to stay.
   *
   * @throws FsException NOT_FOUND
   */
  private DirectoryItems.Found lockWithChild(Mutation change, Inode parent, byte[] name)
      throws FsException, IOException {
    DirectoryItems.Found seen = volume.findEntry(parent, name);
    while (true) {
      if (seen == null) {
        throw new FsException(FsError.NOT_FOUND);
      }
      Inode child = volume.useEntry(change, parent, name, seen);
      if (child == null) {
        seen = volume.findEntry(parent, name);
        continue;
      }
      change.lock(parent, child);
      volume.requireDirectory(parent);
      DirectoryItems.Found now = volume.directories().find(parent.number, name);
      if (now != null && now.inode() == child.number) {
        return now;
      }
      change.unlock();
      seen = now;
    }
  }
}
