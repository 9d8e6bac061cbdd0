package io.cowfs.tools.exerciser;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Linux.*;

import io.cowfs.tools.posix.CLibrary;
import io.cowfs.tools.posix.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import jnr.ffi.Pointer;

/**
 * A file, and what it must contain. It begins at {@code base}, before which there is a hole, and
 * has at most {@link #CAPACITY} bytes from there; all offsets are relative to it. Owned by one
 * thread at a time.
 */
final class ExercisedFile implements AutoCloseable {
  static final int CAPACITY = 192 << 10;
  static final int PAGE = 4096;

  private static final int STAT_SIZE = 40;

  private final Path path;
  private final long base;
  private final OperationLog log = new OperationLog();
  private final Memory memory = new Memory(CAPACITY);
  private final byte[] got = new byte[CAPACITY];

  /** Zeros behind {@code size}. */
  private final byte[] expected = new byte[CAPACITY];

  private int size;

  private int fd = -1;
  private int direct = -1;
  private Pointer mapped;

  /** A file that is not there yet. */
  ExercisedFile(Path path, long base) {
    this.path = path;
    this.base = base;
    open(O_CREAT | O_EXCL);
    check(C.ftruncate(fd, base), "ftruncate");
  }

  /** The state of a file at some moment. */
  record State(byte[] content) {}

  State state() {
    return new State(Arrays.copyOf(expected, size));
  }

  /** The file was brought back to what it was. */
  void restored(State state) {
    log.add("rollback", 0, CAPACITY);
    size = state.content.length;
    Arrays.fill(expected, (byte) 0);
    System.arraycopy(state.content, 0, expected, 0, size);
  }

  Path path() {
    return path;
  }

  int size() {
    return size;
  }

  private void open(int flags) {
    fd = (int) check(C.openat(AT_FDCWD, name(path), O_RDWR | flags, 0600), "open");
  }

  private static byte[] name(Path path) {
    return (path + "\0").getBytes(StandardCharsets.UTF_8);
  }

  private int directFd() {
    if (direct < 0) {
      direct = (int) check(C.openat(AT_FDCWD, name(path), O_RDWR | O_DIRECT, 0), "open O_DIRECT");
    }
    return direct;
  }

  private Pointer mapping() {
    if (mapped == null) {
      long address =
          check(C.mmap(0, CAPACITY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, base), "mmap");
      mapped = CLibrary.memory(address, CAPACITY);
    }
    return mapped;
  }

  void unmap() {
    if (mapped != null) {
      log.add("munmap", 0, CAPACITY);
      check(C.munmap(mapped.address(), CAPACITY), "munmap");
      mapped = null;
    }
  }

  /** Closes the descriptors; the mapping, if there is one, stays. */
  void reopen(int flags) {
    log.add("reopen with flags 0" + Integer.toOctalString(flags), 0, CAPACITY);
    closeFds();
    open(flags);
  }

  private void closeFds() {
    check(C.close(fd), "close");
    fd = -1;
    if (direct >= 0) {
      check(C.close(direct), "close");
      direct = -1;
    }
  }

  void read(int offset, int count) {
    log.add("read", offset, offset + count);
    compare(check(C.pread(fd, memory.address(), count, base + offset), "pread"), offset, count);
  }

  /** With two vectors. */
  void readVectors(int offset, int count) {
    log.add("readv", offset, offset + count);
    check(C.lseek(fd, base + offset, SEEK_SET), "lseek");
    long half = count / 2;
    long[] vectors = {memory.address(), half, memory.address() + half, count - half};
    compare(check(C.readv(fd, vectors, 2), "readv"), offset, count);
  }

  void readDirect(int offset, int count) {
    log.add("read O_DIRECT", offset, offset + count);
    long result = C.pread(directFd(), memory.address(), count, base + offset);
    compare(check(result, "pread O_DIRECT"), offset, count);
  }

  private void compare(long bytes, int offset, int count) {
    int wanted = Math.max(0, Math.min(count, size - offset));
    if (bytes != wanted) {
      fail(offset, offset + count, "read " + bytes + " bytes and not " + wanted);
    }
    memory.get(got, 0, wanted);
    compareContent(offset, wanted);
  }

  private void compareContent(int offset, int count) {
    int first = Arrays.mismatch(got, 0, count, expected, offset, offset + count);
    if (first < 0) {
      return;
    }
    int last = count - 1;
    while (got[last] == expected[offset + last]) {
      last--;
    }
    String found = hex(got, first);
    String wanted = hex(expected, offset + first);
    fail(offset + first, offset + last + 1, "found " + found + "... instead of " + wanted);
  }

  private static String hex(byte[] bytes, int from) {
    StringBuilder text = new StringBuilder();
    for (int i = from; i < Math.min(bytes.length, from + 8); i++) {
      text.append(String.format("%02x ", bytes[i]));
    }
    return text.toString();
  }

  /** Reads through the mapping; nothing when the file ends before. */
  void readMapped(int offset, int count) {
    int there = Math.min(count, size - offset);
    if (there <= 0) {
      return;
    }
    log.add("read mapped", offset, offset + there);
    mapping().get(offset, got, 0, there);
    compareContent(offset, there);
  }

  void write(int offset, byte[] data) {
    wrote("write", offset, data);
    memory.put(data, 0, data.length);
    all(C.pwrite(fd, memory.address(), data.length, base + offset), data.length, "pwrite");
  }

  void writeVectors(int offset, byte[] data) {
    wrote("writev", offset, data);
    memory.put(data, 0, data.length);
    check(C.lseek(fd, base + offset, SEEK_SET), "lseek");
    long half = data.length / 2;
    long[] vectors = {memory.address(), half, memory.address() + half, data.length - half};
    all(C.writev(fd, vectors, 2), data.length, "writev");
  }

  void writeDirect(int offset, byte[] data) {
    wrote("write O_DIRECT", offset, data);
    memory.put(data, 0, data.length);
    long result = C.pwrite(directFd(), memory.address(), data.length, base + offset);
    all(result, data.length, "pwrite O_DIRECT");
  }

  /** Over a descriptor with O_APPEND. */
  void append(byte[] data) {
    wrote("append", size, data);
    int appending =
        (int) check(C.openat(AT_FDCWD, name(path), O_WRONLY | O_APPEND, 0), "open O_APPEND");
    memory.put(data, 0, data.length);
    all(C.write(appending, memory.address(), data.length), data.length, "write O_APPEND");
    check(C.close(appending), "close");
  }

  private void wrote(String operation, int offset, byte[] data) {
    log.add(operation, offset, offset + data.length);
    System.arraycopy(data, 0, expected, offset, data.length);
    size = Math.max(size, offset + data.length);
  }

  /** Writes through the mapping, as far as the file goes. */
  void writeMapped(int offset, byte[] data) {
    int there = Math.min(data.length, size - offset);
    if (there <= 0) {
      return;
    }
    log.add("write mapped", offset, offset + there);
    mapping().put(offset, data, 0, there);
    System.arraycopy(data, 0, expected, offset, there);
  }

  /** From the beginning of a page. */
  void msync(int offset, int count, int flags) {
    if (mapped != null) {
      log.add("msync", offset, offset + count);
      check(C.msync(mapped.address() + offset / PAGE * PAGE, count, flags), "msync");
    }
  }

  void truncate(int newSize) {
    log.add("ftruncate from " + size, Math.min(size, newSize), Math.max(size, newSize));
    check(C.ftruncate(fd, base + newSize), "ftruncate");
    if (newSize < size) {
      Arrays.fill(expected, newSize, size, (byte) 0);
    }
    size = newSize;
  }

  void punch(int offset, int count) {
    log.add("punch", offset, offset + count);
    int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    check(C.fallocate(fd, mode, base + offset, count), "punch");
    zeroed(offset, count);
  }

  void zero(int offset, int count, boolean keepSize) {
    log.add(keepSize ? "zero KEEP_SIZE" : "zero", offset, offset + count);
    int mode = FALLOC_FL_ZERO_RANGE | (keepSize ? FALLOC_FL_KEEP_SIZE : 0);
    check(C.fallocate(fd, mode, base + offset, count), "zero");
    zeroed(offset, count);
    if (!keepSize) {
      size = Math.max(size, offset + count);
    }
  }

  private void zeroed(int offset, int count) {
    if (offset < size) {
      Arrays.fill(expected, offset, Math.min(size, offset + count), (byte) 0);
    }
  }

  void allocate(int offset, int count, boolean keepSize) {
    log.add(keepSize ? "fallocate KEEP_SIZE" : "fallocate", offset, offset + count);
    int mode = keepSize ? FALLOC_FL_KEEP_SIZE : 0;
    check(C.fallocate(fd, mode, base + offset, count), "fallocate");
    if (!keepSize) {
      size = Math.max(size, offset + count);
    }
  }

  /** Copies a range from this or another file into this one; ranges in one file are disjoint. */
  void copyFrom(ExercisedFile source, int from, int to, int count) {
    int wanted = Math.max(0, Math.min(count, source.size - from));
    source.log.add("copied to " + path.getFileName() + " at " + to, from, from + count);
    log.add("copy from " + source.path.getFileName() + " at " + from, to, to + wanted);
    int done = 0;
    while (done < wanted) {
      long[] fromOffset = {source.base + from + done};
      long[] toOffset = {base + to + done};
      long part =
          check(
              C.copy_file_range(source.fd, fromOffset, fd, toOffset, wanted - done, 0),
              "copy_file_range");
      if (part == 0 || part > wanted - done) {
        fail(to, to + count, "copied " + part + " of " + (wanted - done) + " bytes");
      }
      done += (int) part;
    }
    System.arraycopy(source.expected, from, expected, to, wanted);
    size = wanted == 0 ? size : Math.max(size, to + wanted);
  }

  void sync(boolean dataOnly) {
    log.add(dataOnly ? "fdatasync" : "fsync", 0, CAPACITY);
    check(dataOnly ? C.fdatasync(fd) : C.fsync(fd), "fsync");
  }

  /** Has the kernel forget what it holds of a range and need not write. */
  void forget(int offset, int count) {
    log.add("fadvise DONTNEED", offset, offset + count);
    check(C.posix_fadvise(fd, base + offset, count, POSIX_FADV_DONTNEED), "fadvise");
  }

  void checkSize() {
    ByteBuffer stat = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());
    check(C.statx(fd, new byte[1], AT_EMPTY_PATH, 0x7ff, stat), "statx");
    long found = stat.getLong(STAT_SIZE);
    if (found != base + size) {
      fail(0, CAPACITY, "size " + (found - base) + " and not " + size);
    }
  }

  /** What the file calls a hole from an offset on has only zeros. */
  void checkHoles(int offset) {
    if (offset >= size) {
      return;
    }
    log.add("seek", offset, size);
    long data = C.lseek(fd, base + offset, SEEK_DATA);
    if (data < 0 && CLibrary.errno() != Errno.ENXIO.number()) {
      check(data, "SEEK_DATA");
    }
    int begin = data < 0 ? size : (int) (data - base);
    for (int i = offset; i < begin; i++) {
      if (expected[i] != 0) {
        fail(i, i + 1, "SEEK_DATA from " + offset + " finds " + begin + ", past data at " + i);
      }
    }
    if (begin == size) {
      return;
    }
    long hole = check(C.lseek(fd, base + begin, SEEK_HOLE), "SEEK_HOLE") - base;
    if (hole <= begin || hole > size) {
      fail(begin, size, "SEEK_HOLE from data at " + begin + " finds " + hole);
    }
    for (int i = (int) hole; i < Math.min(size, hole + 1); i++) {
      if (expected[i] != 0) {
        fail(i, i + 1, "SEEK_HOLE from " + begin + " finds data at " + hole);
      }
    }
  }

  /** All of the file. */
  void verify() {
    checkSize();
    read(0, CAPACITY);
  }

  /** All of another file, which is a copy of this one from when it had that state. */
  void verifyCopy(Path copy, State state) {
    int other = (int) check(C.openat(AT_FDCWD, name(copy), O_RDONLY, 0), "open " + copy);
    long bytes = C.pread(other, memory.address(), CAPACITY, base);
    check(C.close(other), "close");
    if (bytes != state.content.length) {
      fail(0, CAPACITY, copy + " has " + bytes + " bytes and not " + state.content.length);
    }
    memory.get(got, 0, (int) bytes);
    int first = Arrays.mismatch(got, 0, (int) bytes, state.content, 0, (int) bytes);
    if (first >= 0) {
      String found = hex(got, first);
      fail(first, first + 1, copy + ": " + found + "and not " + hex(state.content, first));
    }
  }

  /** Gives up all that would keep the mount busy. */
  void letGo() {
    unmap();
    closeFds();
  }

  void takeUp() {
    open(0);
  }

  @Override
  public void close() {
    if (mapped != null) {
      C.munmap(mapped.address(), CAPACITY);
    }
    if (fd >= 0) {
      C.close(fd);
    }
    if (direct >= 0) {
      C.close(direct);
    }
    memory.close();
  }

  private long check(long result, String call) {
    if (result < 0) {
      fail(0, CAPACITY, call + ": " + Errno.name(CLibrary.errno()));
    }
    return result;
  }

  private void all(long result, int count, String call) {
    if (check(result, call) != count) {
      fail(0, CAPACITY, call + ": " + result + " of " + count + " bytes");
    }
  }

  private void fail(long from, long to, String message) {
    throw new AssertionError(
        path
            + " (base "
            + base
            + ", size "
            + size
            + ") in ["
            + from
            + ", "
            + to
            + "): "
            + message
            + "\n"
            + log.around(from, to));
  }
}
