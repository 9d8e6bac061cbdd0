package io.cowfs.fuse.wire;

/** {@code fuse_in_header} before each request, {@code fuse_out_header} before each reply. */
public final class HeaderFormat {
  static final int IN_LENGTH = 0;
  static final int IN_OPCODE = IN_LENGTH + Integer.BYTES;
  static final int IN_UNIQUE = IN_OPCODE + Integer.BYTES;
  static final int IN_NODE_ID = IN_UNIQUE + Long.BYTES;
  static final int IN_UID = IN_NODE_ID + Long.BYTES;
  static final int IN_GID = IN_UID + Integer.BYTES;
  static final int IN_PID = IN_GID + Integer.BYTES;
  static final int IN_EXTENSION_WORDS = IN_PID + Integer.BYTES;
  static final int IN_PADDING = IN_EXTENSION_WORDS + Short.BYTES;

  /** Bytes of {@code fuse_in_header}. */
  public static final int IN_SIZE = IN_PADDING + Short.BYTES;

  static final int OUT_LENGTH = 0;
  static final int OUT_ERROR = OUT_LENGTH + Integer.BYTES;
  static final int OUT_UNIQUE = OUT_ERROR + Integer.BYTES;

  /** Bytes of {@code fuse_out_header}. */
  public static final int OUT_SIZE = OUT_UNIQUE + Long.BYTES;

  private HeaderFormat() {}
}
