package io.cowfs.fuse.kernel;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Runtime;
import jnr.ffi.annotations.In;

/** System calls that java.nio does not offer, for the client side of tests. */
@SuppressWarnings("MemberName")
public interface TestLibC {
  TestLibC LIBC = LibraryLoader.create(TestLibC.class).load("c");

  int SEEK_DATA = 3;
  int SEEK_HOLE = 4;
  int RENAME_NOREPLACE = 1;
  int RENAME_EXCHANGE = 2;
  int AT_FDCWD = -100;
  int O_RDONLY = 0;
  int O_RDWR = 2;

  int open(@In byte[] path, int flags);

  int close(int fd);

  long lseek(int fd, long offset, int whence);

  int renameat2(int oldFd, @In byte[] old, int newFd, @In byte[] target, int flags);

  long pwrite(int fd, @In byte[] data, long bytes, long offset);

  long pread(int fd, @jnr.ffi.annotations.Out byte[] data, long bytes, long offset);

  long sendmsg(int fd, long message, int flags);

  static int errno() {
    return Runtime.getRuntime(LIBC).getLastError();
  }

  static byte[] path(java.nio.file.Path path) {
    return LibC.Native.string(path.toString());
  }
}
