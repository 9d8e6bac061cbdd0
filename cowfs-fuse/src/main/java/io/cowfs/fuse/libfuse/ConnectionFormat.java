package io.cowfs.fuse.libfuse;

/** {@code struct fuse_conn_info} of libfuse 2.9, which jnr-fuse does not have. */
final class ConnectionFormat {
  private static final int MAJOR = 0;
  private static final int MINOR = MAJOR + Integer.BYTES;
  private static final int ASYNC_READ = MINOR + Integer.BYTES;
  private static final int MAX_WRITE = ASYNC_READ + Integer.BYTES;
  private static final int MAX_READAHEAD = MAX_WRITE + Integer.BYTES;

  /** What the kernel offers. */
  static final int CAPABLE = MAX_READAHEAD + Integer.BYTES;

  /** What is taken of it. */
  static final int WANT = CAPABLE + Integer.BYTES;

  /* Bits of CAPABLE and WANT. */
  static final int BIG_WRITES = 1 << 5;
  static final int DONT_MASK = 1 << 6;

  private ConnectionFormat() {}
}
