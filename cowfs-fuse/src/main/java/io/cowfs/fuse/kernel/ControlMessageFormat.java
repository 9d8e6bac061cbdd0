package io.cowfs.fuse.kernel;

import java.nio.ByteBuffer;

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

  /** A control message with one descriptor, padded: two would fit. */
  static final int CONTROL_BYTES = CONTROL_DATA + Long.BYTES;

  static final int SOL_SOCKET = 1;
  static final int SCM_RIGHTS = 1;

  private ControlMessageFormat() {}

  /**
   * The descriptors that a control message brings; none when it is of another kind, or no message.
   *
   * @param control in native byte order, from 0 to its capacity
   * @param bytes how many of them were received, as the kernel has it in {@link #MSG_CONTROL_BYTES}
   */
  static int[] descriptors(ByteBuffer control, long bytes) {
    long received = Math.min(bytes, control.capacity());
    if (received < CONTROL_DATA
        || control.getInt(CONTROL_LEVEL) != SOL_SOCKET
        || control.getInt(CONTROL_TYPE) != SCM_RIGHTS) {
      return new int[0];
    }
    long end = Math.max(CONTROL_DATA, Math.min(control.getLong(CONTROL_LENGTH), received));
    int[] descriptors = new int[(int) (end - CONTROL_DATA) / Integer.BYTES];
    for (int i = 0; i < descriptors.length; i++) {
      descriptors[i] = control.getInt(CONTROL_DATA + i * Integer.BYTES);
    }
    return descriptors;
  }
}
