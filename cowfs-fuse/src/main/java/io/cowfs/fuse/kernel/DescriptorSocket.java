package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.ControlMessageFormat.*;
import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import io.cowfs.fuse.errno.Errno;
import java.nio.ByteBuffer;

/** A pair of connected sockets over which a child process sends one descriptor. */
final class DescriptorSocket implements AutoCloseable {
  private static final int AF_UNIX = 1;
  private static final int SOCK_STREAM = 1;
  private static final int SOCK_CLOEXEC = 02000000;
  private static final int MSG_CMSG_CLOEXEC = 0x40000000;

  private final int own;
  private int child;

  private DescriptorSocket(int own, int child) {
    this.own = own;
    this.child = child;
  }

  static DescriptorSocket open() throws MountException {
    int[] pair = new int[2];
    if (LIBC.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      throw new MountException("socketpair: " + LibC.Native.message(LibC.Native.errno()));
    }
    return new DescriptorSocket(pair[0], pair[1]);
  }

  /** The child's end. */
  int childFd() {
    return child;
  }

  /** Closes the child's end here, so that the child's death is seen. */
  void closeChildSide() {
    if (child >= 0) {
      LIBC.close(child);
      child = -1;
    }
  }

  /**
   * Waits for the descriptor; -1 when the child ended without sending one, or sent something else,
   * which is let go. Owned by the caller.
   */
  int receive() {
    try (NativeArena arena = new NativeArena()) {
      ByteBuffer vector = arena.allocate(VECTOR_BYTES);
      ByteBuffer control = arena.allocate(CONTROL_BYTES);
      ByteBuffer message = arena.allocate(MSG_BYTES);
      vector.putLong(VECTOR_BASE, LibC.Native.address(arena.allocate(1)));
      vector.putLong(VECTOR_LENGTH, 1);
      message.putLong(MSG_VECTOR, LibC.Native.address(vector));
      message.putLong(MSG_VECTOR_COUNT, 1);
      message.putLong(MSG_CONTROL, LibC.Native.address(control));
      message.putLong(MSG_CONTROL_BYTES, CONTROL_BYTES);
      long bytes;
      do {
        bytes = LIBC.recvmsg(own, LibC.Native.address(message), MSG_CMSG_CLOEXEC);
      } while (bytes < 0 && LibC.Native.errno() == Errno.EINTR);
      if (bytes <= 0) {
        return -1;
      }
      int[] received =
          ControlMessageFormat.descriptors(control, message.getLong(MSG_CONTROL_BYTES));
      if (received.length == 1) {
        return received[0];
      }
      for (int descriptor : received) {
        LIBC.close(descriptor);
      }
      return -1;
    }
  }

  @Override
  public void close() {
    closeChildSide();
    LIBC.close(own);
  }
}
