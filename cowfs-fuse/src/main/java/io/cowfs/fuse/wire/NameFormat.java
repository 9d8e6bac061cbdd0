package io.cowfs.fuse.wire;

/**
 * What stands before the names in requests that make, move or link: {@code fuse_mknod_in}, {@code
 * fuse_mkdir_in}, {@code fuse_rename_in}, {@code fuse_rename2_in}, {@code fuse_link_in}; and the
 * structures of forgetting.
 */
public final class NameFormat {
  public static final int MKNOD_MODE = 0;
  public static final int MKNOD_RDEV = MKNOD_MODE + Integer.BYTES;
  public static final int MKNOD_UMASK = MKNOD_RDEV + Integer.BYTES;
  static final int MKNOD_PADDING = MKNOD_UMASK + Integer.BYTES;
  public static final int MKNOD_BYTES = MKNOD_PADDING + Integer.BYTES;

  public static final int MKDIR_MODE = 0;
  public static final int MKDIR_UMASK = MKDIR_MODE + Integer.BYTES;
  public static final int MKDIR_BYTES = MKDIR_UMASK + Integer.BYTES;

  public static final int RENAME_NEW_DIRECTORY = 0;
  public static final int RENAME_BYTES = RENAME_NEW_DIRECTORY + Long.BYTES;

  public static final int RENAME2_NEW_DIRECTORY = 0;
  public static final int RENAME2_FLAGS = RENAME2_NEW_DIRECTORY + Long.BYTES;
  static final int RENAME2_PADDING = RENAME2_FLAGS + Integer.BYTES;
  public static final int RENAME2_BYTES = RENAME2_PADDING + Integer.BYTES;

  /** Flags of renameat2(2). */
  public static final int RENAME_NOREPLACE = 1;

  public static final int RENAME_EXCHANGE = 2;
  public static final int RENAME_WHITEOUT = 4;

  public static final int LINK_OLD_NODE_ID = 0;
  public static final int LINK_BYTES = LINK_OLD_NODE_ID + Long.BYTES;

  public static final int FORGET_COUNT = 0;
  public static final int FORGET_BYTES = FORGET_COUNT + Long.BYTES;

  public static final int BATCH_COUNT = 0;
  static final int BATCH_DUMMY = BATCH_COUNT + Integer.BYTES;
  public static final int BATCH_BYTES = BATCH_DUMMY + Integer.BYTES;

  /** One {@code fuse_forget_one} of a batch. */
  public static final int BATCH_ONE_NODE_ID = 0;

  public static final int BATCH_ONE_COUNT = BATCH_ONE_NODE_ID + Long.BYTES;
  public static final int BATCH_ONE_BYTES = BATCH_ONE_COUNT + Long.BYTES;

  public static final int INTERRUPT_UNIQUE = 0;
  public static final int INTERRUPT_BYTES = INTERRUPT_UNIQUE + Long.BYTES;

  private NameFormat() {}
}
