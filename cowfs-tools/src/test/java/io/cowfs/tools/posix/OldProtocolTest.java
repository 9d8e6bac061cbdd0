package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What a mount does that does not have a feature: nothing wrong, and the errno says so. */
class OldProtocolTest extends PosixContract {
  @Lacks(Feature.RENAME_FLAGS)
  @Test
  void renamesWithFlagsChangeNothing() {
    ALICE.put(at("a"), "a");
    ALICE.put(at("b"), "b");
    refusesAndTouchesNothing(
        EINVAL, here(), () -> ALICE.rename(at("a"), at("c"), RENAME_NOREPLACE));
    refusesAndTouchesNothing(EINVAL, here(), () -> ALICE.rename(at("a"), at("b"), RENAME_EXCHANGE));
    refusesAndTouchesNothing(EINVAL, here(), () -> ROOT.rename(at("a"), at("b"), RENAME_WHITEOUT));
    assertEquals(List.of("a", "b"), ALICE.names(here()));
    ALICE.rename(at("a"), at("b"));
    assertEquals("a", ALICE.read(ALICE.open(at("b"), O_RDONLY), 2));
  }

  @Lacks(Feature.HOLES_FOUND)
  @Test
  void aFileIsOnePieceOfData() {
    int fd = ALICE.open(at("f"), O_RDWR | O_CREAT, 0644);
    ALICE.ftruncate(fd, 1 << 20);
    ALICE.pwrite(fd, "x", 1 << 19);
    assertEquals(0, ALICE.lseek(fd, 0, SEEK_DATA));
    assertEquals(5, ALICE.lseek(fd, 5, SEEK_DATA));
    assertEquals(1 << 20, ALICE.lseek(fd, 0, SEEK_HOLE));
    refuses(ENXIO, () -> ALICE.lseek(fd, 1 << 20, SEEK_DATA));
    refuses(ENXIO, () -> ALICE.lseek(fd, 1 << 20, SEEK_HOLE));
  }

  @Lacks(Feature.RANGE_COPIES)
  @Test
  void rangesAreCopiedByReadingAndWriting() {
    int from = ALICE.open(at("from"), O_RDWR | O_CREAT, 0644);
    ALICE.pwrite(from, "content", 1 << 20);
    int to = ALICE.open(at("to"), O_RDWR | O_CREAT, 0644);
    long all = (1 << 20) + 7;
    for (long done = 0; done < all; ) {
      long part = ALICE.copyFileRange(from, done, to, done, all - done);
      assertTrue(part > 0, "no progress");
      done += part;
    }
    assertEquals("\0content", ALICE.pread(to, 9, (1 << 20) - 1));
    // As pwrite(2): what fits below the greatest offset.
    assertEquals(7, ALICE.copyFileRange(from, 1 << 20, to, Long.MAX_VALUE - 7, 8));
    assertEquals("content", ALICE.pread(to, 7, Long.MAX_VALUE - 7));
    refuses(EFBIG, () -> ALICE.copyFileRange(from, 0, to, Long.MAX_VALUE, 8));
  }

  @Lacks(Feature.UNNAMED_FILES)
  @Test
  void filesHaveNames() {
    refusesAndTouchesNothing(
        EOPNOTSUPP, here(), () -> ALICE.open(here(), O_TMPFILE | O_RDWR, 0600));
    assertEquals(List.of(), ALICE.names(here()));
  }

  @Lacks(Feature.FILE_FLAGS)
  @Test
  void filesHaveNoFlags() {
    ALICE.file(at("f"), 0644);
    refuses(ENOTTY, () -> ALICE.getFlags(at("f")));
    refuses(ENOTTY, () -> ROOT.setFlags(at("f"), FS_IMMUTABLE_FL));
    int fd = ROOT.open(at("f"), O_RDONLY);
    refuses(ENOTTY, () -> ROOT.ioctl(fd, FS_IOC_FSGETXATTR, User.argument(28)));
    refuses(ENOTTY, () -> ROOT.ioctl(fd, FITRIM, User.argument(24)));
    ALICE.put(at("f"), "still writable");
  }

  @Lacks(Feature.BIRTH_TIMES)
  @Test
  void filesHaveNoTimeOfBirth() {
    assertNull(ALICE.stat(ALICE.file(at("f"), 0600)).btime());
    assertNull(ALICE.stat(here()).btime());
  }

  @Lacks(Feature.EMPTY_CHANGES)
  @Test
  void aChownToNothingIsNone() {
    ALICE.file(at("f"), 0644);
    touches(at("f"), () -> ALICE.chown(at("f"), -1, -1));
  }

  @Lacks(Feature.ACLS)
  @Test
  void accessControlListsAreRefused() {
    ALICE.directory(at("d"), 0755);
    for (String list : List.of("system.posix_acl_access", "system.posix_acl_default")) {
      refusesAndTouchesNothing(
          EOPNOTSUPP, at("d"), () -> ALICE.setxattr(at("d"), list, new byte[44], 0));
      refuses(EOPNOTSUPP, () -> ALICE.getxattr(at("d"), list));
      refuses(EOPNOTSUPP, () -> ALICE.removexattr(at("d"), list));
    }
    assertEquals(List.of(), ALICE.listxattr(at("d")));
  }

  @Lacks(Feature.CHANGES_OF_REMOVED_DIRECTORIES)
  @Test
  void aRemovedDirectoryStaysAsItWas() {
    ALICE.mkdir(at("d"), 0755);
    int fd = ALICE.open(at("d"), O_RDONLY);
    int path = ALICE.open(at("d"), O_PATH);
    ALICE.rmdir(at("d"));
    refuses(ENOENT, () -> ALICE.fchmod(fd, 0700));
    refuses(ENOENT, () -> ROOT.fchown(fd, 1, 1));
    refuses(ENOENT, () -> ALICE.futimens(fd, 1, 0, 2, 0));
    assertEquals(0755, ALICE.fstat(fd).permissions());
    ALICE.close(fd);
    // With no open descriptor there is nothing that stands for it.
    refuses(ENOENT, () -> ALICE.fstat(path));
  }
}
