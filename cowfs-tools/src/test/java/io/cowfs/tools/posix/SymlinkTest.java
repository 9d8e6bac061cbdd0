package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** symlink(2) and readlink(2). */
class SymlinkTest extends PosixContract {
  @ParameterizedTest
  @ValueSource(ints = {1, 59, 60, 255, 256, 1000, 2048, 4094, 4095})
  void targetsOfAnyLengthAreKept(int length) {
    String target = name(length);
    ALICE.symlink(target, at("link"));
    assertEquals(target, ALICE.readlink(at("link")));
    Stat made = ROOT.lstat(at("link"));
    assertEquals(length, made.size());
    assertEquals(S_IFLNK | 0777, made.mode());
    assertEquals(1, made.nlink());
    assertEquals(List.of(ALICE.uid(), ALICE.gid()), List.of(made.uid(), made.gid()));
  }

  @Test
  void tooLongAndEmptyTargetsAreRefused() {
    refusesAndTouchesNothing(ENAMETOOLONG, here(), () -> ALICE.symlink(name(4096), at("link")));
    refusesAndTouchesNothing(ENOENT, here(), () -> ALICE.symlink("", at("link")));
  }

  @Test
  void theMaskDoesNotCount() {
    C.umask(0777);
    ALICE.symlink("target", at("link"));
    assertEquals(0777, ROOT.lstat(at("link")).permissions());
  }

  @Test
  void aSetGroupIdDirectoryGivesItsGroup() {
    ROOT.directory(at("d"), 0777);
    ROOT.chown(at("d"), 0, 12_345);
    ROOT.chmod(at("d"), 02777);
    ALICE.symlink("target", at("d/link"));
    assertEquals(12_345, ROOT.lstat(at("d/link")).gid());
  }

  @Test
  void movesTheTimesOfTheParent() {
    touches(here(), () -> ALICE.symlink("target", at("link")), Time.MTIME, Time.CTIME);
  }

  @Test
  void neverReplaces() {
    ALICE.file(at("file"), 0644);
    ALICE.mkdir(at("directory"), 0755);
    ALICE.symlink("nowhere", at("dangling"));
    for (String name : List.of("file", "directory", "dangling", ".", "..")) {
      refusesAndTouchesNothing(EEXIST, here(), () -> ALICE.symlink("target", at(name)));
    }
  }

  @Test
  void needsToWriteTheParent() {
    ROOT.directory(at("d"), 0755);
    refusesAndTouchesNothing(EACCES, at("d"), () -> ALICE.symlink("target", at("d/link")));
  }

  @Test
  void leadsToFilesAndDirectories() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.put(at("d/f"), "content");
    ALICE.symlink("d/f", at("relative"));
    ALICE.symlink(at("d"), at("absolute"));
    ALICE.symlink("../relative", at("d/up"));
    assertEquals("content", ALICE.read(ALICE.open(at("relative"), O_RDONLY), 10));
    assertEquals("content", ALICE.read(ALICE.open(at("absolute/f"), O_RDONLY), 10));
    assertEquals("content", ALICE.read(ALICE.open(at("absolute/up"), O_RDONLY), 10));
    assertEquals(S_IFREG, ROOT.stat(at("relative")).type());
    assertEquals(S_IFLNK, ROOT.lstat(at("relative")).type());
    // A slash behind the link follows it.
    assertEquals(S_IFDIR, ROOT.lstat(at("absolute/")).type());
  }

  @Test
  void readlinkCutsWhatDoesNotFit() {
    ALICE.symlink("target", at("link"));
    assertEquals("tar", ALICE.readlink(at("link"), 3));
    assertEquals("target", ALICE.readlink(at("link"), 6));
    refuses(EINVAL, () -> ALICE.readlink(at("link"), 0));
  }

  @Test
  void readlinkIsForLinksOnly() {
    ALICE.file(at("file"), 0644);
    ALICE.mkdir(at("directory"), 0755);
    ALICE.mknod(at("fifo"), S_IFIFO | 0644, 0);
    for (String name : List.of("file", "directory", "fifo")) {
      refuses(EINVAL, () -> ALICE.readlink(at(name)));
    }
  }

  @Test
  void readlinkNeedsNoPermissionOfTheLink() {
    ROOT.symlink("target", at("link"));
    assertEquals("target", ALICE.readlink(at("link")));
  }

  @Test
  void readlinkMovesAnOldAccessTimeAndNoOther() {
    ALICE.symlink("target", at("link"));
    ROOT.utimensat(AT_FDCWD, at("link"), new long[] {1, 0, 2, 0}, AT_SYMLINK_NOFOLLOW);
    touches(at("link"), () -> ALICE.readlink(at("link")), Time.ATIME);
  }

  @Test
  void theLinkItselfIsRemoved() {
    ALICE.put(at("f"), "content");
    ALICE.symlink("f", at("link"));
    ALICE.unlink(at("link"));
    assertEquals(List.of("f"), ALICE.names(here()));
  }
}
