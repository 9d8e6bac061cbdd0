package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** chown(2), fchown(2), lchown(2) and fchownat(2). */
class ChownTest extends PosixContract {
  @Needs(Feature.EMPTY_CHANGES)
  @Test
  void aChownToNothingMovesTheTime() {
    ALICE.file(at("f"), 0644);
    touches(at("f"), () -> BOB.chown(at("f"), -1, -1), Time.CTIME);
  }

  @Test
  void whoeverTakesPrivilegesAwayMustOwnTheFile() {
    for (int mode : new int[] {04755, 02755, 06711}) {
      String path = ALICE.file(at("f" + mode), mode);
      if (mount != Mount.KERNEL_WITHOUT_WRITEBACK) {
        // There, the request says nothing of what is wanted.
        refusesAndTouchesNothing(EPERM, path, () -> BOB.chown(path, -1, -1));
      }
      assertEquals(mode, ROOT.stat(path).permissions());
      ALICE.chown(path, -1, -1);
      assertEquals(mode & 0777, ROOT.stat(path).permissions());
    }
    ALICE.directory(at("d"), 02755);
    ALICE.chown(at("d"), -1, -1);
    assertEquals(02755, ROOT.stat(at("d")).permissions());
  }

  private static List<Integer> owner(Stat stat) {
    return List.of(stat.uid(), stat.gid());
  }

  @ParameterizedTest
  @ValueSource(ints = {S_IFREG, S_IFDIR, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK})
  void rootGivesFilesOfAllTypes(int type) {
    if (type == S_IFDIR) {
      ROOT.mkdir(at("f"), 0755);
    } else {
      ROOT.mknod(at("f"), type | 0644, 259);
    }
    ROOT.chown(at("f"), 123, 456);
    assertEquals(List.of(123, 456), owner(ROOT.stat(at("f"))));
    ROOT.chown(at("f"), -1, 7);
    assertEquals(List.of(123, 7), owner(ROOT.stat(at("f"))));
    ROOT.chown(at("f"), 8, -1);
    assertEquals(List.of(8, 7), owner(ROOT.stat(at("f"))));
    ROOT.chown(at("f"), 0x7fff_fffe, 0xffff_fffe);
    assertEquals(List.of(0x7fff_fffe, 0xffff_fffe), owner(ROOT.stat(at("f"))));
  }

  @Test
  void movesTheChangeTimeOnly() {
    ALICE.file(at("f"), 0644);
    touches(at("f"), () -> ROOT.chown(at("f"), 1, 2), Time.CTIME);
    touches(at("f"), () -> ROOT.chown(at("f"), 1, 2), Time.CTIME);
    touches(at("f"), () -> ROOT.chown(at("f"), -1, 3), Time.CTIME);
    int fd = ROOT.open(at("f"), O_RDONLY);
    touches(at("f"), () -> ROOT.fchown(fd, 4, 5), Time.CTIME);
    assertEquals(List.of(4, 5), owner(ROOT.stat(at("f"))));
  }

  @Test
  void usersGiveTheirFilesToTheirGroupsOnly() {
    ALICE.file(at("f"), 0644);
    ALICE.chown(at("f"), -1, ALICE.otherGroup());
    ALICE.chown(at("f"), ALICE.uid(), ALICE.gid());
    assertEquals(List.of(ALICE.uid(), ALICE.gid()), owner(ROOT.stat(at("f"))));
    refusesAndTouchesNothing(EPERM, at("f"), () -> ALICE.chown(at("f"), BOB.uid(), -1));
    refusesAndTouchesNothing(EPERM, at("f"), () -> ALICE.chown(at("f"), -1, BOB.gid()));
    refuses(EPERM, () -> ALICE.chown(at("f"), 0, -1));
    refuses(EPERM, () -> BOB.chown(at("f"), BOB.uid(), -1));
    refuses(EPERM, () -> BOB.chown(at("f"), -1, BOB.gid()));
    refuses(EPERM, () -> BOB.chown(at("f"), ALICE.uid(), -1));
    assertEquals(List.of(ALICE.uid(), ALICE.gid()), owner(ROOT.stat(at("f"))));
  }

  @Test
  void linksAreFollowedUnlessAsked() {
    ROOT.file(at("f"), 0644);
    ROOT.symlink("f", at("link"));
    ROOT.chown(at("link"), 1, 2);
    assertEquals(List.of(1, 2), owner(ROOT.stat(at("f"))));
    assertEquals(List.of(0, 0), owner(ROOT.lstat(at("link"))));
    touches(at("link"), () -> ROOT.lchown(at("link"), 3, 4), Time.CTIME);
    assertEquals(List.of(3, 4), owner(ROOT.lstat(at("link"))));
    assertEquals(List.of(1, 2), owner(ROOT.stat(at("f"))));
    int path = ROOT.open(at("f"), O_PATH);
    ROOT.fchownat(path, "", 5, 6, AT_EMPTY_PATH);
    assertEquals(List.of(5, 6), owner(ROOT.stat(at("f"))));
  }

  @ParameterizedTest
  @CsvSource({"04755, 0755", "02755, 0755", "06777, 0777", "06711, 0711", "01755, 01755"})
  void takesPrivilegesAway(String before, String after) {
    int mode = Integer.parseInt(before, 8);
    int expected = Integer.parseInt(after, 8);
    ROOT.file(at("r"), mode);
    ROOT.chown(at("r"), 1, 2);
    assertEquals(expected, ROOT.stat(at("r")).permissions());
    ALICE.file(at("a"), 0644);
    ALICE.chmod(at("a"), mode);
    ALICE.chown(at("a"), -1, ALICE.otherGroup());
    assertEquals(expected, ROOT.stat(at("a")).permissions());
    ALICE.chmod(at("a"), mode);
    ALICE.chown(at("a"), ALICE.uid(), -1);
    assertEquals(expected, ROOT.stat(at("a")).permissions());
  }

  @Test
  void directoriesKeepTheirBits() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.chmod(at("d"), 07755);
    ALICE.chown(at("d"), -1, ALICE.otherGroup());
    assertEquals(07755, ROOT.stat(at("d")).permissions());
    ROOT.chown(at("d"), 1, 2);
    assertEquals(07755, ROOT.stat(at("d")).permissions());
  }

  @Test
  void setGroupIdWithoutExecutionIsKeptByRoot() {
    ROOT.file(at("f"), 02644);
    ROOT.chown(at("f"), 1, 2);
    assertEquals(02644, ROOT.stat(at("f")).permissions());
  }

  @Test
  void takesCapabilitiesAway() {
    ROOT.file(at("f"), 0755);
    ROOT.setxattr(at("f"), "security.capability", Capability.VALUE, 0);
    assertEquals(List.of("security.capability"), ROOT.listxattr(at("f")));
    ROOT.chown(at("f"), 1, 2);
    assertEquals(List.of(), ROOT.listxattr(at("f")));
  }
}
