package io.cowfs.fuse.wire;

/**
 * Messages to the kernel that answer no request: {@code fuse_notify_inval_inode_out} and {@code
 * fuse_notify_inval_entry_out}. Their header has the code as its error and 0 as its unique.
 */
public final class NotifyFormat {
  public static final int CODE_INVALIDATE_INODE = 2;
  public static final int CODE_INVALIDATE_ENTRY = 3;

  public static final int INODE_NODE_ID = 0;
  public static final int INODE_OFFSET = INODE_NODE_ID + Long.BYTES;
  public static final int INODE_LENGTH = INODE_OFFSET + Long.BYTES;
  public static final int INODE_BYTES = INODE_LENGTH + Long.BYTES;

  public static final int ENTRY_PARENT = 0;
  public static final int ENTRY_NAME_LENGTH = ENTRY_PARENT + Long.BYTES;
  static final int ENTRY_FLAGS = ENTRY_NAME_LENGTH + Integer.BYTES;

  /** The name follows, and one NUL byte that its length does not count. */
  public static final int ENTRY_BYTES = ENTRY_FLAGS + Integer.BYTES;

  private NotifyFormat() {}
}
