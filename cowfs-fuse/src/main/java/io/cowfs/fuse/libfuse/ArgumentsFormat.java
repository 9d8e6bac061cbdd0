package io.cowfs.fuse.libfuse;

/** {@code struct fuse_args} of libfuse 2.9 on 64-bit systems. */
final class ArgumentsFormat {
  static final int COUNT = 0;
  private static final int PADDING = COUNT + Integer.BYTES;
  static final int VALUES = PADDING + Integer.BYTES;
  private static final int ALLOCATED = VALUES + Long.BYTES;
  static final int BYTES = ALLOCATED + Long.BYTES;

  private ArgumentsFormat() {}
}
