package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** truncate(2) and ftruncate(2). */
class TruncateTest extends PosixContract {
  @ParameterizedTest
  @ValueSource(longs = {0, 1, 511, 4095, 4096, 4097, 10_000, 131_072, 131_073, 1L << 20})
  void cutsAndReadsZerosAfterwards(long length) {
    String content = "0123456789".repeat(20_000);
    ALICE.put(at("f"), content);
    ALICE.truncate(at("f"), length);
    assertEquals(length, ROOT.stat(at("f")).size());
    ALICE.truncate(at("f"), 300_000);
    int fd = ALICE.open(at("f"), O_RDONLY);
    String left = content.substring(0, (int) Math.min(length, content.length()));
    String expected = left + "\0".repeat(300_000 - left.length());
    assertTrue(expected.equals(ALICE.pread(fd, 400_000, 0)), "what is cut must read as zeros");
  }

  @Test
  void byDescriptorToo() {
    int fd = ALICE.open(at("f"), O_CREAT | O_RDWR, 0644);
    ALICE.write(fd, "content");
    ALICE.ftruncate(fd, 3);
    assertEquals("con", ALICE.pread(fd, 10, 0));
    ALICE.ftruncate(fd, 5);
    assertEquals("con\0\0", ALICE.pread(fd, 10, 0));
    // The offset stays where it was.
    ALICE.write(fd, "!");
    assertEquals("con\0\0\0\0!", ALICE.pread(fd, 10, 0));
  }

  @Test
  void movesModificationAndChangeTime() {
    ALICE.put(at("f"), "content");
    touches(at("f"), () -> ALICE.truncate(at("f"), 3), Time.MTIME, Time.CTIME);
    touches(at("f"), () -> ALICE.truncate(at("f"), 1000), Time.MTIME, Time.CTIME);
    int fd = ALICE.open(at("f"), O_RDWR);
    touches(at("f"), () -> ALICE.ftruncate(fd, 5), Time.MTIME, Time.CTIME);
    touches(at("f"), () -> ALICE.ftruncate(fd, 5), Time.MTIME, Time.CTIME);
    if (mount != Mount.KERNEL) {
      // With its writeback cache, the kernel takes a size that stays for no change.
      touches(at("f"), () -> ALICE.truncate(at("f"), 5), Time.MTIME, Time.CTIME);
    }
    touches(here(), () -> ALICE.truncate(at("f"), 7));
  }

  @Test
  void needsToWriteTheFile() {
    ROOT.put(at("f"), "content");
    refusesAndTouchesNothing(EACCES, at("f"), () -> ALICE.truncate(at("f"), 0));
    ROOT.chmod(at("f"), 0755);
    refuses(EACCES, () -> ALICE.truncate(at("f"), 0));
    ROOT.chmod(at("f"), 0622);
    ALICE.truncate(at("f"), 0);
    ALICE.put(at("g"), "content");
    ALICE.chmod(at("g"), 0444);
    refuses(EACCES, () -> ALICE.truncate(at("g"), 0));
    ROOT.truncate(at("g"), 0);
  }

  @Test
  void isForRegularFilesOnly() {
    ALICE.mkdir(at("d"), 0777);
    refuses(EISDIR, () -> ALICE.truncate(at("d"), 0));
    refuses(EISDIR, () -> ROOT.truncate(at("d"), 0));
    ALICE.mknod(at("fifo"), S_IFIFO | 0666, 0);
    refuses(EINVAL, () -> ALICE.truncate(at("fifo"), 0));
    int directory = ALICE.open(at("d"), O_RDONLY);
    refuses(EINVAL, () -> ALICE.ftruncate(directory, 0));
  }

  @Test
  void negativeLengthsAreInvalid() {
    ALICE.put(at("f"), "content");
    int fd = ALICE.open(at("f"), O_RDWR);
    for (long length : new long[] {-1, Long.MIN_VALUE}) {
      refusesAndTouchesNothing(EINVAL, at("f"), () -> ALICE.truncate(at("f"), length));
      refuses(EINVAL, () -> ALICE.ftruncate(fd, length));
    }
  }

  @Test
  void filesGrowToEightExbibytes() {
    if (mount.isHost()) {
      return;
    }
    int fd = ALICE.open(at("f"), O_CREAT | O_RDWR, 0644);
    for (long length : new long[] {1L << 40, 1L << 62, Long.MAX_VALUE}) {
      ALICE.ftruncate(fd, length);
      assertEquals(length, ROOT.stat(at("f")).size());
      assertEquals("\0", ALICE.pread(fd, 1, length - 1));
    }
    assertEquals(1, ALICE.pwrite(fd, "x", Long.MAX_VALUE - 1));
    assertEquals("x", ALICE.pread(fd, 1, Long.MAX_VALUE - 1));
    ALICE.fsync(fd);
    ALICE.uncache(fd);
    assertEquals("\0x", ALICE.pread(fd, 2, Long.MAX_VALUE - 2));
    if (mount.hasAllFeatures()) {
      assertEquals(Long.MAX_VALUE - 4095, ALICE.lseek(fd, 0, SEEK_DATA));
    }
    ALICE.ftruncate(fd, 0);
    assertEquals(0, ROOT.stat(at("f")).blocks());
  }

  @Test
  void theLimitOfTheProcessCounts() {
    ALICE.put(at("f"), "content");
    int fd = ALICE.open(at("f"), O_RDWR);
    long[] before = new long[2];
    C.getrlimit(RLIMIT_FSIZE, before);
    afterwards(() -> C.setrlimit(RLIMIT_FSIZE, before));
    C.setrlimit(RLIMIT_FSIZE, new long[] {8192, before[1]});
    // The virtual machine ignores SIGXFSZ.
    refusesAndTouchesNothing(EFBIG, at("f"), () -> ALICE.truncate(at("f"), 8193));
    refuses(EFBIG, () -> ALICE.ftruncate(fd, 10_000));
    refuses(EFBIG, () -> ALICE.fallocate(fd, 0, 0, 10_000));
    ALICE.ftruncate(fd, 8192);
    refuses(EFBIG, () -> ALICE.pwrite(fd, "x", 8192));
    refuses(EFBIG, () -> ALICE.write(ALICE.open(at("f"), O_WRONLY | O_APPEND), "x"));
    int other = ALICE.open(at("g"), O_RDWR | O_CREAT, 0600);
    refuses(EFBIG, () -> ALICE.copyFileRange(fd, 0, other, 8192, 1));
    assertEquals(1, ALICE.copyFileRange(fd, 0, other, 8191, 5));
    assertEquals(2, ALICE.pwrite(fd, "xyz", 8190));
    assertEquals("xy", ALICE.pread(fd, 10, 8190));
  }

  @Test
  void aForeignWritersTruncationTakesPrivilegesAway() {
    for (int mode : new int[] {04777, 02777, 06777, 02767}) {
      String path = at("f" + mode);
      ROOT.put(path, "content");
      ROOT.chmod(path, mode);
      ALICE.truncate(path, 3);
      // Set-group-id without a right to execute has no such meaning; Linux drops it for foreigners.
      assertEquals(mode & 0777, ROOT.stat(path).permissions(), Integer.toOctalString(mode));
    }
    ROOT.put(at("r"), "content");
    ROOT.chmod(at("r"), 06777);
    ROOT.truncate(at("r"), 3);
    int byRoot = ROOT.stat(at("r")).permissions();
    assertTrue(List.of(06777, 0777).contains(byRoot), Integer.toOctalString(byRoot));
  }

  @Test
  void aMappingSeesZerosBehindTheNewEnd() {
    int fd = ALICE.open(at("f"), O_CREAT | O_RDWR, 0644);
    ALICE.write(fd, "x".repeat(4096));
    var map = ALICE.mmap(fd, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    assertEquals('x', map.getByte(1000));
    ALICE.ftruncate(fd, 500);
    assertEquals('x', map.getByte(499));
    assertEquals(0, map.getByte(500));
    ALICE.ftruncate(fd, 2000);
    assertEquals(0, map.getByte(1000));
    assertEquals("\0", ALICE.pread(fd, 1, 1000));
    ALICE.munmap(map);
  }
}
