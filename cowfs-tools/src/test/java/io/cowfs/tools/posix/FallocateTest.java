package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** fallocate(2). */
class FallocateTest extends PosixContract {
  private static final int PUNCH = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  private static final int ZERO = FALLOC_FL_ZERO_RANGE;

  private int fileOf(String content) {
    int fd = ALICE.open(at("f"), O_CREAT | O_RDWR | O_TRUNC, 0644);
    ALICE.write(fd, content);
    return fd;
  }

  @Test
  void growsTheFileAndKeepsItsContent() {
    int fd = fileOf("content");
    ALICE.fallocate(fd, 0, 0, 100_000);
    assertEquals(100_000, ROOT.stat(at("f")).size());
    assertEquals("content" + "\0".repeat(100_000 - 7), ALICE.pread(fd, 200_000, 0));
    ALICE.fallocate(fd, 0, 0, 10);
    assertEquals(100_000, ROOT.stat(at("f")).size());
    ALICE.fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 200_000);
    assertEquals(100_000, ROOT.stat(at("f")).size());
  }

  @ParameterizedTest
  @CsvSource({
    "0, 4096",
    "4096, 4096",
    "1, 1",
    "100, 5000",
    "4095, 2",
    "0, 300000",
    "150000, 100000",
    "199999, 1",
    "200000, 10",
    "300000, 10",
    "131072, 4096",
    "5000, 190000",
  })
  void holesAndZerosAreExact(int offset, int length) {
    String content = "0123456789".repeat(20_000);
    int end = Math.min(content.length(), offset + length);
    String expected =
        offset >= end
            ? content
            : content.substring(0, offset) + "\0".repeat(end - offset) + content.substring(end);
    for (int mode : new int[] {PUNCH, ZERO | FALLOC_FL_KEEP_SIZE, ZERO}) {
      for (boolean durable : new boolean[] {false, true}) {
        int fd = fileOf(content);
        if (durable) {
          ALICE.fsync(fd);
        }
        ALICE.fallocate(fd, mode, offset, length);
        int size = mode == ZERO ? Math.max(200_000, offset + length) : 200_000;
        assertEquals(size, ROOT.stat(at("f")).size());
        String now = ALICE.pread(fd, 400_000, 0);
        assertTrue((expected + "\0".repeat(size - 200_000)).equals(now), "mode " + mode);
        ALICE.uncache(fd);
        assertTrue(now.equals(ALICE.pread(fd, 400_000, 0)), "after uncaching, mode " + mode);
        ALICE.close(fd);
      }
    }
  }

  @Test
  void aHoleTakesNoSpace() {
    int fd = fileOf("0123456789abcdef".repeat(1 << 16));
    ALICE.fsync(fd);
    ALICE.close(ALICE.dup(fd));
    long before = ROOT.stat(at("f")).blocks();
    ALICE.fallocate(fd, PUNCH, 0, 1 << 20);
    ALICE.fsync(fd);
    assertTrue(ROOT.stat(at("f")).blocks() < before);
    assertEquals(0, ROOT.stat(at("f")).blocks());
    if (mount.hasAllFeatures()) {
      refuses(ENXIO, () -> ALICE.lseek(fd, 0, SEEK_DATA));
    }
  }

  @Test
  void aMappingSeesTheHole() {
    int fd = fileOf("x".repeat(8192));
    var map = ALICE.mmap(fd, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    map.putByte(100, (byte) 'm');
    ALICE.fallocate(fd, PUNCH, 0, 4096);
    assertEquals(0, map.getByte(100));
    assertEquals('x', map.getByte(4096));
    ALICE.munmap(map);
  }

  @Test
  void movesTimes() {
    int fd = fileOf("x".repeat(8192));
    int keep = FALLOC_FL_KEEP_SIZE;
    for (int mode : new int[] {0, keep, PUNCH, ZERO, ZERO | keep}) {
      touches(at("f"), () -> ALICE.fallocate(fd, mode, 0, 4096), Time.MTIME, Time.CTIME);
      touches(at("f"), () -> ALICE.fallocate(fd, mode, 20_000, 100), Time.MTIME, Time.CTIME);
    }
  }

  @Test
  void takesPrivilegesAway() {
    for (int mode : new int[] {0, PUNCH, ZERO}) {
      ROOT.put(at("g"), "content");
      ROOT.chmod(at("g"), 06777);
      int fd = ALICE.open(at("g"), O_RDWR);
      ALICE.fallocate(fd, mode, 0, 3);
      assertEquals(0777, ROOT.stat(at("g")).permissions(), "mode " + mode);
    }
  }

  @Test
  void invalidRangesAndModesAreRefused() {
    int fd = fileOf("content");
    for (int mode : new int[] {0, PUNCH, ZERO}) {
      refusesAndTouchesNothing(EINVAL, at("f"), () -> ALICE.fallocate(fd, mode, 0, 0));
      refuses(EINVAL, () -> ALICE.fallocate(fd, mode, -1, 10));
      refuses(EINVAL, () -> ALICE.fallocate(fd, mode, 0, -10));
      refuses(EFBIG, () -> ALICE.fallocate(fd, mode, Long.MAX_VALUE, 10));
    }
    refuses(EOPNOTSUPP, () -> ALICE.fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
    refuses(EOPNOTSUPP, () -> ALICE.fallocate(fd, 0x1000, 0, 10));
    ALICE.mknod(at("fifo"), S_IFIFO | 0666, 0);
    int fifo = ALICE.open(at("fifo"), O_RDWR);
    refuses(ESPIPE, () -> ALICE.fallocate(fifo, 0, 0, 10));
    int directory = ALICE.open(here(), O_RDONLY);
    refuses(EBADF, () -> ALICE.fallocate(directory, 0, 0, 10));
  }

  /** FUSE forwards neither. */
  @Test
  void rangesAreTakenOutAndPutInOnTheHostOnly() {
    int fd = fileOf("a".repeat(4096) + "b".repeat(4096) + "c".repeat(4096));
    for (int mode : new int[] {FALLOC_FL_COLLAPSE_RANGE, FALLOC_FL_INSERT_RANGE}) {
      if (mount.isHost()) {
        ALICE.fallocate(fd, mode, 4096, 4096);
      } else {
        refuses(EOPNOTSUPP, () -> ALICE.fallocate(fd, mode, 4096, 4096));
      }
    }
  }
}
