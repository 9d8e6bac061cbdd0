package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.vfs.AclKind;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;

/**
 * Access control lists, which are extended attributes, and how they and the mode keep in step. Who
 * may do what is checked by the front end; here are the rules for what new files get, for chmod(2)
 * and for setting a list. Thread-safe.
 */
final class AccessControl {
  /** The longest list, in bytes: some 1,000 entries. It is rewritten with the space of a chmod. */
  static final int BYTES_MAX = 8 << 10;

  private final VolumeState volume;
  private final XattrReads reads;
  private final Xattrs xattrs;

  AccessControl(VolumeState volume, XattrReads reads, Xattrs xattrs) {
    this.volume = volume;
    this.reads = reads;
    this.xattrs = xattrs;
  }

  /**
   * What a new inode gets from its directory.
   *
   * @param mode with type and permissions
   * @param access its list, or null
   * @param inherited the default list of a new directory, or null
   */
  record Inheritance(int mode, byte[] access, byte[] inherited) {
    /** Bytes of the longer list, for the reservation of space. */
    int bytesMax() {
      return Math.max(access == null ? 0 : access.length, inherited == null ? 0 : inherited.length);
    }
  }

  /**
   * The mode and the lists of a new inode. The umask counts only where the directory has no default
   * list.
   *
   * @param directory locked for writing
   */
  Inheritance inheritance(Caller caller, Inode directory, int mode)
      throws FsException, IOException {
    FileType type = FileType.ofMode(mode);
    if (type == FileType.SYMLINK) {
      return new Inheritance(mode, null, null);
    }
    byte[] defaults = defaultOf(directory);
    if (defaults == null) {
      return new Inheritance(mode & ~(caller.umask() & 0777), null, null);
    }
    Acl access = decodeStored(directory, defaults).forNewFile(mode);
    return new Inheritance(
        mode & access.appliedTo(~0),
        access.isMode() ? null : access.encode(),
        type == FileType.DIRECTORY ? defaults : null);
  }

  private byte[] defaultOf(Inode directory) throws FsException, IOException {
    if (directory.hasDefaultAcl == Inode.DefaultAcl.ABSENT) {
      return null;
    }
    XattrReads.Found found = reads.find(directory.number, AclKind.DEFAULT.xattrName());
    directory.hasDefaultAcl = found == null ? Inode.DefaultAcl.ABSENT : Inode.DefaultAcl.UNKNOWN;
    return found == null ? null : reads.valueOf(directory.number, found);
  }

  private static Acl decodeStored(Inode inode, byte[] value) throws CorruptBlockException {
    try {
      return Acl.decode(value);
    } catch (FsException malformed) {
      throw new CorruptBlockException("inode " + inode.number + ": malformed access control list");
    }
  }

  /** Gives a new inode its lists. The change has joined. */
  void put(Mutation change, Inode child, Inheritance inheritance) {
    put(change, child, AclKind.ACCESS, inheritance.access);
    put(change, child, AclKind.DEFAULT, inheritance.inherited);
    if (inheritance.inherited == null) {
      child.hasDefaultAcl = Inode.DefaultAcl.ABSENT;
    }
  }

  private void put(Mutation change, Inode child, AclKind kind, byte[] value) {
    if (value != null) {
      byte[] name = kind.xattrName();
      xattrs.put(change, child.number, Xattrs.firstPlace(child.number, name), name, value);
    }
  }

  /** A list and where it is stored, to be changed with the mode. */
  record Stored(Xattrs.Place place, Acl acl) {}

  /**
   * The list that a change of the mode changes too, or null. The inode must be locked and the
   * change not have joined.
   */
  Stored storedAccess(Inode inode) throws FsException, IOException {
    XattrReads.Found found = reads.find(inode.number, AclKind.ACCESS.xattrName());
    if (found != null) {
      xattrs.requireChangeable(inode.number, found.key());
    }
    return found == null
        ? null
        : new Stored(
            new Xattrs.Place(found, found.key()),
            decodeStored(inode, reads.valueOf(inode.number, found)));
  }

  /** The list follows the mode that the inode has now. The change has joined. */
  void follow(Mutation change, Inode inode, Stored stored) {
    byte[] value = stored.acl.withMode(inode.mode).encode();
    xattrs.put(change, inode.number, stored.place, AclKind.ACCESS.xattrName(), value);
  }

  /**
   * Sets a list. One that says no more than a mode is not kept; the mode follows in any case.
   *
   * @param clearSgid whoever sets it may not keep the file's sgid
   * @throws FsException INVALID, NOT_SUPPORTED for a malformed list; NO_SPACE over 8 KiB;
   *     ACCESS_DENIED for the default list of what is no directory; NOT_SUPPORTED for a symbolic
   *     link
   */
  void set(long number, AclKind kind, byte[] value, boolean clearSgid)
      throws FsException, IOException {
    if (value.length > BYTES_MAX) {
      throw new FsException(FsError.NO_SPACE);
    }
    Acl acl = Acl.decode(value);
    byte[] name = kind.xattrName();
    int more = Mutation.sectorsOfItems(value.length);
    try (Mutation change = Mutation.begin(volume, Caller.ROOT, ReserveTier.WRITE, more)) {
      Inode inode = change.use(number);
      change.lock(inode);
      if (volume.inodes().isUnsettled(inode)) {
        return;
      }
      checkType(inode, kind);
      InodeFlags.checkUnbarred(inode);
      Xattrs.Place place = xattrs.place(number, name);
      boolean kept = !acl.isEmpty() && (kind == AclKind.DEFAULT || !acl.isMode());

      change.join();
      if (kept) {
        xattrs.put(change, number, place, name, acl.encode());
      } else if (place.old() != null) {
        xattrs.delete(change, number, place.old());
      }
      if (kind == AclKind.DEFAULT) {
        inode.hasDefaultAcl = Inode.DefaultAcl.UNKNOWN;
      } else if (!acl.isEmpty()) {
        inode.mode = acl.appliedTo(inode.mode) & ~(clearSgid ? Inode.SGID : 0);
      }
      inode.ctime = change.now();
      change.store(inode);
    }
  }

  private static void checkType(Inode inode, AclKind kind) throws FsException {
    if (inode.type() == FileType.SYMLINK) {
      throw new FsException(FsError.NOT_SUPPORTED);
    }
    if (kind == AclKind.DEFAULT && !inode.isDirectory()) {
      throw new FsException(FsError.ACCESS_DENIED);
    }
  }
}
