package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** link(2) and linkat(2). */
class LinkTest extends PosixContract {
  /** As on ext4. */
  private static final int NAMES_MAX = 65_000;

  /** Over FUSE in soaks only: it takes half a minute. */
  @Test
  void aFileHasNoMoreThan65000Names() throws IOException {
    boolean isExt4 = mount.isHost() && Files.getFileStore(Path.of(here())).type().equals("ext4");
    if (!isExt4 && (mount.isHost() || !Boolean.getBoolean("cowfs.soak"))) {
      return;
    }
    ROOT.file(at("f"), 0644);
    int directory = ROOT.open(here(), O_RDONLY | O_DIRECTORY);
    for (int i = 1; i < NAMES_MAX; i++) {
      ROOT.linkat(directory, "f", directory, Integer.toString(i), 0);
    }
    assertEquals(NAMES_MAX, ROOT.stat(at("f")).nlink());
    refusesAndTouchesNothing(EMLINK, at("f"), () -> ROOT.link(at("f"), at("more")));
    ROOT.unlink(at("1"));
    ROOT.rename(at("2"), at("moved"));
    ROOT.link(at("f"), at("more"));
    refuses(EMLINK, () -> ROOT.link(at("more"), at("1")));
    assertEquals(NAMES_MAX, ROOT.stat(at("more")).nlink());
  }

  @Test
  void givesTheSameFileAnotherName() {
    ALICE.put(at("a"), "content");
    ALICE.mkdir(at("d"), 0755);
    ALICE.link(at("a"), at("d/b"));
    Stat a = ROOT.stat(at("a"));
    assertEquals(a, ROOT.stat(at("d/b")));
    assertEquals(2, a.nlink());
    ALICE.chmod(at("d/b"), 0600);
    ALICE.put(at("d/b"), "other");
    assertEquals(0600, ROOT.stat(at("a")).permissions());
    assertEquals("other", ALICE.read(ALICE.open(at("a"), O_RDONLY), 10));
    ALICE.unlink(at("a"));
    assertEquals(1, ROOT.stat(at("d/b")).nlink());
    assertEquals("other", ALICE.read(ALICE.open(at("d/b"), O_RDONLY), 10));
  }

  @ParameterizedTest
  @ValueSource(ints = {S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK})
  void allTypesButDirectoriesHaveManyNames(int type) {
    ROOT.mknod(at("a"), type | 0644, 259);
    for (int i = 2; i <= 5; i++) {
      ROOT.link(at("a"), at("a" + i));
      assertEquals(i, ROOT.stat(at("a")).nlink());
    }
    assertEquals(ROOT.stat(at("a")), ROOT.stat(at("a5")));
    for (int i = 5; i >= 2; i--) {
      ROOT.unlink(at("a" + i));
      assertEquals(i - 1, ROOT.stat(at("a")).nlink());
    }
  }

  @Test
  void movesTheChangeTimeAndThoseOfTheParent() {
    ALICE.file(at("a"), 0644);
    ALICE.mkdir(at("d"), 0755);
    touches(at("a"), () -> ALICE.link(at("a"), at("b")), Time.CTIME);
    touches(at("d"), () -> ALICE.link(at("a"), at("d/b")), Time.MTIME, Time.CTIME);
    touches(here(), () -> ALICE.link(at("a"), at("d/c")));
  }

  @Test
  void neverReplaces() {
    ALICE.file(at("a"), 0644);
    ALICE.file(at("file"), 0644);
    ALICE.mkdir(at("directory"), 0755);
    ALICE.symlink("nowhere", at("dangling"));
    for (String name : List.of("a", "file", "directory", "dangling", ".", "..")) {
      refusesAndTouchesNothing(EEXIST, at("a"), () -> ALICE.link(at("a"), at(name)));
    }
    assertEquals(1, ROOT.stat(at("a")).nlink());
  }

  @Test
  void directoriesHaveOneName() {
    ALICE.mkdir(at("d"), 0755);
    refusesAndTouchesNothing(EPERM, at("d"), () -> ALICE.link(at("d"), at("e")));
    refuses(EPERM, () -> ROOT.link(at("d"), at("e")));
    refuses(EPERM, () -> ROOT.link(at("."), at("e")));
  }

  @Test
  void aSymbolicLinkIsFollowedOnRequest() {
    ALICE.file(at("f"), 0644);
    ALICE.symlink("f", at("link"));
    ALICE.link(at("link"), at("of-link"));
    ALICE.linkat(AT_FDCWD, at("link"), AT_FDCWD, at("of-file"), AT_SYMLINK_FOLLOW);
    assertEquals(S_IFLNK, ROOT.lstat(at("of-link")).type());
    assertEquals(2, ROOT.lstat(at("link")).nlink());
    assertEquals(ROOT.stat(at("f")), ROOT.lstat(at("of-file")));
  }

  @Test
  void aDescriptorIsLinkedByRoot() {
    ALICE.put(at("f"), "content");
    int path = ROOT.open(at("f"), O_PATH);
    ROOT.linkat(path, "", AT_FDCWD, at("g"), AT_EMPTY_PATH);
    assertEquals(ROOT.stat(at("f")), ROOT.stat(at("g")));
    refuses(ENOENT, () -> ROOT.linkat(path, "", AT_FDCWD, at("h"), 0));
    refuses(EINVAL, () -> ROOT.linkat(AT_FDCWD, at("f"), AT_FDCWD, at("h"), 0x800));
  }

  @Test
  void whatLostItsLastNameGetsNoOther() {
    int fd = ROOT.open(at("f"), O_CREAT | O_RDWR, 0644);
    ROOT.unlink(at("f"));
    refuses(ENOENT, () -> ROOT.linkat(fd, "", AT_FDCWD, at("g"), AT_EMPTY_PATH));
    refuses(
        ENOENT,
        () -> ROOT.linkat(AT_FDCWD, "/proc/self/fd/" + fd, AT_FDCWD, at("g"), AT_SYMLINK_FOLLOW));
    assertEquals(List.of(), ROOT.names(here()));
  }

  @Test
  void isNotDoneAcrossMounts() {
    ALICE.file(at("f"), 0644);
    String view = view(0);
    refusesAndTouchesNothing(EXDEV, at("f"), () -> ROOT.link(at("f"), view + "/g"));
    refuses(EXDEV, () -> ROOT.link(view + "/f", at("g")));
    refuses(EXDEV, () -> ROOT.link("/proc/self/status", at("g")));
    ROOT.link(view + "/f", view + "/g");
    assertEquals(2, ROOT.stat(at("f")).nlink());
  }

  @Test
  void needsToWriteTheParent() {
    ROOT.directory(at("d"), 0755);
    ALICE.file(at("f"), 0644);
    refusesAndTouchesNothing(EACCES, at("f"), () -> ALICE.link(at("f"), at("d/g")));
    assertEquals(1, ROOT.stat(at("f")).nlink());
  }

  @Test
  void filesOfOthersAreLinkedAsTheMachineIsSet() throws IOException {
    ROOT.file(at("closed"), 0600);
    ROOT.file(at("open"), 0666);
    ROOT.file(at("suid"), 04777);
    String setting = Files.readString(Path.of("/proc/sys/fs/protected_hardlinks")).strip();
    if (setting.equals("1")) {
      refuses(EPERM, () -> ALICE.link(at("closed"), at("a")));
      refuses(EPERM, () -> ALICE.link(at("suid"), at("c")));
    } else {
      ALICE.link(at("closed"), at("a"));
      ALICE.link(at("suid"), at("c"));
    }
    ALICE.link(at("open"), at("b"));
  }

  @Test
  void aNewFileIsAnotherFile() {
    ALICE.file(at("a"), 0644);
    ALICE.file(at("b"), 0644);
    assertNotEquals(ROOT.stat(at("a")).ino(), ROOT.stat(at("b")).ino());
  }
}
