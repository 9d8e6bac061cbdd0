package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Linux.*;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * System calls that take paths. Each character of a path is one byte, so that names of any bytes
 * can be written. All throw {@link ErrnoException}. Thread-safe.
 */
class PathCalls extends Credentials {
  private static final int XATTR_BYTES_MAX = 64 << 10;

  PathCalls(int uid, int gid, int... groups) {
    super(uid, gid, groups);
  }

  static byte[] bytes(String path) {
    byte[] bytes = path.getBytes(StandardCharsets.ISO_8859_1);
    return Arrays.copyOf(bytes, bytes.length + 1);
  }

  static String text(byte[] bytes, int from, int to) {
    return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
  }

  final int open(String path, int flags) {
    return open(path, flags, 0);
  }

  final int open(String path, int flags, int mode) {
    return openat(AT_FDCWD, path, flags, mode);
  }

  final int openat(int directory, String path, int flags, int mode) {
    byte[] name = bytes(path);
    return OpenFds.add(
        (int) call(() -> C.openat(directory, name, flags, mode), "openat", path, flags, mode));
  }

  final int creat(String path, int mode) {
    byte[] name = bytes(path);
    return OpenFds.add((int) call(() -> C.creat(name, mode), "creat", path, mode));
  }

  /** A file with this content, which is made or replaced. */
  final void put(String path, String content) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    byte[] all = content.getBytes(StandardCharsets.ISO_8859_1);
    call(() -> C.write(fd, all, all.length), "write", path);
    OpenFds.close(fd);
  }

  /** A new empty file with exactly these permissions. */
  final String file(String path, int mode) {
    OpenFds.close(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
    chmod(path, mode);
    return path;
  }

  /** A new directory with exactly these permissions. */
  final String directory(String path, int mode) {
    mkdir(path, 0700);
    chmod(path, mode);
    return path;
  }

  final void mknod(String path, int mode, long device) {
    byte[] name = bytes(path);
    call(() -> C.mknodat(AT_FDCWD, name, mode, device), "mknod", path, mode);
  }

  final void mkdir(String path, int mode) {
    mkdirat(AT_FDCWD, path, mode);
  }

  final void mkdirat(int directory, String path, int mode) {
    byte[] name = bytes(path);
    call(() -> C.mkdirat(directory, name, mode), "mkdirat", path, mode);
  }

  final void link(String path, String newPath) {
    linkat(AT_FDCWD, path, AT_FDCWD, newPath, 0);
  }

  final void linkat(int directory, String path, int newDirectory, String newPath, int flags) {
    byte[] name = bytes(path);
    byte[] newName = bytes(newPath);
    call(
        () -> C.linkat(directory, name, newDirectory, newName, flags),
        "linkat",
        path,
        newPath,
        flags);
  }

  final void symlink(String target, String path) {
    byte[] content = bytes(target);
    byte[] name = bytes(path);
    call(() -> C.symlinkat(content, AT_FDCWD, name), "symlink", target, path);
  }

  final String readlink(String path) {
    return readlink(path, PATH_MAX);
  }

  final String readlink(String path, int room) {
    byte[] name = bytes(path);
    byte[] target = new byte[Math.max(1, room)];
    int length =
        (int) call(() -> C.readlinkat(AT_FDCWD, name, target, room), "readlink", path, room);
    return text(target, 0, length);
  }

  final void unlink(String path) {
    unlinkat(AT_FDCWD, path, 0);
  }

  final void rmdir(String path) {
    unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
  }

  final void unlinkat(int directory, String path, int flags) {
    byte[] name = bytes(path);
    call(() -> C.unlinkat(directory, name, flags), "unlinkat", path, flags);
  }

  final void rename(String path, String newPath) {
    rename(path, newPath, 0);
  }

  final void rename(String path, String newPath, int flags) {
    byte[] name = bytes(path);
    byte[] newName = bytes(newPath);
    call(
        () -> C.renameat2(AT_FDCWD, name, AT_FDCWD, newName, flags),
        "renameat2",
        path,
        newPath,
        flags);
  }

  final void truncate(String path, long length) {
    byte[] name = bytes(path);
    call(() -> C.truncate(name, length), "truncate", path, length);
  }

  final void chmod(String path, int mode) {
    byte[] name = bytes(path);
    call(() -> C.chmod(name, mode), "chmod", path, Integer.toOctalString(mode));
  }

  final void fchmodat2(int directory, String path, int mode, int flags) {
    byte[] name = bytes(path);
    call(
        () -> C.syscall(SYS_FCHMODAT2, directory, name, mode, flags),
        "fchmodat2",
        path,
        mode,
        flags);
  }

  final void chown(String path, int uid, int gid) {
    fchownat(AT_FDCWD, path, uid, gid, 0);
  }

  final void lchown(String path, int uid, int gid) {
    fchownat(AT_FDCWD, path, uid, gid, AT_SYMLINK_NOFOLLOW);
  }

  final void fchownat(int directory, String path, int uid, int gid, int flags) {
    byte[] name = bytes(path);
    call(() -> C.fchownat(directory, name, uid, gid, flags), "fchownat", path, uid, gid, flags);
  }

  final void access(String path, int mode) {
    faccessat2(AT_FDCWD, path, mode, 0);
  }

  final void faccessat2(int directory, String path, int mode, int flags) {
    byte[] name = bytes(path);
    call(
        () -> C.syscall(SYS_FACCESSAT2, directory, name, mode, flags),
        "faccessat2",
        path,
        mode,
        flags);
  }

  /**
   * Sets both times.
   *
   * @param times seconds and nanoseconds of the access, then of the modification; or null for now
   */
  final void utimensat(int directory, String path, long[] times, int flags) {
    byte[] name = bytes(path);
    call(
        () -> C.utimensat(directory, name, times, flags),
        "utimensat",
        path,
        Arrays.toString(times),
        flags);
  }

  /** Sets both times of a file. */
  final void utimens(String path, long... times) {
    utimensat(AT_FDCWD, path, times.length == 0 ? null : times, 0);
  }

  final Stat stat(String path) {
    return statx(AT_FDCWD, path, 0);
  }

  final Stat lstat(String path) {
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
  }

  final Stat statx(int directory, String path, int flags) {
    byte[] name = bytes(path);
    ByteBuffer result = ByteBuffer.allocateDirect(Stat.BYTES);
    call(() -> C.statx(directory, name, flags, Stat.WANTED, result), "statx", path, flags);
    return Stat.of(result);
  }

  /** True when there is such a name, if only a symbolic link that leads nowhere. */
  final boolean exists(String path) {
    try {
      lstat(path);
      return true;
    } catch (ErrnoException e) {
      if (e.errnoName().equals(Errno.ENOENT.name())) {
        return false;
      }
      throw e;
    }
  }

  /** The longs of {@code struct statfs}, as on 64-bit machines. */
  final long[] statfs(String path) {
    byte[] name = bytes(path);
    ByteBuffer result =
        ByteBuffer.allocateDirect(Stat.BYTES).order(java.nio.ByteOrder.nativeOrder());
    call(() -> C.statfs(name, result), "statfs", path);
    long[] fields = new long[12];
    result.asLongBuffer().get(fields);
    return fields;
  }

  final void setxattr(String path, String name, byte[] value, int flags) {
    byte[] at = bytes(path);
    byte[] key = bytes(name);
    call(() -> C.setxattr(at, key, value, value.length, flags), "setxattr", path, name, flags);
  }

  final void setxattr(String path, String name, String value) {
    setxattr(path, name, value.getBytes(StandardCharsets.ISO_8859_1), 0);
  }

  final void lsetxattr(String path, String name, String value) {
    byte[] at = bytes(path);
    byte[] key = bytes(name);
    byte[] content = value.getBytes(StandardCharsets.ISO_8859_1);
    call(() -> C.lsetxattr(at, key, content, content.length, 0), "lsetxattr", path, name);
  }

  final String getxattr(String path, String name) {
    byte[] at = bytes(path);
    byte[] key = bytes(name);
    byte[] value = new byte[XATTR_BYTES_MAX];
    int length = (int) call(() -> C.getxattr(at, key, value, value.length), "getxattr", path, name);
    return text(value, 0, length);
  }

  /** The length that getxattr(2) answers when it is given so much room. */
  final int getxattr(String path, String name, int room) {
    byte[] at = bytes(path);
    byte[] key = bytes(name);
    byte[] value = room == 0 ? null : new byte[room];
    return (int) call(() -> C.getxattr(at, key, value, room), "getxattr", path, name, room);
  }

  final String lgetxattr(String path, String name) {
    byte[] at = bytes(path);
    byte[] key = bytes(name);
    byte[] value = new byte[XATTR_BYTES_MAX];
    int length =
        (int) call(() -> C.lgetxattr(at, key, value, value.length), "lgetxattr", path, name);
    return text(value, 0, length);
  }

  /** The names of the attributes, in the order of the alphabet. */
  final List<String> listxattr(String path) {
    byte[] at = bytes(path);
    byte[] names = new byte[XATTR_BYTES_MAX];
    int length = (int) call(() -> C.listxattr(at, names, names.length), "listxattr", path);
    List<String> list = new ArrayList<>();
    for (int from = 0, to = 0; to < length; to++) {
      if (names[to] == 0) {
        list.add(text(names, from, to));
        from = to + 1;
      }
    }
    list.sort(null);
    return list;
  }

  /** The length that listxattr(2) answers when it is given so much room. */
  final int listxattr(String path, int room) {
    byte[] at = bytes(path);
    byte[] names = room == 0 ? null : new byte[room];
    return (int) call(() -> C.listxattr(at, names, room), "listxattr", path, room);
  }

  final void removexattr(String path, String name) {
    byte[] at = bytes(path);
    byte[] key = bytes(name);
    call(() -> C.removexattr(at, key), "removexattr", path, name);
  }

  final void lremovexattr(String path, String name) {
    byte[] at = bytes(path);
    byte[] key = bytes(name);
    call(() -> C.lremovexattr(at, key), "lremovexattr", path, name);
  }

  /** Shows a directory at another place too, with the flags of mount(2). */
  final void bind(String path, String mountPoint, long flags) {
    byte[] source = bytes(path);
    byte[] target = bytes(mountPoint);
    call(() -> C.mount(source, target, null, MS_BIND, null), "mount", path, mountPoint);
    if (flags != 0) {
      long remount = MS_BIND | MS_REMOUNT | flags;
      call(() -> C.mount(source, target, null, remount, null), "remount", mountPoint, flags);
    }
  }

  final void unmount(String mountPoint) {
    byte[] target = bytes(mountPoint);
    call(() -> C.umount2(target, MNT_DETACH), "umount2", mountPoint);
  }
}
