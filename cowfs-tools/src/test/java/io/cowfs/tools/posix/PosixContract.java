package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.CLibrary.C;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What each test of the contract has: a mount, a directory of its own there, and users. */
@ParameterizedClass(name = "{0}")
@EnumSource(Mount.class)
@ExtendWith(Mounts.class)
@Timeout(120)
@SuppressWarnings("JUnit4SetUpNotRun")
abstract class PosixContract {
  static final User ROOT = User.ROOT;
  static final User ALICE = User.ALICE;
  static final User BOB = User.BOB;

  private static final AtomicInteger LAST = new AtomicInteger();

  /** Two changes that are so far apart have different times: a tick of the kernel is shorter. */
  private static final int TICK_MS = 11;

  private final Deque<Runnable> undo = new ArrayDeque<>();

  @Parameter Mount mount;

  /** Writable for everyone, and empty. */
  private String directory;

  private int umaskBefore;

  void begin(Path root) {
    // The mask of a thread of its own, which the rest of the virtual machine does not see.
    C.unshare(Linux.CLONE_FS);
    umaskBefore = C.umask(0);
    directory = root.resolve("t" + LAST.incrementAndGet()).toString();
    ROOT.mkdir(directory, 0777);
  }

  void end() {
    C.umask(umaskBefore);
    while (!undo.isEmpty()) {
      undo.pop().run();
    }
    Mappings.unmapAll();
    OpenFds.closeAll();
  }

  /** The directory of this test. */
  final String here() {
    return directory;
  }

  /** A path in the directory of this test. */
  final String at(String name) {
    return directory + "/" + name;
  }

  /** Runs an action when the test is over, also when it failed. */
  final void afterwards(Runnable action) {
    undo.push(action);
  }

  /** The call must fail with this errno. */
  static void refuses(Errno expected, Executable call) {
    ErrnoException thrown =
        assertThrows(ErrnoException.class, call, () -> "expected " + expected + " and no success");
    assertEquals(expected.name(), thrown.errnoName(), thrown::getMessage);
  }

  /** Lets the clock of files go on. */
  static void tick() {
    try {
      Thread.sleep(TICK_MS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  /** The times of a file that a call may change. */
  enum Time {
    ATIME,
    MTIME,
    CTIME;

    Instant of(Stat stat) {
      return switch (this) {
        case ATIME -> stat.atime();
        case MTIME -> stat.mtime();
        case CTIME -> stat.ctime();
      };
    }
  }

  /** The action moves exactly these times of the file itself (a symbolic link is not followed). */
  static void touches(String path, Runnable action, Time... times) {
    touches(path, path, action, times);
  }

  /** The same, for a file that then has another name. */
  static void touches(String path, String pathAfter, Runnable action, Time... times) {
    Stat before = ROOT.lstat(path);
    tick();
    action.run();
    Stat after = ROOT.lstat(pathAfter);
    for (Time time : Time.values()) {
      boolean moves = java.util.List.of(times).contains(time);
      Instant was = time.of(before);
      Instant is = time.of(after);
      assertTrue(
          moves ? is.isAfter(was) : is.equals(was),
          () -> time + (moves ? " must move" : " must stay") + ": " + was + " -> " + is);
    }
  }

  /** The same action, which fails with this errno and therefore moves no time of the file. */
  static void refusesAndTouchesNothing(Errno expected, String path, Executable call) {
    touches(path, () -> refuses(expected, call));
  }

  /** A second view of this test's directory, which is read-only. */
  final String readOnlyView() {
    return view(Linux.MS_RDONLY);
  }

  /** A second view of this test's directory: another mount of the same file system. */
  final String view(long flags) {
    String view = here() + ".view";
    ROOT.mkdir(view, 0777);
    ROOT.bind(here(), view, flags);
    afterwards(() -> ROOT.rmdir(view));
    afterwards(() -> ROOT.unmount(view));
    return view;
  }

  /** A name of so many bytes. */
  static String name(int bytes) {
    return "n".repeat(bytes);
  }

  /** A path below this test's directory that has so many bytes and leads to it. */
  final String pathOf(int bytes) {
    StringBuilder path = new StringBuilder(here());
    while (path.length() + 2 <= bytes) {
      path.append("/.");
    }
    return path.length() < bytes ? path.append('/').toString() : path.toString();
  }
}
