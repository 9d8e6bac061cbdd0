package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** rename(2) and renameat2(2) without flags. */
class RenameTest extends PosixContract {
  @ParameterizedTest
  @ValueSource(ints = {S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK})
  void movesAllTypes(int type) {
    ROOT.mknod(at("a"), type | 0644, 259);
    ROOT.mkdir(at("d"), 0755);
    Stat before = ROOT.lstat(at("a"));
    ROOT.rename(at("a"), at("d/b"));
    assertFalse(ROOT.exists(at("a")));
    Stat after = ROOT.lstat(at("d/b"));
    assertEquals(before.ino(), after.ino());
    assertEquals(before.mode(), after.mode());
    assertEquals(1, after.nlink());
  }

  @Test
  void aSymbolicLinkIsMovedItself() {
    ALICE.put(at("f"), "content");
    ALICE.symlink("f", at("link"));
    ALICE.rename(at("link"), at("moved"));
    assertEquals("f", ALICE.readlink(at("moved")));
    // And replaced itself.
    ALICE.put(at("g"), "other");
    ALICE.rename(at("g"), at("moved"));
    assertEquals(S_IFREG, ROOT.lstat(at("moved")).type());
    assertEquals("content", ALICE.read(ALICE.open(at("f"), O_RDONLY), 10));
  }

  @Test
  void replacesAFileAtOnce() {
    ALICE.put(at("a"), "new");
    ALICE.put(at("b"), "old");
    ALICE.link(at("b"), at("b2"));
    int open = ALICE.open(at("b"), O_RDONLY);
    tick();
    Stat old = ROOT.stat(at("b2"));
    ALICE.rename(at("a"), at("b"));
    assertEquals("new", ALICE.read(ALICE.open(at("b"), O_RDONLY), 10));
    assertEquals("old", ALICE.read(open, 10));
    Stat left = ROOT.stat(at("b2"));
    assertEquals(1, left.nlink());
    assertEquals(true, left.ctime().isAfter(old.ctime()));
    assertEquals(List.of("b", "b2"), ALICE.names(here()));
  }

  @Test
  void twoNamesOfOneFileBothStay() {
    ALICE.put(at("a"), "content");
    ALICE.link(at("a"), at("b"));
    touches(at("a"), () -> ALICE.rename(at("a"), at("b")));
    touches(here(), () -> ALICE.rename(at("a"), at("a")));
    assertEquals(List.of("a", "b"), ALICE.names(here()));
    assertEquals(2, ROOT.stat(at("a")).nlink());
  }

  @Test
  void movesTheTimesOfBothParentsAndTheChangeTime() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.mkdir(at("e"), 0755);
    ALICE.file(at("d/f"), 0644);
    touches(at("d/f"), at("d/g"), () -> ALICE.rename(at("d/f"), at("d/g")), Time.CTIME);
    touches(at("d"), () -> ALICE.rename(at("d/g"), at("d/f")), Time.MTIME, Time.CTIME);
    touches(at("d"), () -> ALICE.rename(at("d/f"), at("e/f")), Time.MTIME, Time.CTIME);
    touches(at("d"), () -> ALICE.rename(at("e/f"), at("d/f")), Time.MTIME, Time.CTIME);
    ALICE.mkdir(at("d/s"), 0755);
    touches(at("d/s"), at("e/s"), () -> ALICE.rename(at("d/s"), at("e/s")), Time.CTIME);
  }

  @Test
  void aDirectoryReplacesAnEmptyOneOnly() {
    ALICE.mkdir(at("a"), 0755);
    ALICE.file(at("a/in"), 0644);
    ALICE.mkdir(at("b"), 0755);
    ALICE.file(at("b/other"), 0644);
    refusesAndTouchesNothing(ENOTEMPTY, at("a"), () -> ALICE.rename(at("a"), at("b")));
    ALICE.unlink(at("b/other"));
    int links = ROOT.stat(here()).nlink();
    int old = ALICE.open(at("b"), O_RDONLY);
    ALICE.rename(at("a"), at("b"));
    assertEquals(List.of("in"), ALICE.names(at("b")));
    assertEquals(links - 1, ROOT.stat(here()).nlink());
    assertEquals(0, ROOT.fstat(old).nlink());
  }

  @Test
  void filesAndDirectoriesDoNotReplaceEachOther() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.file(at("f"), 0644);
    ALICE.mknod(at("fifo"), S_IFIFO | 0644, 0);
    ALICE.symlink("d", at("link"));
    for (String other : List.of("f", "fifo", "link")) {
      refusesAndTouchesNothing(ENOTDIR, here(), () -> ALICE.rename(at("d"), at(other)));
      refusesAndTouchesNothing(EISDIR, here(), () -> ALICE.rename(at(other), at("d")));
    }
  }

  @Test
  void aDirectoryIsNotMovedBelowItself() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.mkdir(at("d/s"), 0755);
    ALICE.mkdir(at("d/s/t"), 0755);
    refusesAndTouchesNothing(EINVAL, at("d"), () -> ALICE.rename(at("d"), at("d/x")));
    refuses(EINVAL, () -> ALICE.rename(at("d"), at("d/s/x")));
    refuses(EINVAL, () -> ALICE.rename(at("d"), at("d/s/t/x")));
    refuses(EINVAL, () -> ALICE.rename(at("d"), at("d/s/t")));
    refuses(ENOTEMPTY, () -> ALICE.rename(at("d/s/t"), at("d")));
    refuses(ENOTEMPTY, () -> ALICE.rename(at("d/s"), at("d")));
  }

  @Test
  void dotAndDotDotAreBusy() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.mkdir(at("e"), 0755);
    refuses(EBUSY, () -> ALICE.rename(at("d/."), at("e")));
    refuses(EBUSY, () -> ALICE.rename(at("d/.."), at("e")));
    refuses(EBUSY, () -> ALICE.rename(at("d"), at("e/.")));
    refuses(EBUSY, () -> ALICE.rename(at("d"), at("e/..")));
  }

  @Test
  void theParentOfAMovedDirectoryChanges() {
    ALICE.mkdir(at("a"), 0755);
    ALICE.mkdir(at("b"), 0755);
    ALICE.mkdir(at("a/s"), 0755);
    ALICE.rename(at("a/s"), at("b/t"));
    assertEquals(2, ROOT.stat(at("a")).nlink());
    assertEquals(3, ROOT.stat(at("b")).nlink());
    assertEquals(ROOT.stat(at("b")).ino(), ROOT.stat(at("b/t/..")).ino());
    int fd = ALICE.open(at("b/t"), O_RDONLY);
    long dotDot =
        ALICE.restOfDirectory(fd).stream()
            .filter(entry -> entry.name().equals(".."))
            .mapToLong(User.Entry::ino)
            .findAny()
            .orElseThrow();
    assertEquals(ROOT.stat(at("b")).ino(), dotDot);
  }

  @Test
  void anOpenDirectoryGoesOnWhereItIsMoved() {
    ALICE.mkdir(at("a"), 0755);
    ALICE.mkdir(at("b"), 0755);
    int fd = ALICE.open(at("a"), O_RDONLY);
    ALICE.rename(at("a"), at("b/c"));
    ALICE.mkdirat(fd, "s", 0755);
    assertEquals(List.of("s"), ALICE.names(at("b/c")));
    assertEquals(ROOT.stat(at("b")).ino(), ROOT.statx(fd, "..", 0).ino());
  }

  @Test
  void needsToWriteBothParents() {
    ROOT.directory(at("open"), 0777);
    ROOT.directory(at("closed"), 0755);
    ALICE.file(at("open/f"), 0644);
    ROOT.file(at("closed/g"), 0644);
    refusesAndTouchesNothing(EACCES, at("open"), () -> ALICE.rename(at("open/f"), at("closed/f")));
    refusesAndTouchesNothing(
        EACCES, at("closed"), () -> ALICE.rename(at("closed/g"), at("open/g")));
    refuses(EACCES, () -> ALICE.rename(at("closed/g"), at("closed/h")));
    ALICE.rename(at("open/f"), at("open/h"));
  }

  @Test
  void aDirectoryOfOthersIsMovedWhereItsParentStays() {
    ROOT.directory(at("a"), 0777);
    ROOT.directory(at("b"), 0777);
    ROOT.directory(at("a/s"), 0755);
    // Its entry ".." would change, for which one must be able to write it.
    refusesAndTouchesNothing(EACCES, at("a/s"), () -> ALICE.rename(at("a/s"), at("b/s")));
    ALICE.rename(at("a/s"), at("a/t"));
    ROOT.chmod(at("a/t"), 0757);
    ALICE.rename(at("a/t"), at("b/t"));
  }

  /** Who owns the sticky directory, and who the file in it; whether ALICE may move it. */
  private void sticky(User ofDirectory, User ofFile, boolean may) {
    ROOT.directory(at("sticky"), 0777);
    ROOT.directory(at("plain"), 0777);
    ofFile.file(at("sticky/f"), 0666);
    ofFile.file(at("sticky/g"), 0666);
    ofFile.mkdir(at("sticky/d"), 0777);
    ALICE.file(at("plain/over"), 0666);
    ROOT.chown(at("sticky"), ofDirectory.uid(), -1);
    ROOT.chmod(at("sticky"), 01777);
    if (may) {
      ALICE.rename(at("sticky/f"), at("plain/f"));
      ALICE.rename(at("sticky/d"), at("plain/d"));
      ALICE.rename(at("plain/over"), at("sticky/g"));
    } else {
      refusesAndTouchesNothing(
          EPERM, at("sticky"), () -> ALICE.rename(at("sticky/f"), at("plain/f")));
      refuses(EPERM, () -> ALICE.rename(at("sticky/f"), at("sticky/h")));
      refuses(EPERM, () -> ALICE.rename(at("sticky/d"), at("plain/d")));
      refusesAndTouchesNothing(
          EPERM, at("sticky"), () -> ALICE.rename(at("plain/over"), at("sticky/g")));
      refuses(EPERM, () -> ALICE.rename(at("plain/over"), at("sticky/g"), RENAME_EXCHANGE));
    }
  }

  @Test
  void aStickyDirectoryOfOthersProtectsFilesOfOthers() {
    sticky(ROOT, BOB, false);
  }

  @Test
  void onesOwnFilesMoveInAStickyDirectory() {
    sticky(ROOT, ALICE, true);
  }

  @Test
  void theOwnerOfAStickyDirectoryMovesAllFiles() {
    sticky(ALICE, BOB, true);
  }

  @Test
  void isNotDoneAcrossMounts() {
    ALICE.file(at("f"), 0644);
    String view = view(0);
    refusesAndTouchesNothing(EXDEV, here(), () -> ROOT.rename(at("f"), view + "/g"));
    refuses(EXDEV, () -> ROOT.rename(view + "/f", at("g")));
  }

  @Test
  void aMountPointIsBusy() {
    ROOT.mkdir(at("d"), 0755);
    ROOT.mkdir(at("e"), 0755);
    ROOT.bind(at("e"), at("d"), 0);
    afterwards(() -> ROOT.unmount(at("d")));
    refuses(EBUSY, () -> ROOT.rename(at("d"), at("x")));
    refuses(EBUSY, () -> ROOT.rename(at("e"), at("d")));
  }

  @Test
  void theNewNameMayEndWithASlashForADirectory() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.rename(at("d/"), at("e/"));
    ALICE.file(at("f"), 0644);
    refuses(ENOTDIR, () -> ALICE.rename(at("f"), at("g/")));
    refuses(ENOTDIR, () -> ALICE.rename(at("f/"), at("g")));
    assertEquals(List.of("e", "f"), ALICE.names(here()));
  }

  @Needs(Feature.RENAME_FLAGS)
  @Test
  void noReplaceRefusesWhatIsThere() {
    ALICE.put(at("a"), "a");
    ALICE.put(at("b"), "b");
    ALICE.mkdir(at("d"), 0755);
    ALICE.symlink("nowhere", at("link"));
    for (String name : List.of("a", "b", "d", "link")) {
      refusesAndTouchesNothing(
          EEXIST, at("a"), () -> ALICE.rename(at("a"), at(name), RENAME_NOREPLACE));
    }
    ALICE.rename(at("a"), at("c"), RENAME_NOREPLACE);
    assertEquals(List.of("b", "c", "d", "link"), ALICE.names(here()));
    refuses(ENOENT, () -> ALICE.rename(at("a"), at("e"), RENAME_NOREPLACE));
  }

  @Needs(Feature.RENAME_FLAGS)
  @Test
  void exchangeSwapsTwoNames() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.mkdir(at("e"), 0755);
    ALICE.put(at("d/f"), "f");
    ALICE.mkdir(at("e/s"), 0755);
    ALICE.file(at("e/s/in"), 0644);
    long file = ROOT.stat(at("d/f")).ino();
    touches(
        at("d"), () -> ALICE.rename(at("d/f"), at("e/s"), RENAME_EXCHANGE), Time.MTIME, Time.CTIME);
    assertEquals(file, ROOT.stat(at("e/s")).ino());
    assertEquals(List.of("in"), ALICE.names(at("d/f")));
    assertEquals(3, ROOT.stat(at("d")).nlink());
    assertEquals(2, ROOT.stat(at("e")).nlink());
    assertEquals(ROOT.stat(at("d")).ino(), ROOT.stat(at("d/f/..")).ino());
    touches(
        at("e/s"),
        at("d/f"),
        () -> ALICE.rename(at("d/f"), at("e/s"), RENAME_EXCHANGE),
        Time.CTIME);
  }

  @Test
  void exchangeNeedsBothAndNoLoop() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.mkdir(at("d/s"), 0755);
    ALICE.file(at("d/f"), 0644);
    refuses(ENOENT, () -> ALICE.rename(at("d"), at("missing"), RENAME_EXCHANGE));
    refuses(ENOENT, () -> ALICE.rename(at("missing"), at("d"), RENAME_EXCHANGE));
    refuses(EINVAL, () -> ALICE.rename(at("d"), at("d/s"), RENAME_EXCHANGE));
    refuses(EINVAL, () -> ALICE.rename(at("d/s"), at("d"), RENAME_EXCHANGE));
    refuses(EINVAL, () -> ALICE.rename(at("d/f"), at("d"), RENAME_EXCHANGE));
    touches(at("d"), () -> ALICE.rename(at("d/f"), at("d/f"), RENAME_EXCHANGE));
  }

  @Test
  void contradictingFlagsAreRefused() {
    ALICE.file(at("a"), 0644);
    ALICE.file(at("b"), 0644);
    for (int flags :
        new int[] {RENAME_NOREPLACE | RENAME_EXCHANGE, 8, RENAME_WHITEOUT | RENAME_EXCHANGE}) {
      refuses(EINVAL, () -> ROOT.rename(at("a"), at("b"), flags));
    }
  }
}
