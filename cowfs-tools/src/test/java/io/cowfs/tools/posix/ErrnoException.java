package io.cowfs.tools.posix;

/** A system call failed. */
final class ErrnoException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  ErrnoException(int errno, String call) {
    super(call + ": " + Errno.name(errno));
    this.errno = errno;
  }

  /** The name of the errno, as in {@code ENOENT}. */
  String errnoName() {
    return Errno.name(errno);
  }
}
