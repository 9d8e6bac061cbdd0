package io.cowfs.fuse.wire;

/** {@code fuse_init_in}, {@code fuse_init_out} and the bits negotiated in their flags. */
public final class InitFormat {
  public static final int IN_MAJOR = 0;
  public static final int IN_MINOR = IN_MAJOR + Integer.BYTES;
  public static final int IN_MAX_READAHEAD = IN_MINOR + Integer.BYTES;
  public static final int IN_FLAGS = IN_MAX_READAHEAD + Integer.BYTES;
  public static final int IN_FLAGS2 = IN_FLAGS + Integer.BYTES;
  static final int IN_UNUSED = IN_FLAGS2 + Integer.BYTES;

  /** Bytes of {@code fuse_init_in}; kernels before 7.36 send {@link #IN_SIZE_SHORT}. */
  public static final int IN_SIZE = IN_UNUSED + 11 * Integer.BYTES;

  /** Bytes of {@code fuse_init_in} without the second word of flags. */
  public static final int IN_SIZE_SHORT = IN_FLAGS2;

  public static final int OUT_MAJOR = 0;
  public static final int OUT_MINOR = OUT_MAJOR + Integer.BYTES;
  public static final int OUT_MAX_READAHEAD = OUT_MINOR + Integer.BYTES;
  public static final int OUT_FLAGS = OUT_MAX_READAHEAD + Integer.BYTES;
  public static final int OUT_MAX_BACKGROUND = OUT_FLAGS + Integer.BYTES;
  public static final int OUT_CONGESTION_THRESHOLD = OUT_MAX_BACKGROUND + Short.BYTES;
  public static final int OUT_MAX_WRITE = OUT_CONGESTION_THRESHOLD + Short.BYTES;
  public static final int OUT_TIME_GRANULARITY = OUT_MAX_WRITE + Integer.BYTES;
  public static final int OUT_MAX_PAGES = OUT_TIME_GRANULARITY + Integer.BYTES;
  static final int OUT_MAP_ALIGNMENT = OUT_MAX_PAGES + Short.BYTES;
  public static final int OUT_FLAGS2 = OUT_MAP_ALIGNMENT + Short.BYTES;
  static final int OUT_UNUSED = OUT_FLAGS2 + Integer.BYTES;

  /** Bytes of {@code fuse_init_out}. */
  public static final int OUT_SIZE = OUT_UNUSED + 7 * Integer.BYTES;

  /** The protocol spoken here. */
  public static final int MAJOR = 7;

  /** The newest minor version spoken here. */
  public static final int MINOR = 38;

  /** The oldest minor version whose structures are those of this package. */
  public static final int MINOR_MIN = 23;

  /* Bits of the flags, bit 32 and up in the second word. */
  public static final long ASYNC_READ = 1L << 0;
  public static final long ATOMIC_O_TRUNC = 1L << 3;
  public static final long EXPORT_SUPPORT = 1L << 4;
  public static final long BIG_WRITES = 1L << 5;
  public static final long DONT_MASK = 1L << 6;
  public static final long DO_READDIRPLUS = 1L << 13;
  public static final long READDIRPLUS_AUTO = 1L << 14;
  public static final long ASYNC_DIO = 1L << 15;
  public static final long WRITEBACK_CACHE = 1L << 16;
  public static final long PARALLEL_DIROPS = 1L << 18;
  public static final long POSIX_ACL = 1L << 20;
  public static final long MAX_PAGES = 1L << 22;
  public static final long CACHE_SYMLINKS = 1L << 23;
  public static final long HANDLE_KILLPRIV_V2 = 1L << 28;
  public static final long SETXATTR_EXT = 1L << 29;
  public static final long INIT_EXT = 1L << 30;

  private InitFormat() {}
}
