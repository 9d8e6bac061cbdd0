package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Linux.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import jnr.ffi.Pointer;

/** A user, and the system calls made as such. All throw {@link ErrnoException}. Thread-safe. */
final class User extends PathCalls {
  static final User ROOT = new User(0, 0);

  /** A user without privileges; {@link #BOB} is not in her groups, but for the last one. */
  static final User ALICE = new User(64_001, 64_011, 64_012, 64_020);

  static final User BOB = new User(64_002, 64_021, 64_022, 64_020);

  private static final int DIRECTORY_BYTES = 32 << 10;

  private User(int uid, int gid, int... groups) {
    super(uid, gid, groups);
  }

  /**
   * An entry of a directory.
   *
   * @param offset where the directory continues behind it, for {@link #lseek}
   * @param type as in {@code d_type}
   */
  record Entry(long ino, long offset, int type, String name) {}

  /**
   * A lock as fcntl(2) tells it.
   *
   * @param start in bytes from the beginning of the file
   * @param length in bytes; 0 for all that follows
   */
  record Lock(short type, long start, long length, int pid) {}

  void close(int fd) {
    OpenFds.close(fd);
  }

  int dup(int fd) {
    return OpenFds.add((int) call(() -> C.dup(fd), "dup", fd));
  }

  Stat fstat(int fd) {
    return statx(fd, "", AT_EMPTY_PATH);
  }

  void ftruncate(int fd, long length) {
    call(() -> C.ftruncate(fd, length), "ftruncate", fd, length);
  }

  void fchmod(int fd, int mode) {
    call(() -> C.fchmod(fd, mode), "fchmod", fd, mode);
  }

  void futimens(int fd, long... times) {
    call(() -> C.futimens(fd, times), "futimens", fd);
  }

  void fchown(int fd, int uid, int gid) {
    call(() -> C.fchown(fd, uid, gid), "fchown", fd, uid, gid);
  }

  String read(int fd, int count) {
    byte[] bytes = new byte[count];
    return text(bytes, 0, (int) call(() -> C.read(fd, bytes, count), "read", fd, count));
  }

  String pread(int fd, int count, long offset) {
    byte[] bytes = new byte[count];
    int got = (int) call(() -> C.pread(fd, bytes, count, offset), "pread", fd, count, offset);
    return text(bytes, 0, got);
  }

  int write(int fd, String content) {
    byte[] bytes = content.getBytes(StandardCharsets.ISO_8859_1);
    return (int) call(() -> C.write(fd, bytes, bytes.length), "write", fd, bytes.length);
  }

  int pwrite(int fd, String content, long offset) {
    byte[] bytes = content.getBytes(StandardCharsets.ISO_8859_1);
    return (int)
        call(() -> C.pwrite(fd, bytes, bytes.length, offset), "pwrite", fd, bytes.length, offset);
  }

  /** A transfer between a file and memory. */
  long pread(int fd, Pointer memory, long count, long offset) {
    return call(() -> C.pread(fd, memory.address(), count, offset), "pread", fd, count, offset);
  }

  long pwrite(int fd, Pointer memory, long count, long offset) {
    return call(() -> C.pwrite(fd, memory.address(), count, offset), "pwrite", fd, count, offset);
  }

  long lseek(int fd, long offset, int whence) {
    return call(() -> C.lseek(fd, offset, whence), "lseek", fd, offset, whence);
  }

  void fallocate(int fd, int mode, long offset, long length) {
    call(() -> C.fallocate(fd, mode, offset, length), "fallocate", fd, mode, offset, length);
  }

  /** Copies between two places; returns how much. */
  long copyFileRange(int fd, long offset, int toFd, long toOffset, long count) {
    long[] from = {offset};
    long[] to = {toOffset};
    return call(
        () -> C.copy_file_range(fd, from, toFd, to, count, 0),
        "copy_file_range",
        fd,
        offset,
        toFd,
        toOffset,
        count);
  }

  /** A command with an argument of this many bytes, which may be changed. */
  ByteBuffer ioctl(int fd, long request, ByteBuffer argument) {
    call(() -> C.ioctl(fd, request, argument.array()), "ioctl", fd, Long.toHexString(request));
    return argument;
  }

  /** The flags that chattr(1) sets. */
  int getFlags(String path) {
    int fd = open(path, O_RDONLY | O_NOFOLLOW);
    try {
      return ioctl(fd, FS_IOC_GETFLAGS, argument(Long.BYTES)).getInt(0);
    } finally {
      close(fd);
    }
  }

  void setFlags(String path, int flags) {
    int fd = open(path, O_RDONLY | O_NOFOLLOW);
    try {
      ioctl(fd, FS_IOC_SETFLAGS, argument(Long.BYTES).putInt(0, flags));
    } finally {
      close(fd);
    }
  }

  static ByteBuffer argument(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
  }

  void fsync(int fd) {
    call(() -> C.fsync(fd), "fsync", fd);
  }

  void fdatasync(int fd) {
    call(() -> C.fdatasync(fd), "fdatasync", fd);
  }

  void syncfs(int fd) {
    call(() -> C.syncfs(fd), "syncfs", fd);
  }

  /** Has the kernel drop what it holds of a file, so that the next read comes from below. */
  void uncache(int fd) {
    fsync(fd);
    C.posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  }

  /** Maps a part of a file. */
  Pointer mmap(int fd, long bytes, int protection, int flags, long offset) {
    long address =
        call(() -> C.mmap(0, bytes, protection, flags, fd, offset), "mmap", fd, bytes, flags);
    Mappings.add(address, bytes);
    return CLibrary.memory(address, bytes);
  }

  void munmap(Pointer memory) {
    Mappings.unmap(memory.address());
  }

  void msync(Pointer memory) {
    call(() -> C.msync(memory.address(), memory.size(), MS_SYNC), "msync");
  }

  void fsetxattr(int fd, String name, String value) {
    byte[] key = bytes(name);
    byte[] content = value.getBytes(StandardCharsets.ISO_8859_1);
    call(() -> C.fsetxattr(fd, key, content, content.length, 0), "fsetxattr", fd, name);
  }

  String fgetxattr(int fd, String name) {
    byte[] key = bytes(name);
    byte[] value = new byte[DIRECTORY_BYTES];
    int length = (int) call(() -> C.fgetxattr(fd, key, value, value.length), "fgetxattr", fd, name);
    return text(value, 0, length);
  }

  void fremovexattr(int fd, String name) {
    byte[] key = bytes(name);
    call(() -> C.fremovexattr(fd, key), "fremovexattr", fd, name);
  }

  /** The entries that one call of getdents64(2) gives; none at the end. */
  List<Entry> getdents(int fd, int room) {
    byte[] bytes = new byte[room];
    int length = (int) call(() -> C.getdents64(fd, bytes, room), "getdents64", fd, room);
    ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
    List<Entry> entries = new ArrayList<>();
    for (int at = 0; at < length; at += b.getShort(at + 16)) {
      int name = at + 19;
      int end = name;
      while (bytes[end] != 0) {
        end++;
      }
      entries.add(
          new Entry(b.getLong(at), b.getLong(at + 8), bytes[at + 18], text(bytes, name, end)));
    }
    return entries;
  }

  /** All entries from here to the end. */
  List<Entry> restOfDirectory(int fd) {
    List<Entry> all = new ArrayList<>();
    for (List<Entry> part; !(part = getdents(fd, DIRECTORY_BYTES)).isEmpty(); ) {
      all.addAll(part);
    }
    return all;
  }

  /** The names in a directory but for {@code .} and {@code ..}, in the order of the alphabet. */
  List<String> names(String directory) {
    int fd = open(directory, O_RDONLY | O_DIRECTORY);
    List<String> names =
        restOfDirectory(fd).stream()
            .map(Entry::name)
            .filter(name -> !name.equals(".") && !name.equals(".."))
            .sorted()
            .toList();
    close(fd);
    return names;
  }

  void flock(int fd, int operation) {
    call(() -> C.flock(fd, operation), "flock", fd, operation);
  }

  long fcntl(int fd, int command, long argument) {
    return call(() -> C.fcntl(fd, command, argument), "fcntl", fd, command, argument);
  }

  /** Sets or asks for a lock, and returns what the kernel answers. */
  Lock lock(int fd, int command, short type, long start, long length) {
    ByteBuffer b = ByteBuffer.allocateDirect(32).order(ByteOrder.nativeOrder());
    b.putShort(0, type).putShort(2, (short) SEEK_SET).putLong(8, start).putLong(16, length);
    call(() -> C.fcntl(fd, command, b), "fcntl lock", fd, command, type, start, length);
    return new Lock(b.getShort(0), b.getLong(8), b.getLong(16), b.getInt(24));
  }
}
