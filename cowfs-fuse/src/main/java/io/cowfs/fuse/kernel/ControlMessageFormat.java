package io.cowfs.fuse.kernel;

/** {@code struct msghdr}, {@code iovec} and {@code cmsghdr} of 64-bit Linux. */
final class ControlMessageFormat {
  static final int MSG_NAME = 0;
  static final int MSG_NAME_LENGTH = MSG_NAME + Long.BYTES;
  static final int MSG_VECTOR = MSG_NAME_LENGTH + Long.BYTES;
  static final int MSG_VECTOR_COUNT = MSG_VECTOR + Long.BYTES;
  static final int MSG_CONTROL = MSG_VECTOR_COUNT + Long.BYTES;
  static final int MSG_CONTROL_BYTES = MSG_CONTROL + Long.BYTES;
  static final int MSG_FLAGS = MSG_CONTROL_BYTES + Long.BYTES;
  static final int MSG_BYTES = MSG_FLAGS + Long.BYTES;

  static final int VECTOR_BASE = 0;
  static final int VECTOR_LENGTH = VECTOR_BASE + Long.BYTES;
  static final int VECTOR_BYTES = VECTOR_LENGTH + Long.BYTES;

  static final int CONTROL_LENGTH = 0;
  static final int CONTROL_LEVEL = CONTROL_LENGTH + Long.BYTES;
  static final int CONTROL_TYPE = CONTROL_LEVEL + Integer.BYTES;
  static final int CONTROL_DATA = CONTROL_TYPE + Integer.BYTES;

  /** A control message with one descriptor, padded. */
  static final int CONTROL_BYTES = CONTROL_DATA + Long.BYTES;

  static final int SOL_SOCKET = 1;
  static final int SCM_RIGHTS = 1;

  private ControlMessageFormat() {}
}
