package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** chmod(2), fchmod(2) and fchmodat2(2). */
class ChmodTest extends PosixContract {
  @ParameterizedTest
  @ValueSource(ints = {S_IFREG, S_IFDIR, S_IFIFO, S_IFSOCK})
  void setsEachBit(int type) {
    if (type == S_IFDIR) {
      ALICE.mkdir(at("f"), 0);
    } else {
      ALICE.mknod(at("f"), type, 0);
    }
    for (int mode = 1; mode <= 04000; mode <<= 1) {
      ALICE.chmod(at("f"), mode);
      assertEquals(type | mode, ROOT.stat(at("f")).mode());
    }
    ALICE.chmod(at("f"), 0);
    assertEquals(type, ROOT.stat(at("f")).mode());
    ALICE.chmod(at("f"), 07777);
    assertEquals(type | 07777, ROOT.stat(at("f")).mode());
    // Bits above are no part of the mode.
    ALICE.chmod(at("f"), 0170000 | 0640);
    assertEquals(type | 0640, ROOT.stat(at("f")).mode());
  }

  @Test
  void movesTheChangeTimeOnly() {
    ALICE.file(at("f"), 0644);
    touches(at("f"), () -> ALICE.chmod(at("f"), 0600), Time.CTIME);
    touches(at("f"), () -> ALICE.chmod(at("f"), 0600), Time.CTIME);
    int fd = ALICE.open(at("f"), O_RDONLY);
    touches(at("f"), () -> ALICE.fchmod(fd, 0640), Time.CTIME);
    assertEquals(0640, ROOT.stat(at("f")).permissions());
  }

  @Test
  void onlyTheOwnerAndRootMay() {
    ALICE.file(at("f"), 0666);
    ROOT.chown(at("f"), -1, BOB.gid());
    int fd = BOB.open(at("f"), O_RDWR);
    refusesAndTouchesNothing(EPERM, at("f"), () -> BOB.chmod(at("f"), 0600));
    refusesAndTouchesNothing(EPERM, at("f"), () -> BOB.fchmod(fd, 0600));
    ALICE.chmod(at("f"), 0644);
    ROOT.chmod(at("f"), 0600);
    assertEquals(0600, ROOT.stat(at("f")).permissions());
  }

  @Test
  void setGroupIdOfAForeignGroupIsDropped() {
    ALICE.file(at("f"), 0755);
    ROOT.chown(at("f"), -1, BOB.gid());
    ALICE.chmod(at("f"), 02755);
    assertEquals(0755, ROOT.stat(at("f")).permissions());
    ALICE.chmod(at("f"), 06711);
    assertEquals(04711, ROOT.stat(at("f")).permissions());
    ROOT.chmod(at("f"), 02755);
    assertEquals(02755, ROOT.stat(at("f")).permissions());
    ROOT.chown(at("f"), -1, ALICE.otherGroup());
    ALICE.chmod(at("f"), 02750);
    assertEquals(02750, ROOT.stat(at("f")).permissions());
    ALICE.mkdir(at("d"), 0755);
    ROOT.chown(at("d"), -1, BOB.gid());
    ALICE.chmod(at("d"), 02755);
    assertEquals(0755, ROOT.stat(at("d")).permissions());
  }

  @Test
  void usersMaySetTheStickyBit() {
    ALICE.file(at("f"), 0644);
    ALICE.chmod(at("f"), 01644);
    assertEquals(01644, ROOT.stat(at("f")).permissions());
    ALICE.mkdir(at("d"), 0755);
    ALICE.chmod(at("d"), 01777);
    assertEquals(01777, ROOT.stat(at("d")).permissions());
  }

  @Test
  void linksAreFollowedAndHaveNoModeOfTheirOwn() {
    ALICE.file(at("f"), 0644);
    ALICE.symlink("f", at("link"));
    ALICE.chmod(at("link"), 0600);
    assertEquals(0600, ROOT.stat(at("f")).permissions());
    assertEquals(0777, ROOT.lstat(at("link")).permissions());
    refuses(EOPNOTSUPP, () -> ALICE.fchmodat2(AT_FDCWD, at("link"), 0600, AT_SYMLINK_NOFOLLOW));
    ALICE.fchmodat2(AT_FDCWD, at("f"), 0604, AT_SYMLINK_NOFOLLOW);
    assertEquals(0604, ROOT.stat(at("f")).permissions());
  }
}
