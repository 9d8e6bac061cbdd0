package io.cowfs.tools.differential;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Linux.*;

import io.cowfs.tools.differential.CallGenerator.Made;
import io.cowfs.tools.posix.CLibrary;
import io.cowfs.tools.posix.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.TreeSet;
import jnr.ffi.Pointer;

/** Random calls on open files. */
final class FileCalls {
  private static final int PAGE = 4096;
  private static final long FAR = 1L << 40;
  private static final int BYTES_MAX = 9_000;

  private final SplittableRandom random;

  FileCalls(SplittableRandom random) {
    this.random = random;
  }

  Made next() {
    int slot = random.nextInt(Actor.SLOTS);
    return switch (random.nextInt(24)) {
      case 0 -> close(slot);
      case 1, 2 -> read(slot);
      case 3, 4, 5 -> write(slot);
      case 6 -> pread(slot);
      case 7, 8 -> pwrite(slot);
      case 9 -> seek(slot);
      case 10 -> seekHole(slot);
      case 11 -> truncate(slot);
      case 12, 13 -> allocate(slot);
      case 14 -> chmodOrChown(slot);
      case 15 -> times(slot);
      case 16 -> list(slot);
      case 17 -> xattr(slot);
      case 18 -> sync(slot);
      case 19 -> lock(slot);
      case 20 -> lockRange(slot);
      case 21 -> mapped(slot);
      case 22 -> copy(slot);
      default -> dup(slot);
    };
  }

  private long offset() {
    long at = random.nextInt(5) == 0 ? random.nextInt(12) * PAGE : random.nextInt(24_000);
    return switch (random.nextInt(16)) {
      case 0 -> FAR + at;
      case 1 -> -1;
      default -> at;
    };
  }

  private int length() {
    return random.nextInt(4) == 0 ? random.nextInt(3) * PAGE : random.nextInt(BYTES_MAX);
  }

  private byte[] data() {
    byte[] data = new byte[length()];
    if (random.nextInt(8) > 0) {
      Arrays.fill(data, (byte) random.nextInt('a', 'z'));
    }
    return data;
  }

  private static String text(byte[] data) {
    String what = data.length == 0 ? "" : data[0] == 0 ? "\\0" : Character.toString(data[0]);
    return "\"" + what + "\"*" + data.length;
  }

  private Made close(int slot) {
    return new Made("close(fd" + slot + ")", a -> a.close(slot));
  }

  private Made dup(int slot) {
    int to = random.nextInt(Actor.SLOTS);
    if (random.nextInt(3) == 0) {
      int flags = new int[] {0, O_APPEND, O_NOATIME, O_APPEND | O_NONBLOCK}[random.nextInt(4)];
      return new Made(
          "fcntl(fd" + slot + ", F_SETFL, " + CallGenerator.octal(flags) + ")",
          a -> Actor.outcome(C.fcntl(a.slots[slot], F_SETFL, (long) flags | O_NONBLOCK)));
    }
    return new Made("fd" + to + " = dup(fd" + slot + ")", a -> a.opened(C.dup(a.slots[slot]), to));
  }

  private Made read(int slot) {
    int count = length();
    boolean vectors = random.nextInt(4) == 0;
    return new Made(
        (vectors ? "readv" : "read") + "(fd" + slot + ", buffer, " + count + ")",
        a -> {
          byte[] bytes = new byte[Math.max(1, count)];
          if (!vectors) {
            return Actor.outcome(C.read(a.slots[slot], bytes, count), bytes);
          }
          ByteBuffer memory = ByteBuffer.allocateDirect(bytes.length);
          long result = C.readv(a.slots[slot], vectors(memory, count), 2);
          int errno = CLibrary.errno();
          memory.get(bytes);
          return result < 0 ? Errno.name(errno) : Actor.outcome(result, bytes);
        });
  }

  /** Two vectors over a buffer. */
  private static long[] vectors(ByteBuffer memory, int count) {
    long address = Pointer.wrap(jnr.ffi.Runtime.getRuntime(C), memory).address();
    int half = count / 2;
    return new long[] {address, half, address + half, count - half};
  }

  private Made write(int slot) {
    byte[] data = data();
    boolean vectors = random.nextInt(4) == 0;
    return new Made(
        (vectors ? "writev" : "write") + "(fd" + slot + ", " + text(data) + ")",
        a -> {
          if (!vectors) {
            return Actor.outcome(C.write(a.slots[slot], data, data.length));
          }
          ByteBuffer memory = ByteBuffer.allocateDirect(Math.max(1, data.length));
          memory.put(0, data);
          return Actor.outcome(C.writev(a.slots[slot], vectors(memory, data.length), 2));
        });
  }

  private Made pread(int slot) {
    int count = length();
    long offset = offset();
    return new Made(
        "pread(fd" + slot + ", buffer, " + count + ", " + offset + ")",
        a -> {
          byte[] bytes = new byte[Math.max(1, count)];
          return Actor.outcome(C.pread(a.slots[slot], bytes, count, offset), bytes);
        });
  }

  private Made pwrite(int slot) {
    byte[] data = data();
    long offset = offset();
    return new Made(
        "pwrite(fd" + slot + ", " + text(data) + ", " + offset + ")",
        a -> Actor.outcome(C.pwrite(a.slots[slot], data, data.length, offset)));
  }

  private Made seek(int slot) {
    int whence = random.nextInt(3);
    long offset = random.nextInt(30_000) - (whence == SEEK_SET ? 100 : 10_000);
    return new Made(
        "lseek(fd" + slot + ", " + offset + ", " + whence + ") /* regular files only */",
        a ->
            a.size(slot) < 0 || isDirectory(a, slot)
                ? "none"
                : Actor.outcome(C.lseek(a.slots[slot], offset, whence)));
  }

  private static boolean isDirectory(Actor actor, int slot) {
    return (mode(actor, slot) & S_IFMT) == S_IFDIR;
  }

  private static int mode(Actor actor, int slot) {
    ByteBuffer stat = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());
    int result = C.statx(actor.slots[slot], new byte[1], AT_EMPTY_PATH, 0x7ff, stat);
    return result < 0 ? 0 : Short.toUnsignedInt(stat.getShort(28));
  }

  /** Where data or a hole begins depends on the file system; not what is in a hole. */
  private Made seekHole(int slot) {
    long offset = Math.max(0, offset());
    int whence = random.nextBoolean() ? SEEK_DATA : SEEK_HOLE;
    return new Made(
        "lseek(fd" + slot + ", " + offset + (whence == SEEK_DATA ? ", SEEK_DATA)" : ", SEEK_HOLE)"),
        a -> {
          int fd = a.slots[slot];
          if ((mode(a, slot) & S_IFMT) != S_IFREG) {
            return "none";
          }
          long before = C.lseek(fd, 0, SEEK_CUR);
          long found = C.lseek(fd, offset, whence);
          String outcome = Actor.success(found);
          C.lseek(fd, before, SEEK_SET);
          if (whence == SEEK_DATA) {
            long end = found < 0 ? a.size(slot) : found;
            return onlyZeros(fd, offset, end) ? "no data passed" : outcome + " passes data";
          }
          return found < 0 || onlyZeros(fd, found, found + 1) ? outcome : "no hole at " + found;
        });
  }

  /** True also where it cannot be read. */
  private static boolean onlyZeros(int fd, long from, long to) {
    byte[] bytes = new byte[(int) Math.max(0, Math.min(to - from, 64 << 10))];
    // Behind what was read, the array has whatever was in memory.
    long count = C.pread(fd, bytes, bytes.length, from);
    for (int i = 0; i < count; i++) {
      if (bytes[i] != 0) {
        return false;
      }
    }
    return true;
  }

  private Made truncate(int slot) {
    long size = random.nextInt(12) == 0 ? FAR + 5 : random.nextInt(24_000) - 1;
    return new Made(
        "ftruncate(fd" + slot + ", " + size + ")",
        a -> Actor.outcome(C.ftruncate(a.slots[slot], size)));
  }

  private Made allocate(int slot) {
    int keep = FALLOC_FL_KEEP_SIZE;
    int[] modes = {
      0,
      keep,
      FALLOC_FL_PUNCH_HOLE | keep,
      FALLOC_FL_PUNCH_HOLE | keep,
      FALLOC_FL_ZERO_RANGE,
      FALLOC_FL_ZERO_RANGE | keep,
      FALLOC_FL_PUNCH_HOLE
    };
    int mode = modes[random.nextInt(modes.length)];
    long offset = offset();
    int length = length();
    return new Made(
        "fallocate(fd" + slot + ", " + mode + ", " + offset + ", " + length + ")",
        a -> Actor.outcome(C.fallocate(a.slots[slot], mode, offset, length)));
  }

  private Made chmodOrChown(int slot) {
    if (random.nextBoolean()) {
      int mode = random.nextInt(010000);
      return new Made(
          "fchmod(fd" + slot + ", " + CallGenerator.octal(mode) + ")",
          a -> Actor.outcome(C.fchmod(a.slots[slot], mode)));
    }
    int uid = new int[] {-1, 0, 64_001, 64_002}[random.nextInt(4)];
    int gid = new int[] {uid == -1 ? 0 : -1, 0, 64_012, 64_020}[random.nextInt(4)];
    return new Made(
        "fchown(fd" + slot + ", " + uid + ", " + gid + ")",
        a -> Actor.outcome(C.fchown(a.slots[slot], uid, gid)));
  }

  private Made times(int slot) {
    long[] times = {
      random.nextInt(1_000_000_000),
      random.nextInt(1_000_000_000),
      random.nextInt(1_000_000_000),
      random.nextBoolean() ? UTIME_OMIT : 7
    };
    return new Made(
        "futimens(fd" + slot + ", " + Arrays.toString(times) + ")",
        a -> Actor.outcome(C.utimensat(a.slots[slot], null, times, 0)));
  }

  private Made list(int slot) {
    return new Made(
        "getdents64(fd" + slot + ") /* from the start */",
        a -> {
          if (!isDirectory(a, slot)) {
            byte[] none = new byte[100];
            return Actor.outcome(C.getdents64(a.slots[slot], none, none.length));
          }
          C.lseek(a.slots[slot], 0, SEEK_SET);
          TreeSet<String> names = new TreeSet<>();
          byte[] listed = new byte[4096];
          ByteBuffer b = ByteBuffer.wrap(listed).order(ByteOrder.nativeOrder());
          long length;
          while ((length = C.getdents64(a.slots[slot], listed, listed.length)) > 0) {
            for (int at = 0; at < length; at += Short.toUnsignedInt(b.getShort(at + 16))) {
              int end = at + 19;
              while (listed[end] != 0) {
                end++;
              }
              names.add(listed[at + 18] + TreeState.text(listed, at + 19, end));
            }
          }
          return Actor.success(length) + names;
        });
  }

  private Made xattr(int slot) {
    byte[] name = Actor.bytes(random.nextBoolean() ? "user.a" : "trusted.b");
    String shown = TreeState.text(name, 0, name.length - 1);
    byte[] value = {1, 2, 3};
    return switch (random.nextInt(3)) {
      case 0 ->
          new Made(
              "fsetxattr(fd" + slot + ", \"" + shown + "\", value, 3, 0)",
              a -> Actor.outcome(C.fsetxattr(a.slots[slot], name, value, value.length, 0)));
      case 1 ->
          new Made(
              "fremovexattr(fd" + slot + ", \"" + shown + "\")",
              a -> Actor.outcome(C.fremovexattr(a.slots[slot], name)));
      default ->
          new Made(
              "fgetxattr(fd" + slot + ", \"" + shown + "\")",
              a -> {
                byte[] got = new byte[50];
                return Actor.outcome(C.fgetxattr(a.slots[slot], name, got, got.length), got);
              });
    };
  }

  private Made sync(int slot) {
    if (random.nextInt(3) > 0) {
      return new Made("fdatasync(fd" + slot + ")", a -> Actor.outcome(C.fdatasync(a.slots[slot])));
    }
    return new Made("fsync(fd" + slot + ")", a -> Actor.outcome(C.fsync(a.slots[slot])));
  }

  private Made lock(int slot) {
    int[] kinds = {LOCK_SH, LOCK_EX, LOCK_UN};
    int kind = kinds[random.nextInt(kinds.length)] | LOCK_NB;
    return new Made(
        "flock(fd" + slot + ", " + kind + ")", a -> Actor.outcome(C.flock(a.slots[slot], kind)));
  }

  private Made lockRange(int slot) {
    int[] commands = {F_GETLK, F_SETLK, F_SETLK, F_OFD_SETLK};
    int command = commands[random.nextInt(commands.length)];
    short type = (short) random.nextInt(3);
    long start = random.nextInt(20);
    long length = random.nextInt(10);
    return new Made(
        "fcntl(fd" + slot + ", " + command + ", {" + type + ", " + start + ", " + length + "})",
        a -> {
          ByteBuffer lock = ByteBuffer.allocate(32).order(ByteOrder.nativeOrder());
          lock.putShort(0, type).putLong(8, start).putLong(16, length);
          String outcome = Actor.outcome(C.fcntl(a.slots[slot], command, lock));
          return outcome + " " + lock.getShort(0) + " " + lock.getLong(8) + " " + lock.getLong(16);
        });
  }

  /** Within the file: beyond, the process would get SIGBUS. */
  private Made mapped(int slot) {
    int at = random.nextInt(20_000);
    int count = 1 + random.nextInt(5_000);
    byte[] data = new byte[count];
    Arrays.fill(data, (byte) random.nextInt('A', 'Z'));
    boolean writes = random.nextBoolean();
    int flags = random.nextInt(4) == 0 ? MAP_PRIVATE : MAP_SHARED;
    int protection = writes ? PROT_READ | PROT_WRITE : PROT_READ;
    String how = flags == MAP_SHARED ? "MAP_SHARED" : "MAP_PRIVATE";
    return new Made(
        "mmap(fd"
            + slot
            + ", "
            + how
            + ") /* "
            + (writes ? "write " + text(data) : "read " + count)
            + " at "
            + at
            + ", as far as the file goes, and munmap */",
        a -> {
          if ((mode(a, slot) & S_IFMT) != S_IFREG) {
            return "none";
          }
          long offset = at / PAGE * PAGE;
          int bytes = 4 * PAGE;
          long address = C.mmap(0, bytes, protection, flags, a.slots[slot], offset);
          if (address == -1) {
            return Actor.outcome(address);
          }
          int there = (int) Math.max(0, Math.min(count, a.size(slot) - at));
          Pointer memory = CLibrary.memory(address, bytes);
          byte[] got = new byte[there];
          if (writes) {
            memory.put(at - offset, data, 0, there);
          } else {
            memory.get(at - offset, got, 0, there);
          }
          C.munmap(address, bytes);
          return Actor.outcome(there, got);
        });
  }

  private Made copy(int slot) {
    int to = random.nextInt(Actor.SLOTS);
    long from = random.nextInt(12_000);
    long target = random.nextInt(12_000);
    int count = length();
    return new Made(
        "copy_file_range(fd"
            + slot
            + ", "
            + from
            + ", fd"
            + to
            + ", "
            + target
            + ", "
            + count
            + ")",
        a -> {
          if ((mode(a, slot) & S_IFMT) != S_IFREG || (mode(a, to) & S_IFMT) != S_IFREG) {
            return "none";
          }
          long[] fromOffset = {from};
          long[] toOffset = {target};
          long done = C.copy_file_range(a.slots[slot], fromOffset, a.slots[to], toOffset, count, 0);
          return Actor.outcome(done) + " " + fromOffset[0] + " " + toOffset[0];
        });
  }
}
