package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A descriptor of {@code /dev/fuse}. Reading and writing are thread-safe; the owner closes it when
 * no other thread uses it any more.
 */
public final class FuseDevice {
  private static final String PATH = "/dev/fuse";

  /** {@code _IOR(229, 0, uint32_t)}. */
  private static final long IOCTL_CLONE = 0x8004e500L;

  /** Of a {@code struct pollfd}. */
  static final int POLL_BYTES = 8;

  private static final short POLLIN = 1;

  private final int fd;

  /** Whether a read returns at once; the last setting where several threads read. */
  private volatile boolean nonBlocking;

  FuseDevice(int fd) {
    this.fd = fd;
  }

  /** Opens a descriptor that belongs to no mount yet. */
  static FuseDevice open() throws MountException {
    int fd = LIBC.open(LibC.Native.string(PATH), LibC.Native.O_RDWR | LibC.Native.O_CLOEXEC);
    if (fd < 0) {
      int errno = LibC.Native.errno();
      String hint = errno == Errno.ENOENT ? " (is the kernel module fuse loaded?)" : "";
      throw new MountException(PATH + ": " + LibC.Native.message(errno) + hint);
    }
    return new FuseDevice(fd);
  }

  int fd() {
    return fd;
  }

  /**
   * Another descriptor of the same mount with a queue of its own for requests in progress, or null
   * where the kernel or the permissions of the device do not let us have one.
   */
  FuseDevice cloned() {
    int cloneFd = LIBC.open(LibC.Native.string(PATH), LibC.Native.O_RDWR | LibC.Native.O_CLOEXEC);
    if (cloneFd < 0) {
      return null;
    }
    if (LIBC.ioctl(cloneFd, IOCTL_CLONE, new int[] {fd}) < 0) {
      LIBC.close(cloneFd);
      return null;
    }
    return new FuseDevice(cloneFd);
  }

  /**
   * Waits for a request.
   *
   * @param address of the request's buffer
   * @return bytes read, or a negated errno; EAGAIN only where another thread reads this descriptor
   */
  long read(Request request, long address) {
    setNonBlocking(false);
    return readAsSet(request, address);
  }

  /** The same, without waiting: EAGAIN where there is none. */
  long readAtOnce(Request request, long address) {
    setNonBlocking(true);
    return readAsSet(request, address);
  }

  private void setNonBlocking(boolean wanted) {
    if (nonBlocking != wanted) {
      nonBlocking = wanted;
      // All flags that F_SETFL knows and an open of this descriptor had: none.
      LIBC.fcntl(fd, LibC.Native.F_SETFL, wanted ? LibC.Native.O_NONBLOCK : 0);
    }
  }

  private long readAsSet(Request request, long address) {
    long bytes =
        LIBC.read(fd, address + Request.BEGIN, request.buffer().capacity() - Request.BEGIN);
    return bytes < 0 ? -LibC.Native.errno() : bytes;
  }

  /**
   * Whether there is a request that nobody has read yet.
   *
   * @param polled direct, of {@link #POLL_BYTES}; for this call alone
   */
  boolean hasRequest(ByteBuffer polled) {
    polled.order(ByteOrder.nativeOrder()).putInt(0, fd).putShort(4, POLLIN).putShort(6, (short) 0);
    return LIBC.poll(LibC.Native.address(polled), 1, 0) > 0 && (polled.getShort(6) & POLLIN) != 0;
  }

  /**
   * Sends a reply.
   *
   * @param address of the reply's buffer
   * @param bytes from {@link Reply#finish}
   * @return 0, or an errno when the kernel did not take it
   */
  int send(long address, int bytes) {
    return LIBC.write(fd, address + Reply.BEGIN, bytes) < 0 ? LibC.Native.errno() : 0;
  }

  /** Sends a message from the beginning of a direct buffer. Returns 0 or an errno. */
  int notify(ByteBuffer message, int bytes) {
    return LIBC.write(fd, LibC.Native.address(message), bytes) < 0 ? LibC.Native.errno() : 0;
  }

  void close() {
    LIBC.close(fd);
  }
}
