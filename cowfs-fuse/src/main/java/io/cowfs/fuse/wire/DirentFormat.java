package io.cowfs.fuse.wire;

/** {@code fuse_dirent}, {@code fuse_direntplus}. */
public final class DirentFormat {
  static final int INODE = 0;
  static final int COOKIE = INODE + Long.BYTES;
  static final int NAME_LENGTH = COOKIE + Long.BYTES;
  static final int TYPE = NAME_LENGTH + Integer.BYTES;

  /** Where the name begins; what follows it is padded to 8 bytes. */
  public static final int NAME = TYPE + Integer.BYTES;

  private static final int ALIGNMENT = Long.BYTES;

  private DirentFormat() {}

  /** Bytes of one {@code fuse_dirent} with its name and padding. */
  static int bytes(int nameLength) {
    return (NAME + nameLength + ALIGNMENT - 1) & -ALIGNMENT;
  }
}
