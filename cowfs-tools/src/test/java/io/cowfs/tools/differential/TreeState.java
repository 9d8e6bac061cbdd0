package io.cowfs.tools.differential;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Linux.*;

import io.cowfs.tools.posix.CLibrary;
import io.cowfs.tools.posix.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.CRC32;

/** All that can be seen of a tree at some moment, by the paths in it. Looked at as root. */
final class TreeState {
  private static final int LIST_BYTES = 32 << 10;
  private static final int PAGE = 4096;

  /** Times before this were set by utimensat; 2010, in seconds. */
  private static final long SET_TIMES_END = 1_262_304_000;

  private static final int WANTED = 0x7ff;
  private static final int OPEN = O_RDONLY | O_NOATIME | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;

  /** How closely to look. */
  enum Look {
    /** Not at all. */
    NONE,
    /** Lists of names and of extended attributes only where the time of change is another. */
    CHANGED,
    WHOLE,
    /** With the bytes of files. */
    CONTENT
  }

  /**
   * What is at a path. Times in nanoseconds.
   *
   * @param names in a directory
   */
  record Entry(
      String attributes, long ino, long mtime, long ctime, String xattrs, TreeSet<String> names) {}

  private final Look how;

  /** What was there before, or null. */
  private final TreeState before;

  private final Map<String, Entry> entries = new TreeMap<>();

  /** The first path of each inode: its name here, the same on both sides. */
  private final Map<Long, String> firstPaths = new HashMap<>();

  private TreeState(Look how, TreeState before) {
    this.how = how;
    this.before = how == Look.CHANGED ? before : null;
  }

  /**
   * Looks at everything below a directory, and at the directory.
   *
   * @param before of the same directory, or null
   */
  static TreeState of(String directory, Look how, TreeState before) {
    TreeState state = new TreeState(how, before);
    state.look(directory, "");
    return state;
  }

  private void look(String path, String name) {
    byte[] bytes = Actor.bytes(path);
    ByteBuffer stat = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());
    if (C.statx(AT_FDCWD, bytes, AT_SYMLINK_NOFOLLOW, WANTED, stat) < 0) {
      entries.put(name, new Entry("lstat: " + errno(), 0, 0, 0, "", new TreeSet<>()));
      return;
    }
    int mode = Short.toUnsignedInt(stat.getShort(28));
    long ino = stat.getLong(32);
    boolean directory = (mode & S_IFMT) == S_IFDIR;
    StringBuilder text = new StringBuilder();
    text.append("mode 0").append(Integer.toOctalString(mode));
    text.append(" nlink ").append(stat.getInt(16));
    text.append(" uid ").append(stat.getInt(20)).append(" gid ").append(stat.getInt(24));
    if (!directory) {
      text.append(" size ").append(stat.getLong(40));
    }
    text.append(" rdev ").append(stat.getInt(128)).append(':').append(stat.getInt(132));
    long mtime = nanos(stat, 112);
    text.append(setTime(" mtime ", mtime));
    text.append(" same as ").append(firstPaths.computeIfAbsent(ino, i -> name));
    Entry same = unchanged(name, ino, nanos(stat, 96));
    String xattrs = same == null ? xattrs(bytes) : same.xattrs;
    text.append(xattrs);
    int type = mode & S_IFMT;
    if (type == S_IFLNK) {
      byte[] target = new byte[PATH_MAX];
      long length = C.readlinkat(AT_FDCWD, bytes, target, target.length);
      text.append(" -> ").append(text(target, 0, (int) length));
    } else if (type == S_IFREG && how == Look.CONTENT) {
      text.append(" content ").append(content(bytes, stat.getLong(40)));
    }
    TreeSet<String> names = new TreeSet<>();
    if (directory) {
      names = same == null ? list(bytes) : same.names;
      text.append(" entries ").append(names);
    }
    Entry entry = new Entry(text.toString(), ino, mtime, nanos(stat, 96), xattrs, names);
    entries.put(name, entry);
    for (String child : names) {
      String childName = child.substring(child.indexOf(' ') + 1);
      if (!childName.equals(".") && !childName.equals("..")) {
        look(path + "/" + childName, name + "/" + childName);
      }
    }
  }

  /** What was at the path before, if that is the same file and it was not changed; else null. */
  private Entry unchanged(String name, long ino, long ctime) {
    Entry there = before == null ? null : before.entries.get(name);
    return there != null && there.ino == ino && there.ctime == ctime ? there : null;
  }

  private static String errno() {
    return Errno.name(CLibrary.errno());
  }

  private static long nanos(ByteBuffer stat, int at) {
    return stat.getLong(at) * 1_000_000_000L + stat.getInt(at + Long.BYTES);
  }

  /** The times that utimensat has just set, of the file at a path. */
  static String setTimes(byte[] path, boolean atime, int flags) {
    ByteBuffer stat = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());
    if (C.statx(AT_FDCWD, path, flags, WANTED, stat) < 0) {
      return errno();
    }
    return (atime ? setTime(" atime ", nanos(stat, 64)) : "")
        + setTime(" mtime ", nanos(stat, 112));
  }

  private static String setTime(String what, long nanos) {
    return nanos < SET_TIMES_END * 1_000_000_000L ? what + nanos : "";
  }

  private static String xattrs(byte[] path) {
    byte[] names = new byte[4096];
    long length = C.llistxattr(path, names, names.length);
    if (length < 0) {
      return " listxattr " + errno();
    }
    TreeMap<String, String> sorted = new TreeMap<>();
    for (String name : text(names, 0, (int) length).split("\0", -1)) {
      if (!name.isEmpty()) {
        byte[] value = new byte[4096];
        long bytes = C.lgetxattr(path, Actor.bytes(name), value, value.length);
        sorted.put(name, bytes < 0 ? errno() : text(value, 0, (int) bytes));
      }
    }
    return sorted.isEmpty() ? "" : " xattrs " + sorted;
  }

  private static TreeSet<String> list(byte[] path) {
    TreeSet<String> names = new TreeSet<>();
    int fd = C.openat(AT_FDCWD, path, OPEN | O_DIRECTORY, 0);
    if (fd < 0) {
      names.add("open: " + errno());
      return names;
    }
    byte[] listed = new byte[LIST_BYTES];
    ByteBuffer b = ByteBuffer.wrap(listed).order(ByteOrder.nativeOrder());
    for (long length; (length = C.getdents64(fd, listed, LIST_BYTES)) > 0; ) {
      for (int at = 0; at < length; at += Short.toUnsignedInt(b.getShort(at + 16))) {
        int end = at + 19;
        while (listed[end] != 0) {
          end++;
        }
        names.add(listed[at + 18] + " " + text(listed, at + 19, end));
      }
    }
    C.close(fd);
    return names;
  }

  /** The pages that have other bytes than zeros, each with a checksum. */
  private static String content(byte[] path, long size) {
    int fd = C.openat(AT_FDCWD, path, OPEN, 0);
    if (fd < 0) {
      return "open: " + errno();
    }
    StringBuilder text = new StringBuilder();
    byte[] page = new byte[PAGE];
    long at = 0;
    while (at < size) {
      long data = C.lseek(fd, at, SEEK_DATA);
      if (data < 0) {
        break;
      }
      long hole = C.lseek(fd, data, SEEK_HOLE);
      for (long p = data / PAGE * PAGE; p < hole; p += PAGE) {
        long count = C.pread(fd, page, PAGE, p);
        if (count < 0) {
          text.append(p).append(errno());
          continue;
        }
        Arrays.fill(page, (int) count, PAGE, (byte) 0);
        if (!isZero(page)) {
          CRC32 crc = new CRC32();
          crc.update(page);
          text.append(p).append(':').append(Long.toHexString(crc.getValue())).append(' ');
        }
      }
      at = hole;
    }
    C.close(fd);
    return text.toString();
  }

  private static boolean isZero(byte[] page) {
    for (byte b : page) {
      if (b != 0) {
        return false;
      }
    }
    return true;
  }

  static String text(byte[] bytes, int from, int to) {
    return new String(bytes, from, Math.max(0, to - from), StandardCharsets.ISO_8859_1);
  }

  /** The first entry in which two states differ, or null. */
  static String difference(TreeState host, TreeState mount) {
    TreeSet<String> names = new TreeSet<>(host.entries.keySet());
    names.addAll(mount.entries.keySet());
    for (String name : names) {
      Entry a = host.entries.get(name);
      Entry b = mount.entries.get(name);
      String there = a == null ? "nothing" : a.attributes;
      String here = b == null ? "nothing" : b.attributes;
      if (!there.equals(here)) {
        return "'" + name + "'\n    host:  " + there + "\n    cowfs: " + here;
      }
    }
    return null;
  }

  /**
   * The first entry whose times changed differently, or null.
   *
   * @param apart the call came so long after the one before that each change shows
   */
  static String timeDifference(
      TreeState hostBefore, TreeState host, TreeState mountBefore, TreeState mount, boolean apart) {
    for (String name : host.entries.keySet()) {
      String there = changes(hostBefore.entries.get(name), host.entries.get(name));
      String here = changes(mountBefore.entries.get(name), mount.entries.get(name));
      if (there == null || here == null) {
        continue;
      }
      boolean tooMany = here.chars().anyMatch(change -> there.indexOf(change) < 0);
      boolean tooFew = apart && there.chars().anyMatch(change -> here.indexOf(change) < 0);
      if (tooMany || tooFew) {
        return "'"
            + name
            + "': changed on the host: "
            + there
            + ", on cowfs: "
            + here
            + " (times by their first letters)";
      }
    }
    return null;
  }

  private static String changes(Entry before, Entry after) {
    if (before == null || after == null || before.ino != after.ino) {
      return null;
    }
    String mtime = before.mtime != after.mtime ? "m" : "";
    return mtime + (before.ctime != after.ctime ? "c" : "");
  }
}
