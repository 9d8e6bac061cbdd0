package io.cowfs.core.fs;

import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.FileSystem.AllocationMode;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.InodeFlag;
import io.cowfs.core.vfs.OpenFlags;
import java.util.EnumSet;
import java.util.Set;

/**
 * The flags of inodes as they are stored, and what they forbid. The rules are those of the kernel's
 * own file systems, which its VFS enforces for them and not for a FUSE file system. Stateless;
 * inodes must be locked.
 */
final class InodeFlags {
  private static final int REMOVAL_BARRED = bit(InodeFlag.IMMUTABLE) | bit(InodeFlag.APPEND_ONLY);

  private static final int INHERITED = bit(InodeFlag.NO_ATIME) | bit(InodeFlag.NO_DUMP);

  private static final int INHERITED_BY_FILES = INHERITED | bit(InodeFlag.NO_COMPRESSION);

  /** Whether an operation obeys the flags. */
  enum Obedience {
    /** As what users do must. */
    OBEYS,
    /** Brings back an earlier state, whatever the flags are now. */
    OVERRIDES
  }

  private InodeFlags() {}

  /** Its bit in an inode item; part of the format. */
  static int bit(InodeFlag flag) {
    return switch (flag) {
      case IMMUTABLE -> 1;
      case APPEND_ONLY -> 1 << 1;
      case NO_ATIME -> 1 << 2;
      case NO_COMPRESSION -> 1 << 3;
      case NO_DUMP -> 1 << 4;
    };
  }

  static int bits(Set<InodeFlag> flags) {
    return flags.stream().mapToInt(InodeFlags::bit).sum();
  }

  static Set<InodeFlag> of(Inode inode) {
    EnumSet<InodeFlag> flags = EnumSet.noneOf(InodeFlag.class);
    for (InodeFlag flag : InodeFlag.values()) {
      if (has(inode, flag)) {
        flags.add(flag);
      }
    }
    return flags;
  }

  static boolean has(Inode inode, InodeFlag flag) {
    return (inode.flags & bit(flag)) != 0;
  }

  /** The flags of a new inode in a directory. */
  static int inherited(Inode directory, Inode child) {
    boolean keepsContent = child.isRegular() || child.isDirectory();
    return directory.flags & (keepsContent ? INHERITED_BY_FILES : INHERITED);
  }

  private static void refuseIf(boolean barred) throws FsException {
    if (barred) {
      throw new FsException(FsError.NOT_PERMITTED);
    }
  }

  /** A directory gets another name. */
  static void checkNewEntry(Inode directory) throws FsException {
    refuseIf(has(directory, InodeFlag.IMMUTABLE));
  }

  /** A name is taken from a directory, and with it perhaps what it leads to. */
  static void checkRemoval(Inode directory, Inode child) throws FsException {
    refuseIf(((directory.flags | child.flags) & REMOVAL_BARRED) != 0);
  }

  /** The inode gets another name, or its extended attributes change. */
  static void checkUnbarred(Inode inode) throws FsException {
    refuseIf((inode.flags & REMOVAL_BARRED) != 0);
  }

  /** A file is opened. */
  static void checkOpen(Inode inode, Set<OpenFlags> flags) throws FsException {
    if (flags.contains(OpenFlags.WRITE)) {
      refuseIf(has(inode, InodeFlag.IMMUTABLE));
      refuseIf(has(inode, InodeFlag.APPEND_ONLY) && !flags.contains(OpenFlags.APPEND));
    }
    if (flags.contains(OpenFlags.TRUNCATE)) {
      checkUnbarred(inode);
    }
  }

  /**
   * Attributes are changed.
   *
   * @param overHandle asked over an open file. What then sets nothing but times is the front end
   *     that keeps them for an open file, and hands them over
   */
  static void checkChange(Inode inode, AttributeChange wanted, boolean overHandle)
      throws FsException {
    if ((inode.flags & REMOVAL_BARRED) == 0) {
      return;
    }
    boolean more =
        wanted.mode() != null
            || wanted.uid() != null
            || wanted.gid() != null
            || wanted.size() != null;
    boolean keptTimes = overHandle && wanted.atime() == null;
    // With the access time set to now, so is the other one, by whoever keeps it.
    boolean touch =
        AttributeChange.NOW.equals(wanted.atime())
            || (wanted.atime() == null
                && (wanted.mtime() == null || AttributeChange.NOW.equals(wanted.mtime())));
    refuseIf(more || !(keptTimes || (touch && !has(inode, InodeFlag.IMMUTABLE))));
  }

  /** Space of a file is allocated or given back. */
  static void checkAllocation(Inode inode, AllocationMode mode) throws FsException {
    boolean onlyAdds = mode == AllocationMode.RESERVE || mode == AllocationMode.RESERVE_KEEP_SIZE;
    refuseIf(has(inode, InodeFlag.IMMUTABLE));
    refuseIf(has(inode, InodeFlag.APPEND_ONLY) && !onlyAdds);
  }

  /** A file is written to other than by write(2). */
  static void checkContent(Inode inode) throws FsException {
    refuseIf(has(inode, InodeFlag.IMMUTABLE));
  }
}
