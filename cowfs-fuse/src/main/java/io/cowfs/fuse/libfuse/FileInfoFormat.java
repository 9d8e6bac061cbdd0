package io.cowfs.fuse.libfuse;

/**
 * {@code struct fuse_file_info} of libfuse 2.9 on 64-bit systems. That of jnr-fuse has a byte for
 * each of the bits.
 */
final class FileInfoFormat {
  /** Of open(2), as they are when a request is made. */
  static final int FLAGS = 0;

  private static final int PADDING = FLAGS + Integer.BYTES;
  private static final int OLD_HANDLE = PADDING + Integer.BYTES;

  /** Not 0 for a WRITE that the kernel makes of a mapped page. */
  static final int WRITE_PAGE = OLD_HANDLE + Long.BYTES;

  private static final int BITS = WRITE_PAGE + Integer.BYTES;
  static final int HANDLE = BITS + Integer.BYTES;

  private FileInfoFormat() {}
}
