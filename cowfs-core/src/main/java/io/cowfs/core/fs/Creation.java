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

  /** What overlayfs takes for a name that is hidden: a character device 0:0. */
  private static final Request WHITEOUT = new Request(FileType.CHARACTER_DEVICE.format(), 0, null);

  /** Access control lists of this length go with what every change reserves. */
  private static final int ACL_BYTES_ORDINARY = 512;

  private final VolumeState volume;
  private final AccessControl accessControl;

  Creation(VolumeState volume, AccessControl accessControl) {
    this.volume = volume;
    this.accessControl = accessControl;
  }

  /** What a new inode is to be. */
  record Request(int mode, int rdev, byte[] symlinkTarget) {
    /** A regular file. */
    static Request file(int mode) {
      return new Request((mode & Inode.PERMISSIONS) | FileType.REGULAR.format(), 0, null);
    }
  }

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
    Attributes made = null;
    for (int aclBytes = ACL_BYTES_ORDINARY; made == null; aclBytes = AccessControl.BYTES_MAX) {
      made = create(caller, parentNumber, name, request, new Room(more, aclBytes), open);
    }
    return made;
  }

  /** Space to reserve: sectors, and bytes for the access control lists of both kinds. */
  private record Room(int more, int aclBytes) {
    int sectors() {
      return more + (aclBytes <= ACL_BYTES_ORDINARY ? 0 : Mutation.sectorsOfItems(2 * aclBytes));
    }
  }

  /** Returns null when there is not room enough. */
  private Attributes create(
      Caller caller, long parentNumber, byte[] name, Request request, Room room, boolean open)
      throws FsException, IOException {
    try (Mutation change = Mutation.begin(volume, caller, ReserveTier.WRITE, room.sectors())) {
      Inode parent = change.use(parentNumber);
      change.lock(parent);
      Key entry = checkNewName(parent, name);
      boolean directory = FileType.ofMode(request.mode()) == FileType.DIRECTORY;
      AccessControl.Inheritance inheritance =
          accessControl.inheritance(caller, parent, request.mode());
      if (inheritance.bytesMax() > room.aclBytes()) {
        return null;
      }
      Inode child = newInode(caller, parent, request, inheritance.mode());

      change.join(entry);
      enter(change, entry, parent, name, child);
      accessControl.put(change, child, inheritance);
      volume.inodes().reference(child.number);
      if (open) {
        volume.inodes().opened(child);
      }
      putSymlink(change, child.number, request.symlinkTarget());
      change.touchDirectory(parent, 1, directory ? 1 : 0);
      return child.attributes();
    }
  }

  /**
   * Gives a new inode its first name. The change has joined; the directory's times are untouched.
   */
  void enter(Mutation change, Key entry, Inode parent, byte[] name, Inode child) {
    child.atime = child.mtime = child.ctime = child.btime = change.now();
    change.addNew(child);
    Key back = DirectoryItems.firstBackReference(child.number, parent.number, name);
    DirectoryItems.link(change, entry, back, parent.number, name, child);
    change.store(child);
  }

  /**
   * Makes a file that is an orphan from the beginning. Counts one reference and one handle; until
   * it gets its first name, it is freed when they are given back, or by the next opening.
   */
  Attributes createUnnamed(Caller caller, long directory, Request request)
      throws FsException, IOException {
    int more = Mutation.sectorsOfItems(AccessControl.BYTES_MAX);
    try (Mutation change = Mutation.begin(volume, caller, ReserveTier.WRITE, more)) {
      Inode parent = change.use(directory);
      change.lock(parent);
      volume.requireLiveDirectory(parent);
      InodeFlags.checkNewEntry(parent);
      AccessControl.Inheritance inheritance =
          accessControl.inheritance(caller, parent, request.mode());
      Inode file = newInode(caller, parent, request, inheritance.mode());

      change.join(Items.orphan(file.number));
      accessControl.put(change, file, inheritance);
      file.atime = file.mtime = file.ctime = file.btime = change.now();
      file.nlink = 0;
      file.unlinked = true;
      file.unlinkedTxg = change.txg().number();
      file.mayGetFirstName = true;
      change.addNew(file);
      volume.inodes().reference(file.number);
      volume.inodes().opened(file);
      change.putOrphan(file);
      change.store(file);
      return file.attributes();
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
    InodeFlags.checkNewEntry(parent);
    return volume.directories().freeEntry(parent.number, name);
  }

  /** A whiteout as it will be in a directory. In no table yet. */
  Inode newWhiteout(Caller caller, Inode parent) throws IOException {
    return newInode(caller, parent, WHITEOUT, WHITEOUT.mode());
  }

  /** Before the change joins. */
  private Inode newInode(Caller caller, Inode parent, Request request, int mode)
      throws IOException {
    Inode child = new Inode(volume.newInodeNumber());
    boolean directory = FileType.ofMode(request.mode()) == FileType.DIRECTORY;
    boolean symlink = request.symlinkTarget() != null;
    child.mode = mode;
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
    child.flags = InodeFlags.inherited(parent, child);
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
      if (inode.nlink == 0 && !inode.mayGetFirstName) {
        throw new FsException(FsError.NOT_FOUND);
      }
      InodeFlags.checkUnbarred(inode);
      if (inode.nlink >= LINKS_MAX) {
        throw new FsException(FsError.TOO_MANY_LINKS);
      }
      Key back = volume.directories().freeBackReference(number, parentNumber, name);

      change.join(entry, back, inode.nlink == 0 ? Items.orphan(number) : null);
      volume.inodes().reference(number);
      DirectoryItems.link(change, entry, back, parentNumber, name, inode);
      if (inode.nlink == 0) {
        change.deleteOrphan(inode);
        volume.inodes().named(inode);
      }
      inode.nlink++;
      inode.ctime = change.now();
      change.store(inode);
      change.touchDirectory(parent, 1, 0);
      return inode.attributes();
    }
  }

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
      change.addNew(root);
      change.store(root);
    }
  }
}
