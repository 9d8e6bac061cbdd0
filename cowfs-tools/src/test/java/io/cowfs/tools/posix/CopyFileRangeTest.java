package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** copy_file_range(2). */
class CopyFileRangeTest extends PosixContract {
  private static final int LONG = 3 << 20;

  private String content;

  @BeforeEach
  void makeContent() {
    StringBuilder bytes = new StringBuilder();
    new Random(7).ints(LONG + 1234, 0, 256).forEach(b -> bytes.append((char) b));
    content = bytes.toString();
  }

  private int source() {
    int fd = ALICE.open(at("source"), O_RDWR | O_CREAT, 0600);
    ALICE.pwrite(fd, content, 0);
    return fd;
  }

  private int target() {
    return ALICE.open(at("target"), O_RDWR | O_CREAT, 0600);
  }

  private static void copyAll(int from, long offset, int to, long toOffset, long count) {
    for (long done = 0; done < count; ) {
      long now = ALICE.copyFileRange(from, offset + done, to, toOffset + done, count - done);
      assertTrue(now > 0, "no progress");
      done += now;
    }
  }

  @Test
  void aWholeFileIsCopied() {
    int from = source();
    int to = target();
    copyAll(from, 0, to, 0, content.length());
    assertEquals(content, ALICE.pread(to, content.length() + 1, 0));
    assertEquals(0, ALICE.copyFileRange(from, content.length(), to, 0, 10));
    assertEquals(content.length(), ALICE.fstat(to).size());
  }

  @Test
  void placesWithinSectorsAreCopied() {
    int from = source();
    int to = target();
    for (int[] range :
        new int[][] {
          {100, 4196, LONG}, {100, 4197, LONG}, {1, 1, LONG - 5}, {0, 8192, LONG}, {4095, 4095, 2}
        }) {
      ALICE.ftruncate(to, 0);
      ALICE.pwrite(to, "-".repeat(2 * LONG), 0);
      copyAll(from, range[0], to, range[1], range[2]);
      String found = ALICE.pread(to, 2 * LONG, 0);
      String copied = content.substring(range[0], range[0] + range[2]);
      assertEquals("-".repeat(range[1]), found.substring(0, range[1]));
      assertEquals(copied, found.substring(range[1], range[1] + range[2]));
      assertEquals(
          "-".repeat(2 * LONG - range[1] - range[2]), found.substring(range[1] + range[2]));
    }
  }

  @Test
  void whatIsWrittenAfterwardsIsInOneFileOnly() {
    int from = source();
    int to = target();
    copyAll(from, 0, to, 0, content.length());
    ALICE.pwrite(from, "source", 1_000_000);
    ALICE.pwrite(to, "target", 2_000_000);
    ALICE.fsync(from);
    assertEquals(content.substring(1_000_000, 1_000_006), ALICE.pread(to, 6, 1_000_000));
    assertEquals(content.substring(2_000_000, 2_000_006), ALICE.pread(from, 6, 2_000_000));
    ALICE.ftruncate(from, 0);
    ALICE.unlink(at("source"));
    assertEquals(content.substring(3_000_000), ALICE.pread(to, LONG, 3_000_000));
  }

  @Test
  void aRangeIsCopiedWithinAFileButNotOntoItself() {
    int fd = source();
    copyAll(fd, 0, fd, 4 << 20, 2 << 20);
    assertEquals(content.substring(0, 2 << 20), ALICE.pread(fd, 2 << 20, 4 << 20));
    refuses(EINVAL, () -> ALICE.copyFileRange(fd, 0, fd, 4096, 2 << 20));
    refuses(EINVAL, () -> ALICE.copyFileRange(fd, 4096, fd, 0, 2 << 20));
    refuses(EINVAL, () -> ALICE.copyFileRange(fd, 0, fd, 10, 20));
  }

  @Needs(Feature.RANGE_COPIES)
  @Test
  void holesStayHoles() {
    int from = ALICE.open(at("sparse"), O_RDWR | O_CREAT, 0600);
    ALICE.pwrite(from, content.substring(0, 1 << 20), 8 << 20);
    ALICE.ftruncate(from, 16 << 20);
    int to = target();
    copyAll(from, 0, to, 0, 16 << 20);
    ALICE.fsync(to);
    assertEquals(16 << 20, ALICE.fstat(to).size());
    assertEquals(content.substring(0, 1 << 20), ALICE.pread(to, 1 << 20, 8 << 20));
    assertEquals("\0".repeat(1 << 20), ALICE.pread(to, 1 << 20, 4 << 20));
    if (!mount.isHost()) {
      assertTrue(ALICE.fstat(to).blocks() * 512 < 2 << 20, "the holes take space");
    }
  }

  @Test
  void descriptorsMustFit() {
    int from = source();
    int readable = ALICE.open(at("source"), O_RDONLY);
    int writable = ALICE.open(ALICE.file(at("w"), 0600), O_WRONLY);
    int appending = ALICE.open(at("w"), O_WRONLY | O_APPEND);
    int directory = ALICE.open(here(), O_RDONLY);
    refuses(EBADF, () -> ALICE.copyFileRange(writable, 0, from, 0, 1));
    refuses(EBADF, () -> ALICE.copyFileRange(from, 0, readable, 0, 1));
    refuses(EBADF, () -> ALICE.copyFileRange(from, 0, appending, 0, 1));
    refuses(EISDIR, () -> ALICE.copyFileRange(directory, 0, writable, 0, 1));
    if (mount.hasAllFeatures()) {
      refuses(EFBIG, () -> ALICE.copyFileRange(from, 0, writable, Long.MAX_VALUE - 10, 11));
    }
  }

  @Test
  void privilegesEndWithAnUnprivilegedCopy() {
    int from = source();
    String program = ALICE.file(at("program"), 06755);
    int to = ALICE.open(program, O_WRONLY);
    copyAll(from, 0, to, 0, LONG);
    assertEquals(0755, ALICE.stat(program).permissions());
  }
}
