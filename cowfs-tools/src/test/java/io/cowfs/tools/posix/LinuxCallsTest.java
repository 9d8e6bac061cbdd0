package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Calls of Linux that most programs do without: inotify(7), file handles, swapon(2). */
class LinuxCallsTest extends PosixContract {
  private static final int IN_MODIFY = 0x2;
  private static final int IN_ATTRIB = 0x4;
  private static final int IN_CLOSE_WRITE = 0x8;
  private static final int IN_MOVED_FROM = 0x40;
  private static final int IN_MOVED_TO = 0x80;
  private static final int IN_CREATE = 0x100;
  private static final int IN_DELETE = 0x200;
  private static final int ALL = 0xfff;

  private static final int HANDLE_BYTES_MAX = 128;

  private static final int RELEASE_TRIES = 500;

  @Test
  void inotifyTellsWhatHappensInADirectory() {
    int watch = OpenFds.add(C.inotify_init1(O_CLOEXEC | O_NONBLOCK));
    ROOT.call(() -> C.inotify_add_watch(watch, PathCalls.bytes(here()), ALL), "inotify_add_watch");
    ALICE.put(at("f"), "content");
    ALICE.chmod(at("f"), 0600);
    ALICE.rename(at("f"), at("g"));
    ALICE.unlink(at("g"));
    Set<String> events = new HashSet<>();
    byte[] buffer = new byte[8192];
    int length = (int) ROOT.call(() -> C.read(watch, buffer, buffer.length), "read");
    ByteBuffer b = ByteBuffer.wrap(buffer).order(ByteOrder.nativeOrder());
    for (int at = 0; at < length; at += 16 + b.getInt(at + 12)) {
      events.add((char) buffer[at + 16] + ":" + (b.getInt(at + 4) & ALL));
    }
    for (String expected :
        new String[] {
          "f:" + IN_CREATE,
          "f:" + IN_MODIFY,
          "f:" + IN_CLOSE_WRITE,
          "f:" + IN_ATTRIB,
          "f:" + IN_MOVED_FROM,
          "g:" + IN_MOVED_TO,
          "g:" + IN_DELETE
        }) {
      assertTrue(events.contains(expected), () -> expected + " is missing in " + events);
    }
  }

  private static byte[] handle(String path) {
    byte[] handle = new byte[8 + HANDLE_BYTES_MAX];
    ByteBuffer.wrap(handle).order(ByteOrder.nativeOrder()).putInt(0, HANDLE_BYTES_MAX);
    ROOT.call(
        () -> C.name_to_handle_at(AT_FDCWD, PathCalls.bytes(path), handle, new int[1], 0),
        "name_to_handle_at",
        path);
    return handle;
  }

  private static int open(int mount, byte[] handle) {
    return OpenFds.add(
        (int) ROOT.call(() -> C.open_by_handle_at(mount, handle, O_RDONLY), "open_by_handle_at"));
  }

  private static boolean opens(int mount, byte[] handle) {
    try {
      open(mount, handle);
      return true;
    } catch (ErrnoException e) {
      return false;
    }
  }

  @Test
  void filesAreOpenedByTheirHandles() {
    ALICE.put(at("f"), "content");
    byte[] file = handle(at("f"));
    byte[] directory = handle(here());
    int mount = ROOT.open(here(), O_RDONLY);
    ALICE.rename(at("f"), at("g"));
    assertEquals("content", ROOT.pread(open(mount, file), 100, 0));
    assertEquals(ROOT.stat(here()).ino(), ROOT.fstat(open(mount, directory)).ino());
    ALICE.unlink(at("g"));
    OpenFds.closeAll();
    int again = ROOT.open(here(), O_RDONLY);
    // A FUSE file is released in the background, and the file is there until then.
    for (int tries = 0; tries < RELEASE_TRIES && opens(again, file); tries++) {
      OpenFds.closeAll();
      again = ROOT.open(here(), O_RDONLY);
      tick();
    }
    int last = again;
    refuses(ESTALE, () -> open(last, file));
    refuses(
        EPERM,
        () -> ALICE.call(() -> C.open_by_handle_at(last, file, O_RDONLY), "open_by_handle_at"));
  }

  @Test
  void rangesAreNeitherCollapsedNorInserted() {
    int fd = ALICE.open(at("f"), O_RDWR | O_CREAT, 0600);
    ALICE.ftruncate(fd, 1 << 20);
    if (!mount.isHost()) {
      // The kernel's FUSE does not pass these on.
      refuses(EOPNOTSUPP, () -> ALICE.fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 1 << 16));
      refuses(EOPNOTSUPP, () -> ALICE.fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 1 << 16));
    }
    assertEquals(1 << 20, ALICE.fstat(fd).size());
  }

  @Test
  void noSwapFileIsMadeOfASparseFile() {
    // Of any, where the blocks of a file are not told.
    ROOT.file(at("swap"), 0600);
    ROOT.truncate(at("swap"), 1 << 20);
    refuses(EINVAL, () -> ROOT.call(() -> C.swapon(PathCalls.bytes(at("swap")), 0), "swapon"));
  }
}
