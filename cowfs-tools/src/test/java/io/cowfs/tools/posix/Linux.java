package io.cowfs.tools.posix;

/** Constants of the system calls. Where architectures differ: x86-64 and arm64. */
public final class Linux {
  private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");

  public static final int O_RDONLY = 0;
  public static final int O_WRONLY = 01;
  public static final int O_RDWR = 02;
  public static final int O_CREAT = 0100;
  public static final int O_EXCL = 0200;
  public static final int O_TRUNC = 01000;
  public static final int O_APPEND = 02000;
  public static final int O_NONBLOCK = 04000;
  public static final int O_DSYNC = 010000;
  public static final int O_DIRECT = ARM ? 0200000 : 040000;
  public static final int O_DIRECTORY = ARM ? 040000 : 0200000;
  public static final int O_NOFOLLOW = ARM ? 0100000 : 0400000;
  public static final int O_NOATIME = 01000000;
  public static final int O_CLOEXEC = 02000000;
  public static final int O_SYNC = 04010000;
  public static final int O_PATH = 010000000;
  public static final int O_TMPFILE = 020000000 | O_DIRECTORY;

  public static final int AT_FDCWD = -100;
  public static final int AT_SYMLINK_NOFOLLOW = 0x100;
  public static final int AT_EACCESS = 0x200;
  public static final int AT_REMOVEDIR = 0x200;
  public static final int AT_SYMLINK_FOLLOW = 0x400;
  public static final int AT_EMPTY_PATH = 0x1000;

  public static final int S_IFMT = 0170000;
  public static final int S_IFSOCK = 0140000;
  public static final int S_IFLNK = 0120000;
  public static final int S_IFREG = 0100000;
  public static final int S_IFBLK = 0060000;
  public static final int S_IFDIR = 0040000;
  public static final int S_IFCHR = 0020000;
  public static final int S_IFIFO = 0010000;

  public static final int F_OK = 0;
  public static final int X_OK = 1;
  public static final int W_OK = 2;
  public static final int R_OK = 4;

  public static final int RENAME_NOREPLACE = 1;
  public static final int RENAME_EXCHANGE = 2;
  public static final int RENAME_WHITEOUT = 4;

  public static final int SEEK_SET = 0;
  public static final int SEEK_CUR = 1;
  public static final int SEEK_END = 2;
  public static final int SEEK_DATA = 3;
  public static final int SEEK_HOLE = 4;

  public static final int FALLOC_FL_KEEP_SIZE = 0x01;
  public static final int FALLOC_FL_PUNCH_HOLE = 0x02;
  public static final int FALLOC_FL_COLLAPSE_RANGE = 0x08;
  public static final int FALLOC_FL_ZERO_RANGE = 0x10;
  public static final int FALLOC_FL_INSERT_RANGE = 0x20;

  public static final int XATTR_CREATE = 1;
  public static final int XATTR_REPLACE = 2;

  /* Instead of nanoseconds in utimensat(2). */
  public static final long UTIME_NOW = (1L << 30) - 1;
  public static final long UTIME_OMIT = (1L << 30) - 2;

  public static final int PROT_READ = 1;
  public static final int PROT_WRITE = 2;
  public static final int MAP_SHARED = 1;
  public static final int MAP_PRIVATE = 2;
  public static final int MAP_ANONYMOUS = 0x20;
  public static final int MS_ASYNC = 1;
  public static final int MS_SYNC = 4;

  public static final int POSIX_FADV_DONTNEED = 4;

  public static final int LOCK_SH = 1;
  public static final int LOCK_EX = 2;
  public static final int LOCK_NB = 4;
  public static final int LOCK_UN = 8;

  public static final int F_GETFL = 3;
  public static final int F_SETFL = 4;
  public static final int F_GETLK = 5;
  public static final int F_SETLK = 6;
  public static final int F_OFD_GETLK = 36;
  public static final int F_OFD_SETLK = 37;

  public static final short F_RDLCK = 0;
  public static final short F_WRLCK = 1;
  public static final short F_UNLCK = 2;

  public static final long MS_RDONLY = 1;
  public static final long MS_NOEXEC = 8;
  public static final long MS_REMOUNT = 32;
  public static final long MS_BIND = 4096;
  public static final int MNT_DETACH = 2;

  public static final int CLONE_FS = 0x200;
  public static final int RLIMIT_FSIZE = 1;

  public static final int SYS_MMAP = ARM ? 222 : 9;
  public static final int SYS_SETGROUPS = ARM ? 159 : 116;
  public static final int SYS_SETRESUID = ARM ? 147 : 117;
  public static final int SYS_SETRESGID = ARM ? 149 : 119;
  public static final int SYS_FACCESSAT2 = 439;
  public static final int SYS_FCHMODAT2 = 452;

  public static final int NAME_MAX = 255;

  /** With the NUL at its end. */
  public static final int PATH_MAX = 4096;

  static final long FS_IOC_GETFLAGS = 0x80086601L;
  static final long FS_IOC_SETFLAGS = 0x40086602L;
  static final long FS_IOC_FSGETXATTR = 0x801c581fL;
  static final long FS_IOC_FSSETXATTR = 0x401c5820L;
  static final long FITRIM = 0xc0185879L;
  static final long XFS_IOC_GOINGDOWN = 0x8004587dL;

  static final int FS_IMMUTABLE_FL = 0x10;
  static final int FS_APPEND_FL = 0x20;
  static final int FS_NODUMP_FL = 0x40;
  static final int FS_NOATIME_FL = 0x80;
  static final int FS_NOCOMP_FL = 0x400;
  static final int FS_NOCOW_FL = 0x800000;

  static final int FS_XFLAG_IMMUTABLE = 0x8;
  static final int FS_XFLAG_NODUMP = 0x80;

  private Linux() {}
}
