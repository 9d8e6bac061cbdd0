package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** mkdir(2). */
class MkdirTest extends PosixContract {
  @ParameterizedTest
  @CsvSource({
    "0777, 022, 0755",
    "0777, 077, 0700",
    "0755, 0, 0755",
    "0, 0, 0",
    "0777, 0777, 0",
    "01777, 022, 01755",
    "07777, 0, 01777",
    "0151, 0, 0151",
  })
  void theMaskTakesBitsAway(String mode, String mask, String expected) {
    C.umask(Integer.parseInt(mask, 8));
    ALICE.mkdir(at("d"), Integer.parseInt(mode, 8));
    assertEquals(Integer.parseInt(expected, 8), ROOT.stat(at("d")).permissions());
  }

  @Test
  void belongsToWhoMadeIt() {
    ALICE.mkdir(at("a"), 0755);
    Stat a = ROOT.stat(at("a"));
    assertEquals(List.of(ALICE.uid(), ALICE.gid()), List.of(a.uid(), a.gid()));
    ROOT.mkdir(at("r"), 0755);
    assertEquals(0, ROOT.stat(at("r")).uid());
  }

  @Test
  void aSetGroupIdDirectoryGivesItsGroup() {
    ROOT.directory(at("d"), 02777);
    ROOT.chown(at("d"), 0, 12_345);
    ROOT.chmod(at("d"), 02777);
    ALICE.mkdir(at("d/s"), 0755);
    Stat made = ROOT.stat(at("d/s"));
    assertEquals(ALICE.uid(), made.uid());
    assertEquals(12_345, made.gid());
    assertEquals(02755, made.permissions());
    ALICE.mkdir(at("d/s/t"), 0700);
    assertEquals(02700, ROOT.stat(at("d/s/t")).permissions());
  }

  @Test
  void setUserIdOfADirectoryMeansNothing() {
    ROOT.directory(at("d"), 04777);
    ALICE.mkdir(at("d/s"), 0755);
    Stat made = ROOT.stat(at("d/s"));
    assertEquals(ALICE.uid(), made.uid());
    assertEquals(ALICE.gid(), made.gid());
    assertEquals(0755, made.permissions());
  }

  @Test
  void linksCountSubdirectories() {
    ALICE.mkdir(at("d"), 0755);
    assertEquals(2, ROOT.stat(at("d")).nlink());
    ALICE.mkdir(at("d/a"), 0755);
    ALICE.mkdir(at("d/b"), 0755);
    ALICE.file(at("d/f"), 0644);
    assertEquals(4, ROOT.stat(at("d")).nlink());
    ALICE.rmdir(at("d/a"));
    assertEquals(3, ROOT.stat(at("d")).nlink());
  }

  @Test
  void isEmptyWithItselfAndItsParent() {
    ALICE.mkdir(at("d"), 0755);
    assertEquals(List.of(), ALICE.names(at("d")));
    assertEquals(ROOT.stat(at("d")).ino(), ROOT.stat(at("d/.")).ino());
    assertEquals(ROOT.stat(here()).ino(), ROOT.stat(at("d/..")).ino());
    assertEquals(S_IFDIR, ROOT.stat(at("d")).type());
  }

  @Test
  void movesTheTimesOfTheParent() {
    touches(here(), () -> ALICE.mkdir(at("d"), 0755), Time.MTIME, Time.CTIME);
    Stat made = ROOT.stat(at("d"));
    assertEquals(made.ctime(), made.mtime());
    assertEquals(made.ctime(), made.atime());
    assertFalse(made.ctime().isBefore(ROOT.stat(here()).ctime()));
  }

  @Test
  void neverReplaces() {
    ALICE.file(at("file"), 0644);
    ALICE.mkdir(at("directory"), 0755);
    ALICE.symlink("directory", at("link"));
    ALICE.symlink("nowhere", at("dangling"));
    ALICE.mknod(at("fifo"), S_IFIFO | 0644, 0);
    for (String name : List.of("file", "directory", "link", "dangling", "fifo", ".", "..")) {
      refusesAndTouchesNothing(EEXIST, here(), () -> ALICE.mkdir(at(name), 0755));
      refuses(EEXIST, () -> ROOT.mkdir(at(name), 0755));
    }
    refuses(EEXIST, () -> ROOT.mkdir("/", 0755));
  }

  @Test
  void needsToWriteTheParent() {
    ROOT.directory(at("d"), 0755);
    refusesAndTouchesNothing(EACCES, at("d"), () -> ALICE.mkdir(at("d/s"), 0755));
    ROOT.chmod(at("d"), 0756);
    refuses(EACCES, () -> ALICE.mkdir(at("d/s"), 0755));
    ROOT.chmod(at("d"), 0753);
    ALICE.mkdir(at("d/s"), 0755);
    // What exists is told without a right to write.
    ROOT.chmod(at("d"), 0755);
    refuses(EEXIST, () -> BOB.mkdir(at("d/s"), 0755));
  }

  @Test
  void isRelativeToADescriptor() {
    ALICE.mkdir(at("d"), 0755);
    int fd = ALICE.open(at("d"), O_PATH);
    ALICE.mkdirat(fd, "s", 0755);
    assertEquals(List.of("s"), ALICE.names(at("d")));
    int file = ALICE.open(at("f"), O_CREAT | O_RDWR, 0644);
    refuses(ENOTDIR, () -> ALICE.mkdirat(file, "s", 0755));
    refuses(EBADF, () -> ALICE.mkdirat(9999, "s", 0755));
  }

  @Test
  void nothingIsMadeInARemovedDirectory() {
    ALICE.mkdir(at("d"), 0755);
    int fd = ALICE.open(at("d"), O_RDONLY);
    ALICE.rmdir(at("d"));
    refuses(ENOENT, () -> ALICE.mkdirat(fd, "s", 0755));
    refuses(ENOENT, () -> ALICE.openat(fd, "f", O_CREAT | O_RDWR, 0644));
    assertEquals(0, ROOT.fstat(fd).nlink());
  }
}
