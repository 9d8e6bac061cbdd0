package io.cowfs.fuse.operations;

import static io.cowfs.fuse.wire.FileFormat.FALLOC_KEEP_SIZE;
import static io.cowfs.fuse.wire.FileFormat.FALLOC_PUNCH_HOLE;
import static io.cowfs.fuse.wire.FileFormat.FALLOC_ZERO_RANGE;

import io.cowfs.core.vfs.FileSystem.AllocationMode;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import java.util.EnumSet;

/** What the flags of system calls on files mean to the file system. */
public final class FileFlags {
  /* Flags of open(2), equal on all architectures of asm-generic/fcntl.h. */
  private static final int O_ACCESS_MODE = 03;
  private static final int O_WRONLY = 01;
  private static final int O_RDWR = 02;
  private static final int O_EXCL = 0200;
  private static final int O_TRUNC = 01000;
  private static final int O_APPEND = 02000;
  private static final int O_NOATIME = 01000000;

  private FileFlags() {}

  /** The flags of open(2), but for O_SYNC, which is the kernel's affair, and O_EXCL. */
  public static EnumSet<OpenFlags> ofOpen(int flags) {
    EnumSet<OpenFlags> set = EnumSet.noneOf(OpenFlags.class);
    int access = flags & O_ACCESS_MODE;
    if (access != O_WRONLY) {
      set.add(OpenFlags.READ);
    }
    if (access == O_WRONLY || access == O_RDWR) {
      set.add(OpenFlags.WRITE);
    }
    if ((flags & O_TRUNC) != 0) {
      set.add(OpenFlags.TRUNCATE);
    }
    if ((flags & O_APPEND) != 0) {
      set.add(OpenFlags.APPEND);
    }
    if ((flags & O_NOATIME) != 0) {
      set.add(OpenFlags.NO_ATIME);
    }
    return set;
  }

  /** Whether open(2) was asked for more than reading. */
  static boolean mayWrite(int flags) {
    return (flags & O_ACCESS_MODE) != 0;
  }

  /** Whether what is to be created must not be there. */
  static boolean isExclusive(int flags) {
    return (flags & O_EXCL) != 0;
  }

  /**
   * The mode of fallocate(2).
   *
   * @throws FsException NOT_SUPPORTED for one that no file system here has
   */
  public static AllocationMode ofAllocate(int mode) throws FsException {
    return switch (mode) {
      case 0 -> AllocationMode.RESERVE;
      case FALLOC_KEEP_SIZE -> AllocationMode.RESERVE_KEEP_SIZE;
      case FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE -> AllocationMode.PUNCH_HOLE;
      case FALLOC_ZERO_RANGE -> AllocationMode.ZERO_RANGE;
      case FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE -> AllocationMode.ZERO_RANGE_KEEP_SIZE;
      default -> throw new FsException(FsError.NOT_SUPPORTED);
    };
  }
}
