package io.cowfs.fuse.errno;

import io.cowfs.core.vfs.FsError;

/** Linux errno numbers, and the table from {@link FsError} to them. */
public final class Errno {
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int EINTR = 4;
  public static final int EIO = 5;
  public static final int ENXIO = 6;
  public static final int E2BIG = 7;
  public static final int EBADF = 9;
  public static final int EAGAIN = 11;
  public static final int EACCES = 13;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int EXDEV = 18;
  public static final int ENODEV = 19;
  public static final int ENOTDIR = 20;
  public static final int EISDIR = 21;
  public static final int EINVAL = 22;
  public static final int ENOTTY = 25;
  public static final int EFBIG = 27;
  public static final int ENOSPC = 28;
  public static final int EROFS = 30;
  public static final int EMLINK = 31;
  public static final int ERANGE = 34;
  public static final int ENAMETOOLONG = 36;
  public static final int ENOSYS = 38;
  public static final int ENOTEMPTY = 39;
  public static final int ENODATA = 61;
  public static final int EPROTO = 71;
  public static final int EOVERFLOW = 75;
  public static final int EOPNOTSUPP = 95;
  public static final int ENOTCONN = 107;
  public static final int ESTALE = 116;
  public static final int EDQUOT = 122;

  private Errno() {}

  /** The errno with which the kernel shows the error to a program. */
  public static int of(FsError error) {
    return switch (error) {
      case NOT_PERMITTED -> EPERM;
      case NOT_FOUND -> ENOENT;
      case INTERRUPTED -> EINTR;
      case IO -> EIO;
      case BAD_HANDLE -> EBADF;
      case ACCESS_DENIED -> EACCES;
      case BUSY -> EBUSY;
      case EXISTS -> EEXIST;
      case CROSS_DEVICE -> EXDEV;
      case NOT_A_DIRECTORY -> ENOTDIR;
      case IS_A_DIRECTORY -> EISDIR;
      case INVALID -> EINVAL;
      case FILE_TOO_LARGE -> EFBIG;
      case NO_SPACE -> ENOSPC;
      case READ_ONLY -> EROFS;
      case TOO_MANY_LINKS -> EMLINK;
      case RANGE -> ERANGE;
      case NAME_TOO_LONG -> ENAMETOOLONG;
      case NOT_EMPTY -> ENOTEMPTY;
      case NO_ATTRIBUTE -> ENODATA;
      case OVERFLOW -> EOVERFLOW;
      case NOT_SUPPORTED -> EOPNOTSUPP;
      case NO_SUCH_DEVICE_OR_OFFSET -> ENXIO;
      case STALE -> ESTALE;
      case QUOTA_EXCEEDED -> EDQUOT;
      case ARGUMENT_TOO_LONG -> E2BIG;
    };
  }
}
