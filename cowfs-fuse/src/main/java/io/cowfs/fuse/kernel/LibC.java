package io.cowfs.fuse.kernel;

import io.cowfs.core.memory.CLibrary;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.annotations.In;
import jnr.ffi.annotations.Out;

/**
 * The functions of the C library used here, under their C names. Addresses are longs; a result
 * below 0 means that {@link Native#errno} tells why. Thread-safe.
 */
@SuppressWarnings("MemberName")
public interface LibC {
  int open(@In byte[] path, int flags);

  int openat(int directory, @In byte[] path, int flags);

  int close(int fd);

  long read(int fd, long address, long bytes);

  int poll(long address, long count, int timeoutMs);

  int fcntl(int fd, int command, int argument);

  long write(int fd, long address, long bytes);

  int ioctl(int fd, long request, @In int[] argument);

  int mount(@In byte[] source, @In byte[] target, @In byte[] type, long flags, @In byte[] data);

  int umount2(@In byte[] target, int flags);

  int open_by_handle_at(int mountFd, @In byte[] handle, int flags);

  int sync_file_range(int fd, long offset, long bytes, int flags);

  int fdatasync(int fd);

  int truncate(@In byte[] path, long bytes);

  int utimensat(int directory, @In byte[] path, @In long[] times, int flags);

  int unshare(int flags);

  /** The last argument is one more than any system call here takes: jnr loses the one before. */
  long syscall(long number, long a, long b, long c, long d, long e, long f);

  int gettid();

  int geteuid();

  int getegid();

  int socketpair(int domain, int type, int protocol, @Out int[] fds);

  long recvmsg(int fd, long message, int flags);

  int pipe2(@Out int[] fds, int flags);

  int posix_spawn_file_actions_init(long actions);

  int posix_spawn_file_actions_adddup2(long actions, int fd, int newFd);

  int posix_spawn_file_actions_destroy(long actions);

  int posix_spawn(
      @Out int[] pid,
      @In byte[] path,
      long fileActions,
      long attributes,
      long arguments,
      long environment);

  int waitpid(int pid, @Out int[] status, int options);

  String strerror(int errno);

  /** The loaded library, and what belongs to it. */
  final class Native {
    static final LibC LIBC = CLibrary.bind(LibC.class);
    private static final Runtime RUNTIME = Runtime.getRuntime(LIBC);

    /* Flags of open(2), equal on x86-64 and arm64. */
    static final int O_RDONLY = 0;
    static final int O_WRONLY = 01;
    static final int O_RDWR = 02;
    static final int O_CLOEXEC = 02000000;

    /** Flag of open(2) and fcntl(2), equal on all architectures of asm-generic/fcntl.h. */
    static final int O_NONBLOCK = 04000;

    static final int F_SETFL = 4;

    /** Flag of open(2), equal on all architectures of asm-generic/fcntl.h. */
    static final int O_PATH = 010000000;

    /** The table of file descriptors. */
    static final int CLONE_FILES = 0x400;

    /** Instead of nanoseconds: the time stays as it is. */
    static final long UTIME_OMIT = (1L << 30) - 2;

    private Native() {}

    /** The errno of this thread's last call. */
    static int errno() {
      return RUNTIME.getLastError();
    }

    /** The text of an errno, in the C library's words. */
    static String message(int errno) {
      return LIBC.strerror(errno);
    }

    /** The address of a direct buffer's first byte; valid as long as the buffer is reachable. */
    static long address(java.nio.ByteBuffer direct) {
      return Pointer.wrap(RUNTIME, direct).address();
    }

    /** A C string in the encoding of this system's file names. */
    static byte[] string(String text) {
      String encoding = System.getProperty("sun.jnu.encoding", "UTF-8");
      byte[] bytes = text.getBytes(java.nio.charset.Charset.forName(encoding));
      return java.util.Arrays.copyOf(bytes, bytes.length + 1);
    }
  }
}
