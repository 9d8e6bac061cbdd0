package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** unlink(2) and unlinkat(2). */
class UnlinkTest extends PosixContract {
  @ParameterizedTest
  @ValueSource(ints = {S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK})
  void removesAllTypesButDirectories(int type) {
    ROOT.mknod(at("a"), type | 0644, 259);
    ALICE.unlink(at("a"));
    assertFalse(ROOT.exists(at("a")));
    refuses(ENOENT, () -> ALICE.unlink(at("a")));
  }

  @Test
  void movesTheTimesOfTheParentAndTheChangeTimeOfTheFile() {
    ALICE.file(at("a"), 0644);
    ALICE.link(at("a"), at("b"));
    touches(at("a"), () -> ALICE.unlink(at("b")), Time.CTIME);
    touches(here(), () -> ALICE.unlink(at("a")), Time.MTIME, Time.CTIME);
  }

  @Test
  void theTimeOfALostFileIsThatOfItsLoss() {
    int fd = ALICE.open(at("a"), O_CREAT | O_RDWR, 0644);
    Stat before = ROOT.fstat(fd);
    tick();
    ALICE.unlink(at("a"));
    Stat after = ROOT.fstat(fd);
    assertEquals(true, after.ctime().isAfter(before.ctime()));
    assertEquals(before.mtime(), after.mtime());
    assertEquals(0, after.nlink());
  }

  @Test
  void anOpenFileLivesOn() {
    int fd = ALICE.open(at("a"), O_CREAT | O_RDWR, 0644);
    ALICE.write(fd, "before");
    ALICE.unlink(at("a"));
    ALICE.write(fd, " and after");
    assertEquals("before and after", ALICE.pread(fd, 100, 0));
    ALICE.fchmod(fd, 0600);
    ALICE.ftruncate(fd, 6);
    ALICE.fsetxattr(fd, "user.a", "b");
    ROOT.fchown(fd, 1, 2);
    Stat stat = ROOT.fstat(fd);
    assertEquals(
        List.of(0, 0600, 1, 2), List.of(stat.nlink(), stat.permissions(), stat.uid(), stat.gid()));
    assertEquals(6, stat.size());
    assertEquals("b", ROOT.fgetxattr(fd, "user.a"));
    // Another file of the same name is another one.
    ALICE.put(at("a"), "new");
    assertEquals("before", ALICE.pread(fd, 100, 0));
    int again = ROOT.open("/proc/self/fd/" + fd, O_RDWR);
    assertEquals("before", ROOT.pread(again, 100, 0));
  }

  @Test
  void directoriesAreRefused() {
    ALICE.mkdir(at("d"), 0755);
    for (User user : new User[] {ALICE, ROOT}) {
      refusesAndTouchesNothing(EISDIR, here(), () -> user.unlink(at("d")));
      refuses(EISDIR, () -> user.unlink(at("d/")));
      refuses(EISDIR, () -> user.unlink(at("d/.")));
      refuses(EISDIR, () -> user.unlink(at("d/..")));
    }
    refuses(EINVAL, () -> ALICE.unlinkat(AT_FDCWD, at("d"), 1));
  }

  @Test
  void needsToWriteTheParentAndNotTheFile() {
    ROOT.directory(at("d"), 0777);
    ROOT.file(at("d/f"), 0);
    ROOT.file(at("d/g"), 0);
    ALICE.unlink(at("d/f"));
    ROOT.chmod(at("d"), 0755);
    refusesAndTouchesNothing(EACCES, at("d"), () -> ALICE.unlink(at("d/g")));
    ROOT.chmod(at("d"), 0756);
    refuses(EACCES, () -> ALICE.unlink(at("d/g")));
  }

  @Test
  void aStickyDirectoryProtectsItsFiles() {
    ROOT.directory(at("d"), 0777);
    ROOT.chown(at("d"), BOB.uid(), BOB.gid());
    ROOT.chmod(at("d"), 01777);
    ALICE.file(at("d/alice"), 0666);
    ALICE.file(at("d/alice2"), 0666);
    ROOT.file(at("d/root"), 0666);
    ROOT.file(at("d/root2"), 0666);
    BOB.file(at("d/bob"), 0666);
    refusesAndTouchesNothing(EPERM, at("d"), () -> ALICE.unlink(at("d/bob")));
    refusesAndTouchesNothing(EPERM, at("d"), () -> ALICE.unlink(at("d/root")));
    ALICE.unlink(at("d/alice"));
    BOB.unlink(at("d/alice2"));
    BOB.unlink(at("d/root"));
    ROOT.unlink(at("d/root2"));
    ROOT.unlink(at("d/bob"));
    assertEquals(List.of(), ROOT.names(at("d")));
  }

  @Test
  void aMountPointIsBusy() {
    ROOT.file(at("f"), 0644);
    ROOT.file(at("g"), 0644);
    ROOT.bind(at("g"), at("f"), 0);
    afterwards(() -> ROOT.unmount(at("f")));
    refuses(EBUSY, () -> ROOT.unlink(at("f")));
    refuses(EBUSY, () -> ROOT.rename(at("f"), at("h")));
    refuses(EBUSY, () -> ROOT.rename(at("g"), at("f")));
  }

  @Test
  void spaceOfALostFileComesBackWithTheLastClose() {
    int fd = ALICE.open(at("f"), O_CREAT | O_RDWR, 0644);
    ALICE.write(fd, "x".repeat(100_000));
    ALICE.unlink(at("f"));
    assertEquals(100_000, ROOT.fstat(fd).size());
    ALICE.close(fd);
    assertEquals(List.of(), ROOT.names(here()));
  }
}
