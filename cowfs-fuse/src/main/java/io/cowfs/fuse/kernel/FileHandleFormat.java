package io.cowfs.fuse.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** {@code struct file_handle} with the handle that the kernel gives files of a FUSE mount. */
final class FileHandleFormat {
  private static final int HANDLE_BYTES = 0;
  private static final int HANDLE_TYPE = HANDLE_BYTES + Integer.BYTES;
  private static final int NODE_ID_HIGH = HANDLE_TYPE + Integer.BYTES;
  private static final int NODE_ID_LOW = NODE_ID_HIGH + Integer.BYTES;
  private static final int GENERATION = NODE_ID_LOW + Integer.BYTES;
  private static final int BYTES = GENERATION + Integer.BYTES;

  /** FILEID_INO64_GEN. */
  private static final int TYPE = 0x81;

  private FileHandleFormat() {}

  static byte[] of(long nodeId, long generation) {
    ByteBuffer handle = ByteBuffer.allocate(BYTES).order(ByteOrder.nativeOrder());
    handle.putInt(HANDLE_BYTES, BYTES - NODE_ID_HIGH);
    handle.putInt(HANDLE_TYPE, TYPE);
    handle.putInt(NODE_ID_HIGH, (int) (nodeId >>> Integer.SIZE));
    handle.putInt(NODE_ID_LOW, (int) nodeId);
    handle.putInt(GENERATION, (int) generation);
    return handle.array();
  }
}
