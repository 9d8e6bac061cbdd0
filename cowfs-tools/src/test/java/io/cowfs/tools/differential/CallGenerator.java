package io.cowfs.tools.differential;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Linux.*;

import io.cowfs.tools.differential.Call.Body;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;

/** Random calls that follow from a seed. The names are few, so that they collide often. */
final class CallGenerator {
  /** Marks the call that gives the child the descriptors of another actor. */
  static final Body FORK = actor -> "";

  private static final String[] NAMES = {"a", "b", "c"};
  private static final String[] ODD_NAMES = {
    ".", "", "\u00ff\u00fe", "n".repeat(255), "n".repeat(256), "a/"
  };
  private static final String[] TARGETS = {"a", "b", "c", "a/b", "../b", "./c", "b/", "dangling"};
  private static final int[] MODES = {0777, 0755, 0644, 0700, 0, 04755, 02755, 01777, 02644, 06777};
  private static final int[] UIDS = {-1, 0, 64_001, 64_002};
  private static final int[] GIDS = {-1, 0, 64_012, 64_020, 64_001};
  private static final int[] OPEN_EXTRA = {
    0,
    0,
    0,
    O_TRUNC,
    O_APPEND,
    O_EXCL,
    O_DIRECTORY,
    O_NOFOLLOW,
    O_NOATIME,
    O_PATH,
    O_SYNC,
    O_DSYNC,
    O_CLOEXEC,
    O_TMPFILE
  };
  private static final int NODE_NULL = 0x103;

  private final SplittableRandom random;
  private final FileCalls fileCalls;
  private int actor;

  CallGenerator(long seed) {
    random = new SplittableRandom(seed);
    fileCalls = new FileCalls(random);
  }

  /** A sequence with so many calls. */
  Sequence sequence(int length) {
    boolean watched = random.nextInt(8) == 0;
    boolean apart = random.nextInt(40) == 0;
    List<Call> calls = new ArrayList<>();
    calls.add(call(0, "mkdir", () -> mkdir("a", 0777)));
    calls.add(call(0, "open", () -> open("b", -1, O_RDWR | O_CREAT, 0666, 0)));
    calls.add(call(1, "open", () -> open("c", -1, O_RDWR | O_CREAT, 0644, 0)));
    while (calls.size() < length) {
      calls.add(next());
    }
    return new Sequence(calls, watched || apart, apart);
  }

  /** What is made for an actor: its text, and what it does. */
  record Made(String text, Body body) {}

  private interface Maker {
    Made make();
  }

  private Call call(int by, String what, Maker maker) {
    Made made = maker.make();
    return new Call(by, made.text, made.body);
  }

  private Call next() {
    actor = random.nextInt(Actor.NAMES.length);
    int choice = random.nextInt(100);
    if (choice < 2) {
      return new Call(random.nextInt(Actor.CHILD), "fork(), as child", FORK);
    }
    if (choice < 40) {
      return call(actor, "file", fileCalls::next);
    }
    return call(actor, "path", this::pathCall);
  }

  private Made pathCall() {
    return switch (random.nextInt(26)) {
      case 0, 1, 2, 3 -> open();
      case 4, 5 -> mkdir(path(), mode());
      case 6 -> mknod();
      case 7, 8 -> link();
      case 9, 10 -> symlink();
      case 11 -> readlink();
      case 12, 13 -> unlink(0, "unlink");
      case 14 -> unlink(AT_REMOVEDIR, "rmdir");
      case 15, 16, 17 -> rename();
      case 18 -> chmod();
      case 19 -> chown();
      case 20 -> utimens();
      case 21 -> access();
      case 22 -> truncate();
      case 23 -> setxattr();
      case 24 -> xattrs();
      default -> environment();
    };
  }

  private String path() {
    int depth = 1 + random.nextInt(3) * random.nextInt(2);
    StringBuilder path = new StringBuilder();
    for (int i = 0; i < depth; i++) {
      path.append(i == 0 ? "" : "/").append(NAMES[random.nextInt(NAMES.length)]);
    }
    return switch (random.nextInt(40)) {
      case 0 -> ODD_NAMES[random.nextInt(ODD_NAMES.length)];
      case 1 -> path + "/" + ODD_NAMES[random.nextInt(ODD_NAMES.length)];
      case 2 -> "../" + path;
      default -> path.toString();
    };
  }

  private int mode() {
    return random.nextInt(3) == 0 ? MODES[random.nextInt(MODES.length)] : 0777;
  }

  /** Sometimes a descriptor to begin the path at, in place of the working directory. */
  private int directory() {
    return random.nextInt(8) == 0 ? random.nextInt(Actor.SLOTS) : -1;
  }

  static String at(int directory, String path) {
    String shown = path.length() > 100 ? "n*" + path.length() : path.replace("\u00ff", "\\xff");
    return (directory < 0 ? "AT_FDCWD" : "fd" + directory) + ", \"" + shown + "\"";
  }

  static String octal(int value) {
    return "0" + Integer.toOctalString(value);
  }

  private Made open() {
    int flags = random.nextInt(3);
    flags |= random.nextInt(2) * O_CREAT | OPEN_EXTRA[random.nextInt(OPEN_EXTRA.length)];
    flags |= OPEN_EXTRA[random.nextInt(OPEN_EXTRA.length)];
    return open(path(), directory(), flags, mode(), random.nextInt(Actor.SLOTS));
  }

  private static Made open(String path, int directory, int flags, int mode, int slot) {
    byte[] name = Actor.bytes(path);
    // Nobody waits at a FIFO.
    int all = flags | O_NONBLOCK;
    return new Made(
        "fd"
            + slot
            + " = openat("
            + at(directory, path)
            + ", "
            + octal(all)
            + ", "
            + octal(mode)
            + ")",
        a -> a.opened(C.openat(a.directory(directory), name, all, mode), slot));
  }

  private Made mkdir(String path, int mode) {
    byte[] name = Actor.bytes(path);
    int directory = directory();
    return new Made(
        "mkdirat(" + at(directory, path) + ", " + octal(mode) + ")",
        a -> Actor.outcome(C.mkdirat(a.directory(directory), name, mode)));
  }

  private Made mknod() {
    int[] types = {S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK, S_IFDIR};
    int mode = types[random.nextInt(types.length)] | mode();
    String path = path();
    byte[] name = Actor.bytes(path);
    return new Made(
        "mknodat(" + at(-1, path) + ", " + octal(mode) + ", makedev(1, 3))",
        a -> Actor.outcome(C.mknodat(AT_FDCWD, name, mode, NODE_NULL)));
  }

  private Made link() {
    String from = path();
    String to = path();
    int directory = directory();
    int flags = random.nextInt(3) == 0 ? AT_SYMLINK_FOLLOW : 0;
    byte[] name = Actor.bytes(from);
    byte[] newName = Actor.bytes(to);
    return new Made(
        "linkat(" + at(directory, from) + ", " + at(-1, to) + ", " + flags + ")",
        a -> Actor.outcome(C.linkat(a.directory(directory), name, AT_FDCWD, newName, flags)));
  }

  private Made symlink() {
    String target = TARGETS[random.nextInt(TARGETS.length)];
    String path = path();
    byte[] content = Actor.bytes(target);
    byte[] name = Actor.bytes(path);
    return new Made(
        "symlinkat(\"" + target + "\", " + at(-1, path) + ")",
        a -> Actor.outcome(C.symlinkat(content, AT_FDCWD, name)));
  }

  private Made readlink() {
    String path = path();
    byte[] name = Actor.bytes(path);
    int room = 1 + random.nextInt(12);
    return new Made(
        "readlinkat(" + at(-1, path) + ", buffer, " + room + ")",
        a -> {
          byte[] target = new byte[room];
          return Actor.outcome(C.readlinkat(AT_FDCWD, name, target, room), target);
        });
  }

  private Made unlink(int flags, String what) {
    String path = path();
    int directory = directory();
    byte[] name = Actor.bytes(path);
    return new Made(
        "unlinkat(" + at(directory, path) + ", " + flags + ") /* " + what + " */",
        a -> Actor.outcome(C.unlinkat(a.directory(directory), name, flags)));
  }

  private Made rename() {
    String from = path();
    String to = path();
    int directory = directory();
    int[] kinds = {
      0,
      0,
      0,
      RENAME_NOREPLACE,
      RENAME_EXCHANGE,
      RENAME_NOREPLACE | RENAME_EXCHANGE,
      RENAME_WHITEOUT
    };
    int flags = kinds[random.nextInt(kinds.length)];
    byte[] name = Actor.bytes(from);
    byte[] newName = Actor.bytes(to);
    return new Made(
        "renameat2(" + at(directory, from) + ", " + at(-1, to) + ", " + flags + ")",
        a -> Actor.outcome(C.renameat2(a.directory(directory), name, AT_FDCWD, newName, flags)));
  }

  private Made chmod() {
    String path = path();
    int mode = mode();
    byte[] name = Actor.bytes(path);
    return new Made(
        "chmod(\"" + path + "\", " + octal(mode) + ")", a -> Actor.outcome(C.chmod(name, mode)));
  }

  private Made chown() {
    String path = path();
    int uid = UIDS[random.nextInt(UIDS.length)];
    int gid =
        uid == -1 ? GIDS[1 + random.nextInt(GIDS.length - 1)] : GIDS[random.nextInt(GIDS.length)];
    int flags = random.nextBoolean() ? AT_SYMLINK_NOFOLLOW : 0;
    byte[] name = Actor.bytes(path);
    return new Made(
        "fchownat(" + at(-1, path) + ", " + uid + ", " + gid + ", " + flags + ")",
        a -> Actor.outcome(C.fchownat(AT_FDCWD, name, uid, gid, flags)));
  }

  private Made utimens() {
    String path = path();
    long[] times = {seconds(), nanos(), seconds(), nanos()};
    int flags = random.nextBoolean() ? AT_SYMLINK_NOFOLLOW : 0;
    byte[] name = Actor.bytes(path);
    return new Made(
        "utimensat(" + at(-1, path) + ", " + java.util.Arrays.toString(times) + ", " + flags + ")",
        a -> {
          String outcome = Actor.outcome(C.utimensat(AT_FDCWD, name, times, flags));
          boolean done = outcome.equals("0");
          return done ? TreeState.setTimes(name, times[1] != UTIME_OMIT, flags) : outcome;
        });
  }

  private long seconds() {
    long[] some = {0, -1, -2_000_000_000, 1_000_000_000, random.nextInt()};
    return some[random.nextInt(some.length)] % 1_200_000_000;
  }

  private long nanos() {
    return switch (random.nextInt(4)) {
      case 0 -> UTIME_OMIT;
      case 1 -> UTIME_NOW;
      default -> random.nextInt(1_000_000_000);
    };
  }

  private Made access() {
    String path = path();
    int wanted = random.nextInt(8);
    int[] all = {0, AT_EACCESS, AT_SYMLINK_NOFOLLOW};
    int flags = all[random.nextInt(all.length)];
    byte[] name = Actor.bytes(path);
    return new Made(
        "faccessat2(" + at(-1, path) + ", " + wanted + ", " + flags + ")",
        a -> Actor.outcome(C.syscall(SYS_FACCESSAT2, AT_FDCWD, name, wanted, flags)));
  }

  private Made truncate() {
    String path = path();
    long size = random.nextInt(10) == 0 ? 1L << 40 : random.nextInt(20_000) - 1;
    byte[] name = Actor.bytes(path);
    return new Made(
        "truncate(\"" + path + "\", " + size + ")", a -> Actor.outcome(C.truncate(name, size)));
  }

  private String xattr() {
    String[] names = {"user.a", "user.b", "trusted.a", "security.a", "user.", "nonsense.a"};
    return names[random.nextInt(random.nextInt(4) == 0 ? names.length : 2)];
  }

  private Made setxattr() {
    String path = path();
    String key = xattr();
    int flags = random.nextInt(3);
    byte[] value = new byte[random.nextInt(40)];
    java.util.Arrays.fill(value, (byte) random.nextInt('a', 'z'));
    byte[] name = Actor.bytes(path);
    byte[] keyName = Actor.bytes(key);
    boolean link = random.nextInt(4) == 0;
    return new Made(
        (link ? "l" : "")
            + "setxattr(\""
            + path
            + "\", \""
            + key
            + "\", value, "
            + value.length
            + ", "
            + flags
            + ")",
        a ->
            Actor.outcome(
                link
                    ? C.lsetxattr(name, keyName, value, value.length, flags)
                    : C.setxattr(name, keyName, value, value.length, flags)));
  }

  private Made xattrs() {
    String path = path();
    String key = xattr();
    byte[] name = Actor.bytes(path);
    byte[] keyName = Actor.bytes(key);
    if (random.nextBoolean()) {
      return new Made(
          "removexattr(\"" + path + "\", \"" + key + "\")",
          a -> Actor.outcome(C.removexattr(name, keyName)));
    }
    int room = random.nextInt(50);
    return new Made(
        "getxattr(\"" + path + "\", \"" + key + "\", buffer, " + room + ")",
        a -> {
          byte[] value = new byte[Math.max(1, room)];
          return Actor.outcome(C.getxattr(name, keyName, value, room), value);
        });
  }

  private Made environment() {
    if (random.nextInt(3) == 0) {
      int mask = new int[] {0, 022, 077, 0777}[random.nextInt(4)];
      return new Made("umask(" + octal(mask) + ")", a -> Actor.outcome(C.umask(mask)));
    }
    String path = path().replace("..", ".");
    byte[] name = Actor.bytes(path);
    return new Made("chdir(\"" + path + "\")", a -> Actor.outcome(C.chdir(name)));
  }

  /** The calls by how often they were made: for the one who wonders what a run did. */
  static void count(TreeMap<String, Integer> counts, Call call) {
    String text = call.text().replaceFirst("^fd\\d = ", "");
    counts.merge(text.substring(0, text.indexOf('(')), 1, Integer::sum);
  }
}
