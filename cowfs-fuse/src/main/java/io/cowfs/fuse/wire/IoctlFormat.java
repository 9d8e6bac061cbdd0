package io.cowfs.fuse.wire;

/**
 * {@code fuse_ioctl_in}, {@code fuse_ioctl_out}, and the arguments of the commands that are known
 * here: those of {@code linux/fs.h}.
 */
public final class IoctlFormat {
  static final int HANDLE = 0;
  static final int FLAGS = HANDLE + Long.BYTES;
  public static final int COMMAND = FLAGS + Integer.BYTES;
  static final int ARGUMENT = COMMAND + Integer.BYTES;
  public static final int IN_SIZE = ARGUMENT + Long.BYTES;
  public static final int OUT_SIZE = IN_SIZE + Integer.BYTES;

  /** Bytes of {@code fuse_ioctl_in}; what the caller passed in follows. */
  public static final int IN_BYTES = OUT_SIZE + Integer.BYTES;

  static final int RESULT = 0;
  static final int OUT_FLAGS = RESULT + Integer.BYTES;
  static final int IN_IOVS = OUT_FLAGS + Integer.BYTES;
  static final int OUT_IOVS = IN_IOVS + Integer.BYTES;

  /** Bytes of {@code fuse_ioctl_out}; what the caller gets follows. */
  public static final int OUT_BYTES = OUT_IOVS + Integer.BYTES;

  public static final int GET_FLAGS = 0x80086601;
  public static final int SET_FLAGS = 0x40086602;
  public static final int GET_ATTRIBUTES = 0x801c581f;
  public static final int SET_ATTRIBUTES = 0x401c5820;
  public static final int TRIM = 0xc0185879;

  /** {@code XFS_IOC_GOINGDOWN}. */
  public static final int GOING_DOWN = 0x8004587d;

  /* Bits of the word of GET_FLAGS and SET_FLAGS. */
  public static final int FLAG_IMMUTABLE = 0x10;
  public static final int FLAG_APPEND = 0x20;
  public static final int FLAG_NO_DUMP = 0x40;
  public static final int FLAG_NO_ATIME = 0x80;
  public static final int FLAG_NO_COMPRESSION = 0x400;

  /* struct fsxattr, of GET_ATTRIBUTES and SET_ATTRIBUTES. */
  public static final int FSX_FLAGS = 0;
  public static final int FSX_EXTENT_SIZE = FSX_FLAGS + Integer.BYTES;
  static final int FSX_EXTENTS = FSX_EXTENT_SIZE + Integer.BYTES;
  public static final int FSX_PROJECT = FSX_EXTENTS + Integer.BYTES;
  public static final int FSX_COW_EXTENT_SIZE = FSX_PROJECT + Integer.BYTES;
  static final int FSX_PADDING = FSX_COW_EXTENT_SIZE + Integer.BYTES;
  public static final int FSX_BYTES = FSX_PADDING + Long.BYTES;

  /* Bits of FSX_FLAGS. */
  public static final int XFLAG_IMMUTABLE = 0x8;
  public static final int XFLAG_APPEND = 0x10;
  public static final int XFLAG_NO_ATIME = 0x40;
  public static final int XFLAG_NO_DUMP = 0x80;

  /* struct fstrim_range, of TRIM. */
  public static final int TRIM_START = 0;
  public static final int TRIM_LENGTH = TRIM_START + Long.BYTES;
  public static final int TRIM_MINIMUM = TRIM_LENGTH + Long.BYTES;
  public static final int TRIM_BYTES = TRIM_MINIMUM + Long.BYTES;

  private IoctlFormat() {}
}
