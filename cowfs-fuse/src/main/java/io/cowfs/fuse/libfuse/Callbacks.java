package io.cowfs.fuse.libfuse;

import jnr.ffi.Pointer;
import jnr.ffi.annotations.Delegate;

/**
 * The shapes of the functions in {@code struct fuse_operations}. Those of jnr-fuse have paths that
 * are Strings, which names of any bytes do not survive, and lack an argument here and there. All
 * results are 0 or a count, or a negated errno.
 */
@SuppressWarnings("MemberName")
public final class Callbacks {
  private Callbacks() {}

  /** unlink, rmdir. */
  public interface Path {
    @Delegate
    int call(Pointer path);
  }

  /** mkdir, chmod. */
  public interface PathAndInt {
    @Delegate
    int call(Pointer path, int value);
  }

  /** truncate. */
  public interface PathAndLong {
    @Delegate
    int call(Pointer path, long value);
  }

  /** mknod. */
  public interface PathIntAndLong {
    @Delegate
    int call(Pointer path, int first, long second);
  }

  /** chown. */
  public interface PathAndTwoInts {
    @Delegate
    int call(Pointer path, int first, int second);
  }

  /** getattr, symlink, rename, link, open, release, statfs, removexattr, utimens and others. */
  public interface PathAndPointer {
    @Delegate
    int call(Pointer path, Pointer other);
  }

  /** fgetattr. */
  public interface PathAndTwoPointers {
    @Delegate
    int call(Pointer path, Pointer second, Pointer third);
  }

  /** readlink, listxattr. */
  public interface PathAndRoom {
    @Delegate
    int call(Pointer path, Pointer room, long bytes);
  }

  /** getxattr. */
  public interface PathNameAndRoom {
    @Delegate
    int call(Pointer path, Pointer name, Pointer room, long bytes);
  }

  /** setxattr. */
  public interface PathNameAndValue {
    @Delegate
    int call(Pointer path, Pointer name, Pointer value, long bytes, int flags);
  }

  /** create, fsync, fsyncdir. */
  public interface PathIntAndFile {
    @Delegate
    int call(Pointer path, int value, Pointer file);
  }

  /** ftruncate. */
  public interface PathLongAndFile {
    @Delegate
    int call(Pointer path, long value, Pointer file);
  }

  /** read, write. */
  public interface Transfer {
    @Delegate
    int call(Pointer path, Pointer data, long bytes, long offset, Pointer file);
  }

  /** readdir. */
  public interface ReadDirectory {
    @Delegate
    int call(Pointer path, Pointer buffer, Pointer filler, long offset, Pointer file);
  }

  /** fallocate. */
  public interface Allocate {
    @Delegate
    int call(Pointer path, int mode, long offset, long length, Pointer file);
  }

  /** init. */
  public interface Begin {
    @Delegate
    Pointer call(Pointer connection);
  }
}
