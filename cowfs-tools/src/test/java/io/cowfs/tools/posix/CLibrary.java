package io.cowfs.tools.posix;

import java.nio.ByteBuffer;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.annotations.In;
import jnr.ffi.annotations.Out;

/**
 * The functions of the C library under their C names. Addresses are longs, strings end with NUL. A
 * result below 0 means that {@link #errno} tells why. Public for the library that implements it.
 * Thread-safe.
 */
@SuppressWarnings("MemberName")
public interface CLibrary {
  CLibrary C = LibraryLoader.create(CLibrary.class).load("c");

  /** The errno of this thread's last call. */
  static int errno() {
    return Runtime.getRuntime(C).getLastError();
  }

  /** Memory that the kernel mapped. */
  static Pointer memory(long address, long bytes) {
    return Pointer.wrap(Runtime.getRuntime(C), address, bytes);
  }

  long syscall(long number, long a, long b, long c);

  long syscall(long number, long a, @In byte[] b, long c, long d);

  long syscall(long number, long a, @In int[] b);

  long syscall(long number, long a, long b, long c, long d, long e, long f);

  int openat(int directory, @In byte[] path, int flags, int mode);

  int creat(@In byte[] path, int mode);

  int close(int fd);

  int dup(int fd);

  int pipe2(@Out int[] fds, int flags);

  int mknodat(int directory, @In byte[] path, int mode, long device);

  int mkdirat(int directory, @In byte[] path, int mode);

  int linkat(int directory, @In byte[] path, int newDirectory, @In byte[] newPath, int flags);

  int symlinkat(@In byte[] target, int directory, @In byte[] path);

  long readlinkat(int directory, @In byte[] path, @Out byte[] target, long bytes);

  int unlinkat(int directory, @In byte[] path, int flags);

  int renameat2(int directory, @In byte[] path, int newDirectory, @In byte[] newPath, int flags);

  int truncate(@In byte[] path, long bytes);

  int ftruncate(int fd, long bytes);

  int chmod(@In byte[] path, int mode);

  int fchmod(int fd, int mode);

  int fchownat(int directory, @In byte[] path, int uid, int gid, int flags);

  int fchown(int fd, int uid, int gid);

  int utimensat(int directory, @In byte[] path, @In long[] times, int flags);

  int futimens(int fd, @In long[] times);

  int statx(int directory, @In byte[] path, int flags, int mask, @Out ByteBuffer result);

  int statfs(@In byte[] path, @Out ByteBuffer result);

  long read(int fd, @Out byte[] bytes, long count);

  long read(int fd, long address, long count);

  long write(int fd, @In byte[] bytes, long count);

  long write(int fd, long address, long count);

  long pread(int fd, @Out byte[] bytes, long count, long offset);

  long pread(int fd, long address, long count, long offset);

  long pwrite(int fd, @In byte[] bytes, long count, long offset);

  long pwrite(int fd, long address, long count, long offset);

  long readv(int fd, @In long[] vectors, int count);

  long writev(int fd, @In long[] vectors, int count);

  long lseek(int fd, long offset, int whence);

  int fallocate(int fd, int mode, long offset, long bytes);

  long copy_file_range(
      int fd, @In @Out long[] offset, int toFd, @In @Out long[] toOffset, long bytes, int flags);

  int ioctl(int fd, long request, @In @Out byte[] argument);

  int name_to_handle_at(
      int directory, @In byte[] path, @In @Out byte[] handle, @Out int[] mountId, int flags);

  int open_by_handle_at(int mountFd, @In byte[] handle, int flags);

  int inotify_init1(int flags);

  int inotify_add_watch(int fd, @In byte[] path, int mask);

  int swapon(@In byte[] path, int flags);

  int posix_fadvise(int fd, long offset, long bytes, int advice);

  int chdir(@In byte[] path);

  int fsync(int fd);

  int fdatasync(int fd);

  int syncfs(int fd);

  /** jnr-ffi loses the last of six plain arguments on x86-64; it does not with seven. */
  default long mmap(long address, long bytes, int protection, int flags, int fd, long offset) {
    return syscall(Linux.SYS_MMAP, address, bytes, protection, flags, fd, offset);
  }

  int munmap(long address, long bytes);

  int msync(long address, long bytes, int flags);

  int setxattr(@In byte[] path, @In byte[] name, @In byte[] value, long bytes, int flags);

  int lsetxattr(@In byte[] path, @In byte[] name, @In byte[] value, long bytes, int flags);

  int fsetxattr(int fd, @In byte[] name, @In byte[] value, long bytes, int flags);

  long getxattr(@In byte[] path, @In byte[] name, @Out byte[] value, long bytes);

  long lgetxattr(@In byte[] path, @In byte[] name, @Out byte[] value, long bytes);

  long fgetxattr(int fd, @In byte[] name, @Out byte[] value, long bytes);

  long listxattr(@In byte[] path, @Out byte[] names, long bytes);

  long llistxattr(@In byte[] path, @Out byte[] names, long bytes);

  int removexattr(@In byte[] path, @In byte[] name);

  int lremovexattr(@In byte[] path, @In byte[] name);

  int fremovexattr(int fd, @In byte[] name);

  long getdents64(int fd, @Out byte[] entries, long bytes);

  int flock(int fd, int operation);

  int fcntl(int fd, int command, long argument);

  int fcntl(int fd, int command, @In @Out ByteBuffer lock);

  int mount(@In byte[] source, @In byte[] target, @In byte[] type, long flags, @In byte[] data);

  int umount2(@In byte[] target, int flags);

  int umask(int mask);

  int unshare(int flags);

  int getrlimit(int resource, @Out long[] limits);

  int setrlimit(int resource, @In long[] limits);

  int socket(int domain, int type, int protocol);

  int bind(int socket, @In byte[] address, int bytes);
}
