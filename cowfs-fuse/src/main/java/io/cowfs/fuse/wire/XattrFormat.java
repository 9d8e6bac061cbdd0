package io.cowfs.fuse.wire;

/** {@code fuse_setxattr_in}, {@code fuse_getxattr_in}, {@code fuse_getxattr_out}. */
public final class XattrFormat {
  public static final int SET_SIZE = 0;
  public static final int SET_FLAGS = SET_SIZE + Integer.BYTES;

  /** Bytes of {@code fuse_setxattr_in} where SETXATTR_EXT was not agreed on. */
  public static final int SET_BYTES_SHORT = SET_FLAGS + Integer.BYTES;

  public static final int SET_MORE_FLAGS = SET_BYTES_SHORT;
  static final int SET_PADDING = SET_MORE_FLAGS + Integer.BYTES;

  /** Bytes of {@code fuse_setxattr_in}. */
  public static final int SET_BYTES = SET_PADDING + Integer.BYTES;

  /** In SET_MORE_FLAGS, with an access control list: sgid goes. */
  public static final int ACL_KILL_SGID = 1;

  /* Values of SET_FLAGS, as in setxattr(2). */
  public static final int CREATE = 1;
  public static final int REPLACE = 2;

  public static final int GET_SIZE = 0;
  static final int GET_PADDING = GET_SIZE + Integer.BYTES;
  public static final int GET_BYTES = GET_PADDING + Integer.BYTES;

  public static final int OUT_SIZE = 0;
  static final int OUT_PADDING = OUT_SIZE + Integer.BYTES;
  public static final int OUT_BYTES = OUT_PADDING + Integer.BYTES;

  private XattrFormat() {}
}
