package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.btree.Key;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import java.io.IOException;
import java.util.Arrays;

/**
 * New names: files, directories, nodes, symbolic links, and further names of files. Thread-safe.
 */
final class Creation {
  /** Names of one file; a directory has any number of subdirectories. */
  static final int LINKS_MAX = 65_000;

  static final int SYMLINK_BYTES_MAX = 4095;

  private final VolumeState volume;

  Creation(VolumeState volume) {
    this.volume = volume;
  }

  /** What a new inode is to be. */
  record Request(int mode, int rdev, byte[] symlinkTarget) {}

  /** Makes an inode and its first name. Counts one reference, and one handle if {@code open}. */
  Attributes create(Caller caller, long parentNumber, byte[] name, Request request, boolean open)
      throws FsException, IOException {
    DirectoryItems.checkName(name);
    if (request.symlinkTarget() != null && request.symlinkTarget().length > SYMLINK_BYTES_MAX) {
      throw new FsException(FsError.NAME_TOO_LONG);
    }
    int more =
        request.symlinkTarget() == null
            ? 0
            : Mutation.sectorsOfItems(request.symlinkTarget().length);
    try (Mutation change = Mutation.begin(volume, caller, ReserveTier.WRITE, more)) {
      Inode parent = change.use(parentNumber);
      change.lock(parent);
      Key entry = checkNewName(parent, name);
      boolean directory = FileType.ofMode(request.mode()) == FileType.DIRECTORY;
      Inode child = newInode(caller, parent, request);

      change.join();
      child.atime = child.mtime = child.ctime = child.btime = change.now();
      change.add(child);
      volume.inodes().reference(child.number);
      if (open) {
        volume.inodes().opened(child);
      }
      Key back = DirectoryItems.firstBackReference(child.number, parent.number, name);
      DirectoryItems.link(change, entry, back, parent.number, name, child);
      putSymlink(change, child.number, request.symlinkTarget());
      change.store(child);
      change.touchDirectory(parent, 1, directory ? 1 : 0);
      return child.attributes();
    }
  }

  /** The place for a new name, after all that may speak against it. The parent must be locked. */
  private Key checkNewName(Inode parent, byte[] name) throws FsException, IOException {
    volume.requireLiveDirectory(parent);
    if (DirectoryItems.isDot(name)
        || DirectoryItems.isDotDot(name)
        || volume.directories().find(parent.number, name) != null) {
      throw new FsException(FsError.EXISTS);
    }
    return volume.directories().freeEntry(parent.number, name);
  }

  private Inode newInode(Caller caller, Inode parent, Request request) {
    Inode child = new Inode(volume.nextInodeNumber());
    boolean directory = FileType.ofMode(request.mode()) == FileType.DIRECTORY;
    boolean symlink = request.symlinkTarget() != null;
    child.mode = symlink ? request.mode() : request.mode() & ~(caller.umask() & 0777);
    child.uid = caller.uid();
    child.gid = caller.gid();
    if ((parent.mode & Inode.SGID) != 0) {
      child.gid = parent.gid;
      child.mode |= directory ? Inode.SGID : 0;
    }
    child.nlink = directory ? 2 : 1;
    child.rdev = request.rdev();
    child.size = symlink ? request.symlinkTarget().length : 0;
    child.generation = 1;
    return child;
  }

  private static void putSymlink(Mutation change, long inode, byte[] target) {
    if (target == null) {
      return;
    }
    for (int at = 0; at < target.length; at += Items.CHUNK_BYTES) {
      byte[] chunk =
          Arrays.copyOfRange(target, at, Math.min(target.length, at + Items.CHUNK_BYTES));
      change.put(Items.symlink(inode, at / Items.CHUNK_BYTES), chunk);
    }
  }

  Attributes link(long number, long parentNumber, byte[] name) throws FsException, IOException {
    DirectoryItems.checkName(name);
    try (Mutation change = Mutation.begin(volume, Caller.ROOT, ReserveTier.WRITE)) {
      Inode inode = change.use(number);
      Inode parent = change.use(parentNumber);
      change.lock(inode, parent);
      Key entry = checkNewName(parent, name);
      if (inode.isDirectory()) {
        throw new FsException(FsError.NOT_PERMITTED);
      }
      if (inode.nlink == 0) {
        throw new FsException(FsError.NOT_FOUND);
      }
      if (inode.nlink >= LINKS_MAX) {
        throw new FsException(FsError.TOO_MANY_LINKS);
      }
      Key back = volume.directories().freeBackReference(number, parentNumber, name);

      change.join();
      volume.inodes().reference(number);
      DirectoryItems.link(change, entry, back, parentNumber, name, inode);
      inode.nlink++;
      inode.ctime = change.now();
      change.store(inode);
      change.touchDirectory(parent, 1, 0);
      return inode.attributes();
    }
  }

  /** The root directory of a new dataset. */
  /** The root directory of a dataset that nothing was written to. */
  static Inode newRoot(VolumeServices.Owner owner, Timestamp now) {
    Inode root = new Inode(FileSystem.ROOT_INODE);
    root.mode = FileType.DIRECTORY.format() | 0755;
    root.uid = owner.uid();
    root.gid = owner.gid();
    root.nlink = 2;
    root.generation = 1;
    root.atime = root.mtime = root.ctime = root.btime = now;
    return root;
  }

  void createRoot() throws FsException, IOException {
    try (Mutation change = Mutation.begin(volume, Caller.ROOT, ReserveTier.WRITE)) {
      change.join();
      Inode root = newRoot(volume.owner(), change.now());
      change.add(root);
      change.store(root);
    }
  }
}
