package io.cowfs.fuse.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Native memory whose addresses stand in other native memory: all of it lives until the close. */
final class NativeArena implements AutoCloseable {
  private final List<ByteBuffer> buffers = new ArrayList<>();

  /** Zeroed memory in native byte order. */
  ByteBuffer allocate(int bytes) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    buffers.add(buffer);
    return buffer;
  }

  /** The address of a NULL-terminated {@code char *[]}. */
  long strings(List<String> texts) {
    ByteBuffer pointers = allocate((texts.size() + 1) * Long.BYTES);
    for (int i = 0; i < texts.size(); i++) {
      byte[] bytes = LibC.Native.string(texts.get(i));
      ByteBuffer string = allocate(bytes.length).put(0, bytes);
      pointers.putLong(i * Long.BYTES, LibC.Native.address(string));
    }
    return LibC.Native.address(pointers);
  }

  @Override
  public void close() {
    buffers.clear();
  }
}
