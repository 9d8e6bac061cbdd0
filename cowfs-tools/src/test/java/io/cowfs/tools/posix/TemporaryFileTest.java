package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.List;
import org.junit.jupiter.api.Test;

/** open(2) with O_TMPFILE. */
@Needs(Feature.UNNAMED_FILES)
class TemporaryFileTest extends PosixContract {
  private void name(User user, int fd, String path) {
    user.linkat(AT_FDCWD, "/proc/self/fd/" + fd, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
  }

  @Test
  void aFileWithoutANameIsInNoDirectory() {
    int fd = ALICE.open(here(), O_TMPFILE | O_RDWR, 0640);
    Stat stat = ALICE.fstat(fd);
    assertEquals(0, stat.nlink());
    assertEquals(S_IFREG | 0640, stat.mode());
    assertEquals(ALICE.uid(), stat.uid());
    assertEquals(ALICE.gid(), stat.gid());
    ALICE.write(fd, "content");
    assertEquals("content", ALICE.pread(fd, 100, 0));
    assertEquals(List.of(), ALICE.names(here()));
  }

  @Test
  void itGetsANameLater() {
    int fd = ALICE.open(here(), O_TMPFILE | O_RDWR, 0600);
    ALICE.write(fd, "x".repeat(100_000));
    name(ALICE, fd, at("named"));
    assertEquals(1, ALICE.fstat(fd).nlink());
    assertEquals(ALICE.fstat(fd).ino(), ALICE.stat(at("named")).ino());
    ALICE.close(fd);
    assertEquals(100_000, ALICE.stat(at("named")).size());
    int again = ALICE.open(at("named"), O_RDONLY);
    assertEquals("x".repeat(100_000), ALICE.pread(again, 100_001, 0));
    ALICE.link(at("named"), at("second"));
    assertEquals(2, ALICE.stat(at("named")).nlink());
  }

  @Test
  void aNameThatIsThereIsNotReplaced() {
    ALICE.file(at("there"), 0600);
    int fd = ALICE.open(here(), O_TMPFILE | O_RDWR, 0600);
    refuses(EEXIST, () -> name(ALICE, fd, at("there")));
    name(ALICE, fd, at("free"));
    assertEquals(List.of("free", "there"), ALICE.names(here()));
  }

  @Test
  void oneThatLostItsNameGetsNoOther() {
    int fd = ALICE.open(here(), O_TMPFILE | O_RDWR, 0600);
    name(ALICE, fd, at("named"));
    ALICE.unlink(at("named"));
    refuses(ENOENT, () -> name(ALICE, fd, at("again")));
  }

  @Test
  void withExclItNeverGetsAName() {
    int fd = ALICE.open(here(), O_TMPFILE | O_RDWR | O_EXCL, 0600);
    refuses(ENOENT, () -> name(ALICE, fd, at("named")));
    assertFalse(ALICE.exists(at("named")));
  }

  @Test
  void itFollowsTheRulesOfItsDirectory() {
    String shared = ROOT.directory(at("shared"), 0777);
    ROOT.chown(shared, 0, BOB.gid());
    ROOT.chmod(shared, 02777);
    int fd = ALICE.open(shared, O_TMPFILE | O_RDWR, 0666);
    assertEquals(BOB.gid(), ALICE.fstat(fd).gid());
    refuses(EACCES, () -> ALICE.open(ROOT.directory(at("closed"), 0755), O_TMPFILE | O_RDWR, 0600));
    refuses(EINVAL, () -> ALICE.open(here(), O_TMPFILE | O_RDONLY, 0600));
  }
}
