package io.cowfs.core.device;

import io.cowfs.core.memory.CLibrary;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import jnr.constants.platform.Errno;
import jnr.constants.platform.OpenFlags;
import jnr.ffi.LastError;
import jnr.ffi.Runtime;
import jnr.ffi.types.off_t;

/**
 * fallocate(2) on one file, through a descriptor of its own. Creating the first instance binds the
 * C library. Thread-safe. Of its owner, who closes it after the last call.
 */
public final class HostSpace implements Closeable {
  /** From linux/falloc.h. */
  private static final int FALLOC_FL_KEEP_SIZE = 0x01;

  private static final int FALLOC_FL_PUNCH_HOLE = 0x02;

  /** The functions needed; public because the binding implements it in a class of its own. */
  public interface LibC {
    int open(String path, int flags);

    int close(int descriptor);

    int fallocate(int descriptor, int mode, @off_t long offset, @off_t long length);
  }

  private static final class Binding {
    static final LibC LIBC = CLibrary.bind(LibC.class);
    static final Runtime RUNTIME = Runtime.getRuntime(LIBC);

    private Binding() {}
  }

  private final Path file;
  private final int descriptor;
  private volatile boolean unsupported;

  /** Guarded by this. */
  private boolean closed;

  /** Opens the file, which must exist. */
  public HostSpace(Path file) throws IOException {
    this.file = file;
    int flags = OpenFlags.O_RDWR.intValue() | OpenFlags.O_CLOEXEC.intValue();
    descriptor = Binding.LIBC.open(file.toString(), flags);
    if (descriptor < 0) {
      throw new IOException(file + ": " + lastError().description());
    }
  }

  /**
   * Whether a block device can be opened for oneself alone (O_EXCL): nothing of it is mounted, and
   * neither swap nor a volume manager has it.
   */
  static boolean isUnused(Path blockDevice) throws IOException {
    int flags =
        OpenFlags.O_RDWR.intValue() | OpenFlags.O_CLOEXEC.intValue() | OpenFlags.O_EXCL.intValue();
    int descriptor = Binding.LIBC.open(blockDevice.toString(), flags);
    if (descriptor >= 0) {
      Binding.LIBC.close(descriptor);
      return true;
    }
    Errno errno = lastError();
    if (errno == Errno.EBUSY) {
      return false;
    }
    throw new IOException(blockDevice + ": " + errno.description());
  }

  /**
   * Allocates blocks for the range; the file grows to hold it. Does nothing where the host cannot.
   *
   * @param offset in bytes, as is the length
   * @throws HostFullException when the host has no room for it
   */
  public void allocate(long offset, long length) throws IOException {
    call(0, offset, length);
  }

  /** Frees the blocks of the range; it reads as zeros; the file keeps its size. */
  void punch(long offset, long length) throws IOException {
    call(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
  }

  private void call(int mode, long offset, long length) throws IOException {
    while (!unsupported && Binding.LIBC.fallocate(descriptor, mode, offset, length) != 0) {
      Errno errno = lastError();
      switch (errno) {
        case EINTR -> {}
        case EOPNOTSUPP, ENOTSUP, ENOSYS, ENODEV -> unsupported = true;
        case ENOSPC, EDQUOT, EFBIG ->
            throw new HostFullException(
                file + ": no space left on the host file system: " + errno.description(),
                new IOException(errno.description()));
        default -> throw new IOException(file + ": " + errno.description());
      }
    }
  }

  private static Errno lastError() {
    return Errno.valueOf(LastError.getLastError(Binding.RUNTIME));
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      Binding.LIBC.close(descriptor);
    }
  }
}
