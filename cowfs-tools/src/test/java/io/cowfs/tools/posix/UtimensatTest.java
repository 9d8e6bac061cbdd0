package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** utimensat(2) and futimens(3). */
class UtimensatTest extends PosixContract {
  private static final long[] OMIT_BOTH = {0, UTIME_OMIT, 0, UTIME_OMIT};
  private static final long[] NOW_BOTH = {0, UTIME_NOW, 0, UTIME_NOW};

  @ParameterizedTest
  @ValueSource(ints = {S_IFREG, S_IFDIR, S_IFIFO, S_IFSOCK, S_IFCHR})
  void setsBothTimesToTheNanosecond(int type) {
    if (type == S_IFDIR) {
      ALICE.mkdir(at("f"), 0755);
    } else {
      ROOT.mknod(at("f"), type | 0644, 259);
      ROOT.chown(at("f"), ALICE.uid(), ALICE.gid());
    }
    Instant before = ROOT.stat(at("f")).ctime();
    tick();
    ALICE.utimens(at("f"), 1_000_000_000, 123_456_789, 2_000_000_000, 999_999_999);
    Stat stat = ROOT.stat(at("f"));
    assertEquals(Instant.ofEpochSecond(1_000_000_000, 123_456_789), stat.atime());
    assertEquals(Instant.ofEpochSecond(2_000_000_000, 999_999_999), stat.mtime());
    assertEquals(true, stat.ctime().isAfter(before));
  }

  @ParameterizedTest
  @ValueSource(
      longs = {
        -1,
        -2_147_483_647L,
        2_147_483_647L,
        2_147_483_648L,
        4_294_967_296L,
        15_032_385_534L
      })
  void keepsTimesFarAway(long seconds) {
    ALICE.file(at("f"), 0644);
    ALICE.utimens(at("f"), seconds, 1, seconds, 2);
    assertEquals(Instant.ofEpochSecond(seconds, 1), ROOT.stat(at("f")).atime());
    assertEquals(Instant.ofEpochSecond(seconds, 2), ROOT.stat(at("f")).mtime());
  }

  /** Times on ext4 end in 1901 and 2446. */
  @ParameterizedTest
  @ValueSource(longs = {-2_147_483_649L, -62_135_596_800L, 15_032_385_536L, 253_402_300_800L})
  void keepsTimesFartherAwayThanTheHost(long seconds) {
    if (!mount.isHost()) {
      keepsTimesFarAway(seconds);
    }
  }

  @Test
  void setsOneTimeOrNow() {
    ALICE.file(at("f"), 0644);
    ALICE.utimens(at("f"), 1, 2, 3, 4);
    touches(at("f"), () -> ALICE.utimens(at("f"), 0, UTIME_OMIT, 5, 6), Time.MTIME, Time.CTIME);
    touches(at("f"), () -> ALICE.utimens(at("f"), 7, 8, 0, UTIME_OMIT), Time.ATIME, Time.CTIME);
    touches(at("f"), () -> ALICE.utimens(at("f"), OMIT_BOTH));
    Instant start = ROOT.stat(at("f")).ctime();
    tick();
    ALICE.utimens(at("f"), NOW_BOTH);
    Stat now = ROOT.stat(at("f"));
    assertFalse(now.atime().isBefore(start));
    assertFalse(now.mtime().isBefore(start));
    ALICE.utimens(at("f"), 1, 2, 3, 4);
    touches(at("f"), () -> ALICE.utimens(at("f")), Time.ATIME, Time.MTIME, Time.CTIME);
  }

  @Test
  void invalidNanosecondsAreRefused() {
    ALICE.file(at("f"), 0644);
    for (long nanos : new long[] {1_000_000_000, -1, UTIME_NOW + 2}) {
      refusesAndTouchesNothing(EINVAL, at("f"), () -> ALICE.utimens(at("f"), 0, nanos, 0, 0));
      refuses(EINVAL, () -> ALICE.utimens(at("f"), 0, 0, 0, nanos));
    }
    refuses(EINVAL, () -> ALICE.utimensat(AT_FDCWD, at("f"), NOW_BOTH, 0x8000));
  }

  @Test
  void whoMayWriteMaySetTheTimesToNow() {
    ALICE.file(at("f"), 0646);
    BOB.utimens(at("f"));
    BOB.utimens(at("f"), NOW_BOTH);
    refusesAndTouchesNothing(EPERM, at("f"), () -> BOB.utimens(at("f"), 1, 0, 2, 0));
    refuses(EPERM, () -> BOB.utimens(at("f"), 0, UTIME_NOW, 0, UTIME_OMIT));
    refuses(EPERM, () -> BOB.utimens(at("f"), 1, 0, 0, UTIME_OMIT));
    ALICE.chmod(at("f"), 0644);
    refusesAndTouchesNothing(EACCES, at("f"), () -> BOB.utimens(at("f")));
    refuses(EACCES, () -> BOB.utimens(at("f"), NOW_BOTH));
    refuses(EPERM, () -> BOB.utimens(at("f"), 1, 0, 2, 0));
    BOB.utimens(at("f"), OMIT_BOTH);
    ALICE.chmod(at("f"), 0);
    ALICE.utimens(at("f"), 1, 0, 2, 0);
    ALICE.utimens(at("f"));
    ROOT.utimens(at("f"), 3, 0, 4, 0);
  }

  @Test
  void linksAreFollowedUnlessAsked() {
    ALICE.file(at("f"), 0644);
    ALICE.symlink("f", at("link"));
    ALICE.utimens(at("link"), 1, 0, 2, 0);
    assertEquals(Instant.ofEpochSecond(2), ROOT.stat(at("f")).mtime());
    ALICE.utimensat(AT_FDCWD, at("link"), new long[] {3, 0, 4, 5}, AT_SYMLINK_NOFOLLOW);
    assertEquals(Instant.ofEpochSecond(4, 5), ROOT.lstat(at("link")).mtime());
    assertEquals(Instant.ofEpochSecond(2), ROOT.stat(at("f")).mtime());
  }

  @Test
  void worksOnDescriptors() {
    ALICE.file(at("f"), 0644);
    int fd = ALICE.open(at("f"), O_RDONLY);
    ALICE.futimens(fd, 1, 0, 2, 0);
    assertEquals(Instant.ofEpochSecond(2), ROOT.stat(at("f")).mtime());
    int path = ALICE.open(at("f"), O_PATH);
    refuses(EBADF, () -> ALICE.futimens(path, 3, 0, 4, 0));
    ALICE.utimensat(path, "", new long[] {3, 0, 4, 0}, AT_EMPTY_PATH);
    assertEquals(Instant.ofEpochSecond(4), ROOT.stat(at("f")).mtime());
    refuses(EBADF, () -> ALICE.futimens(9999, NOW_BOTH));
  }

  @Test
  void aTimeThatWasSetOutlivesWritesBeforeIt() {
    int fd = ALICE.open(at("f"), O_CREAT | O_RDWR, 0644);
    ALICE.write(fd, "content");
    ALICE.utimens(at("f"), 1, 0, 2, 0);
    ALICE.fsync(fd);
    ALICE.close(fd);
    assertEquals(Instant.ofEpochSecond(2), ROOT.stat(at("f")).mtime());
    assertEquals(List.of(7L), List.of(ROOT.stat(at("f")).size()));
  }
}
