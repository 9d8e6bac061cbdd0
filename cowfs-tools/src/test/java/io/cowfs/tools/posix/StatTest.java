package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** statx(2) in all its forms, and statfs(2). */
class StatTest extends PosixContract {
  @Test
  void pathDescriptorAndHandleTellTheSame() {
    ALICE.put(at("f"), "content");
    Stat byPath = ROOT.stat(at("f"));
    assertEquals(byPath, ROOT.fstat(ALICE.open(at("f"), O_RDONLY)));
    assertEquals(byPath, ROOT.fstat(ALICE.open(at("f"), O_PATH)));
    assertEquals(byPath, ROOT.statx(ALICE.open(here(), O_PATH), "f", 0));
    assertEquals(7, byPath.size());
    assertEquals(1, byPath.nlink());
    assertTrue(byPath.blksize() >= 512);
  }

  @Test
  void allFilesOfAMountAreOfOneDevice() {
    ALICE.mkdir(at("d"), 0755);
    ALICE.file(at("d/f"), 0644);
    assertEquals(ROOT.stat(here()).device(), ROOT.stat(at("d/f")).device());
    assertNotEquals(ROOT.stat(at("d")).ino(), ROOT.stat(at("d/f")).ino());
  }

  @Test
  void blocksTellTheSpaceTaken() {
    int fd = ALICE.open(at("f"), O_CREAT | O_RDWR, 0644);
    assertEquals(0, ROOT.stat(at("f")).blocks());
    String random =
        new java.util.Random(1)
            .ints(1 << 20, 0, 256)
            .collect(StringBuilder::new, (s, c) -> s.append((char) c), StringBuilder::append)
            .toString();
    ALICE.write(fd, random);
    ALICE.fsync(fd);
    // With its writeback cache, the kernel asks for the blocks of a file when one closes it.
    ALICE.close(ALICE.dup(fd));
    long blocks = ROOT.stat(at("f")).blocks();
    assertTrue(blocks >= 2048 && blocks < 2300, "blocks " + blocks);
    ALICE.ftruncate(fd, 1 << 30);
    ALICE.fsync(fd);
    assertTrue(ROOT.stat(at("f")).blocks() < 2300);
    ALICE.ftruncate(fd, 0);
    ALICE.fsync(fd);
    assertEquals(0, ROOT.stat(at("f")).blocks());
  }

  @Test
  void needsNoPermissionOfTheFile() {
    ALICE.file(at("f"), 0);
    BOB.stat(at("f"));
    refuses(EINVAL, () -> BOB.statx(AT_FDCWD, at("f"), 0x8000));
    refuses(ENOENT, () -> BOB.statx(AT_FDCWD, "", 0));
    refuses(EBADF, () -> BOB.statx(9999, "f", 0));
    int file = ALICE.open(at("g"), O_CREAT | O_RDWR, 0644);
    refuses(ENOTDIR, () -> BOB.statx(file, "f", 0));
  }

  @Test
  void movesNoTime() {
    ALICE.file(at("f"), 0644);
    touches(at("f"), () -> ALICE.stat(at("f")));
    touches(at("f"), () -> ALICE.access(at("f"), R_OK));
    touches(at("f"), () -> ALICE.open(at("f"), O_RDWR));
    touches(here(), () -> ALICE.stat(at("f")));
  }

  @Test
  void theFileSystemTellsItsSpace() {
    long[] status = ROOT.statfs(here());
    long blockSize = status[1];
    long blocks = status[2];
    long free = status[3];
    long available = status[4];
    assertTrue(blockSize >= 512 && blocks > 0, java.util.Arrays.toString(status));
    assertTrue(free <= blocks && available <= free, java.util.Arrays.toString(status));
    assertEquals(255, status[8]);
    int fd = ALICE.open(at("f"), O_CREAT | O_RDWR, 0644);
    assertEquals(
        List.of(blockSize, status[8]), List.of(ALICE.statfs(at("f"))[1], ALICE.statfs(at("f"))[8]));
    ALICE.close(fd);
  }
}
