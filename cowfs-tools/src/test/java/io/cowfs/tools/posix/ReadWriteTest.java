package io.cowfs.tools.posix;

import static io.cowfs.tools.posix.CLibrary.C;
import static io.cowfs.tools.posix.Errno.*;
import static io.cowfs.tools.posix.Linux.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** read(2), write(2), their relatives, and lseek(2). */
class ReadWriteTest extends PosixContract {
  private int newFile(String name) {
    return ALICE.open(at(name), O_CREAT | O_RDWR, 0644);
  }

  @ParameterizedTest
  @CsvSource({"0, 1", "1, 4095", "4095, 2", "4096, 4096", "100, 131072", "131071, 3", "1, 2000000"})
  void whatWasWrittenIsRead(int offset, int length) {
    int fd = newFile("f");
    String content = "0123456789abcdef!".repeat(length / 17 + 1).substring(0, length);
    assertEquals(length, ALICE.pwrite(fd, content, offset));
    assertEquals(offset + length, ROOT.stat(at("f")).size());
    assertTrue(content.equals(ALICE.pread(fd, length + 10, offset)));
    assertEquals("\0".repeat(Math.min(offset, 50)), ALICE.pread(fd, Math.min(offset, 50), 0));
    ALICE.uncache(fd);
    assertTrue(content.equals(ALICE.pread(fd, length + 10, offset)));
  }

  @Test
  void nothingIsReadBehindTheEnd() {
    int fd = newFile("f");
    assertEquals("", ALICE.read(fd, 10));
    ALICE.write(fd, "content");
    assertEquals("", ALICE.read(fd, 10));
    assertEquals("", ALICE.pread(fd, 10, 7));
    assertEquals("", ALICE.pread(fd, 10, 1L << 40));
    assertEquals("nt", ALICE.pread(fd, 10, 5));
    refuses(EINVAL, () -> ALICE.pread(fd, 10, -1));
    refuses(EINVAL, () -> ALICE.pwrite(fd, "x", -1));
    assertEquals("", ALICE.read(fd, 0));
    assertEquals(0, ALICE.write(fd, ""));
  }

  @Test
  void aGapReadsAsZeros() {
    int fd = newFile("f");
    ALICE.lseek(fd, 100_000, SEEK_SET);
    ALICE.write(fd, "end");
    assertEquals(100_003, ROOT.stat(at("f")).size());
    assertEquals("\0".repeat(100_000) + "end", ALICE.pread(fd, 200_000, 0));
    assertTrue(ROOT.stat(at("f")).blocks() * 512 < 100_000);
  }

  @Test
  void vectorsAreOneTransfer() {
    int fd = newFile("f");
    var memory = ALICE.mmap(ALICE.open("/dev/zero", O_RDWR), 4096, 3, MAP_PRIVATE, 0);
    memory.put(0, "abcdefgh".getBytes(java.nio.charset.StandardCharsets.US_ASCII), 0, 8);
    long base = memory.address();
    long[] vectors = {base, 2, base + 5, 3, base + 2, 1};
    assertEquals(6, ALICE.call(() -> C.writev(fd, vectors, 3), "writev"));
    assertEquals("abfghc", ALICE.pread(fd, 100, 0));
    ALICE.lseek(fd, 1, SEEK_SET);
    long[] into = {base + 100, 2, base + 200, 100};
    assertEquals(5, ALICE.call(() -> C.readv(fd, into, 2), "readv"));
    assertEquals('b', memory.getByte(100));
    assertEquals('g', memory.getByte(200));
    refuses(EINVAL, () -> ALICE.call(() -> C.writev(fd, vectors, -1), "writev"));
    ALICE.munmap(memory);
  }

  @Test
  void badMemoryIsRefused() {
    int fd = newFile("f");
    ALICE.write(fd, "content");
    refuses(EFAULT, () -> ALICE.call(() -> C.pread(fd, 1L, 10, 0), "pread"));
    refuses(EFAULT, () -> ALICE.call(() -> C.pwrite(fd, 1L, 10, 0), "pwrite"));
    assertEquals("content", ALICE.pread(fd, 100, 0));
  }

  @Test
  void appendingGoesToTheEndWhereverItIs() {
    ALICE.put(at("f"), "start");
    int a = ALICE.open(at("f"), O_WRONLY | O_APPEND);
    int b = ALICE.open(at("f"), O_RDWR | O_APPEND);
    ALICE.write(a, "-a");
    ALICE.write(b, "-b");
    ALICE.lseek(a, 0, SEEK_SET);
    ALICE.write(a, "-c");
    assertEquals(11, ALICE.lseek(a, 0, SEEK_CUR));
    // Linux appends with pwrite(2) too.
    ALICE.pwrite(b, "-d", 0);
    assertEquals("start-a-b-c-d", ALICE.pread(b, 100, 0));
    ALICE.truncate(at("f"), 3);
    ALICE.write(a, "!");
    assertEquals("sta!", ALICE.pread(b, 100, 0));
    int c = ALICE.open(at("f"), O_RDWR);
    ALICE.fcntl(c, F_SETFL, O_APPEND);
    ALICE.write(c, "?");
    assertEquals("sta!?", ALICE.pread(b, 100, 0));
  }

  @Test
  void writingMovesTimesAndReadingOthers() {
    int fd = newFile("f");
    touches(at("f"), () -> ALICE.write(fd, "content"), Time.MTIME, Time.CTIME);
    touches(at("f"), () -> ALICE.pwrite(fd, "x", 1 << 20), Time.MTIME, Time.CTIME);
    touches(at("f"), () -> ALICE.write(fd, ""));
    touches(here(), () -> ALICE.write(fd, "x"));
    ALICE.uncache(fd);
    touches(at("f"), () -> ALICE.pread(fd, 10, 0), Time.ATIME);
    // Relatime: the second time it is newer than the change already.
    ALICE.uncache(fd);
    touches(at("f"), () -> ALICE.pread(fd, 10, 0));
    ALICE.utimens(at("f"), 1, 0, 0, UTIME_OMIT);
    ALICE.uncache(fd);
    touches(at("f"), () -> ALICE.pread(fd, 10, 0), Time.ATIME);
    refusesAndTouchesNothing(EINVAL, at("f"), () -> ALICE.pwrite(fd, "x", -1));
  }

  /**
   * What is made later is not older, whoever took the time. With the writeback cache, the kernel
   * times writes, by a clock that moves once in a tick and may stay behind cowfs's for so long.
   */
  @Test
  void timesOfConsecutiveCallsDoNotGoBack() {
    Duration slack = mount == Mount.KERNEL ? Duration.ofMillis(10) : Duration.ZERO;
    Instant last = Instant.EPOCH;
    for (int i = 0; i < 200; i++) {
      String path = at("f" + i);
      int fd = ALICE.open(path, O_CREAT | O_RDWR, 0644);
      Instant created = ROOT.stat(path).mtime();
      ALICE.write(fd, "content");
      Instant written = ROOT.stat(path).mtime();
      ALICE.chmod(path, 0600);
      Instant changed = ROOT.stat(path).ctime();
      List<Instant> times = List.of(last, created, written, changed);
      for (int j = 1; j < times.size(); j++) {
        int at = j;
        Instant earliest = times.get(j - 1).minus(slack);
        assertTrue(!times.get(j).isBefore(earliest), () -> at + " of " + times);
      }
      last = changed;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {04777, 02777, 06777, 02767})
  void aForeignWriterTakesPrivilegesAway(int mode) {
    ROOT.put(at("f"), "content");
    ROOT.chmod(at("f"), mode);
    int fd = ALICE.open(at("f"), O_WRONLY);
    assertEquals(mode, ROOT.stat(at("f")).permissions());
    ALICE.write(fd, "x");
    assertEquals(mode & 0777, ROOT.stat(at("f")).permissions());
    ROOT.chmod(at("f"), mode);
    int byRoot = ROOT.open(at("f"), O_WRONLY);
    ROOT.write(byRoot, "y");
    assertEquals(mode, ROOT.stat(at("f")).permissions());
  }

  @Test
  void aWriterTakesCapabilitiesAway() {
    for (int i = 0; i < 3; i++) {
      String path = ROOT.file(at("f" + i), 0777);
      ROOT.put(path, "content");
      ROOT.setxattr(path, "security.capability", Capability.VALUE, 0);
      switch (i) {
        case 0 -> ALICE.write(ALICE.open(path, O_WRONLY), "x");
        case 1 -> ALICE.truncate(path, 1);
        default -> ALICE.open(path, O_WRONLY | O_TRUNC);
      }
      assertEquals(List.of(), ROOT.listxattr(path), path);
    }
  }

  @Test
  void offsetsAreSought() {
    int fd = newFile("f");
    ALICE.write(fd, "content");
    assertEquals(7, ALICE.lseek(fd, 0, SEEK_CUR));
    assertEquals(2, ALICE.lseek(fd, 2, SEEK_SET));
    assertEquals(5, ALICE.lseek(fd, 3, SEEK_CUR));
    assertEquals(4, ALICE.lseek(fd, -3, SEEK_END));
    assertEquals(1L << 40, ALICE.lseek(fd, 1L << 40, SEEK_SET));
    refuses(EINVAL, () -> ALICE.lseek(fd, -1, SEEK_SET));
    refuses(EINVAL, () -> ALICE.lseek(fd, -8, SEEK_END));
    refuses(EINVAL, () -> ALICE.lseek(fd, 0, 99));
    assertEquals(1L << 40, ALICE.lseek(fd, 0, SEEK_CUR));
    assertEquals(7, ROOT.stat(at("f")).size());
    refuses(EBADF, () -> ALICE.lseek(9999, 0, SEEK_SET));
  }

  @Needs(Feature.HOLES_FOUND)
  @Test
  void dataAndHolesAreFound() {
    int fd = newFile("f");
    ALICE.ftruncate(fd, 10 << 20);
    ALICE.pwrite(fd, "x".repeat(1 << 16), 1 << 20);
    ALICE.pwrite(fd, "y".repeat(1 << 16), 4 << 20);
    for (int round = 0; round < 2; round++) {
      assertEquals(1 << 20, ALICE.lseek(fd, 0, SEEK_DATA));
      assertEquals(0, ALICE.lseek(fd, 0, SEEK_HOLE));
      assertEquals((1 << 20) + 5, ALICE.lseek(fd, (1 << 20) + 5, SEEK_DATA));
      assertEquals((1 << 20) + (1 << 16), ALICE.lseek(fd, 1 << 20, SEEK_HOLE));
      assertEquals(4 << 20, ALICE.lseek(fd, 2 << 20, SEEK_DATA));
      refuses(ENXIO, () -> ALICE.lseek(fd, 5 << 20, SEEK_DATA));
      assertEquals(5 << 20, ALICE.lseek(fd, 5 << 20, SEEK_HOLE));
      refuses(ENXIO, () -> ALICE.lseek(fd, 10 << 20, SEEK_DATA));
      refuses(ENXIO, () -> ALICE.lseek(fd, 10 << 20, SEEK_HOLE));
      refuses(ENXIO, () -> ALICE.lseek(fd, -1, SEEK_HOLE));
      ALICE.fsync(fd);
    }
    ALICE.put(at("full"), "content");
    int full = ALICE.open(at("full"), O_RDONLY);
    assertEquals(0, ALICE.lseek(full, 0, SEEK_DATA));
    assertEquals(7, ALICE.lseek(full, 3, SEEK_HOLE));
    int empty = newFile("empty");
    refuses(ENXIO, () -> ALICE.lseek(empty, 0, SEEK_DATA));
    refuses(ENXIO, () -> ALICE.lseek(empty, 0, SEEK_HOLE));
  }

  @Test
  void descriptorsMustBeOpen() {
    refuses(EBADF, () -> ALICE.read(9999, 1));
    refuses(EBADF, () -> ALICE.write(9999, "x"));
    refuses(EBADF, () -> ALICE.fsync(9999));
    refuses(EBADF, () -> ALICE.ftruncate(9999, 0));
    refuses(EBADF, () -> ALICE.fstat(9999));
    refuses(EBADF, () -> ALICE.fchmod(9999, 0));
    refuses(EBADF, () -> ALICE.fallocate(9999, 0, 0, 1));
  }

  @Test
  void allKindsOfSyncSucceed() {
    int fd = newFile("f");
    ALICE.write(fd, "content");
    ALICE.fsync(fd);
    ALICE.fdatasync(fd);
    ALICE.syncfs(fd);
    int reader = ALICE.open(at("f"), O_RDONLY);
    ALICE.fsync(reader);
    int directory = ALICE.open(here(), O_RDONLY);
    ALICE.fsync(directory);
    ALICE.fdatasync(directory);
    ALICE.syncfs(directory);
    touches(at("f"), () -> ALICE.fsync(fd));
  }

  @Test
  void sharedMappingsAndFilesAreOne() {
    int fd = newFile("f");
    ALICE.write(fd, "x".repeat(10_000));
    var shared = ALICE.mmap(fd, 10_000, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    var other = ALICE.mmap(fd, 4096, PROT_READ, MAP_SHARED, 4096);
    var own = ALICE.mmap(fd, 10_000, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
    shared.putByte(5000, (byte) 'm');
    assertEquals("m", ALICE.pread(fd, 1, 5000));
    assertEquals('m', other.getByte(5000 - 4096));
    ALICE.pwrite(fd, "w", 6000);
    assertEquals('w', shared.getByte(6000));
    assertEquals('w', own.getByte(6000));
    own.putByte(7000, (byte) 'p');
    assertEquals("x", ALICE.pread(fd, 1, 7000));
    ALICE.msync(shared);
    ALICE.uncache(fd);
    assertEquals("m", ALICE.pread(ALICE.open(at("f"), O_RDONLY), 1, 5000));
    // Behind the end, the page reads as zeros.
    assertEquals(0, ROOT.mmap(fd, 12_288, PROT_READ, MAP_SHARED, 0).getByte(10_001));
    ALICE.munmap(shared);
    ALICE.munmap(other);
    ALICE.munmap(own);
  }

  @Test
  void mappingsNeedTheRightDescriptor() {
    ALICE.put(at("f"), "content");
    int reader = ALICE.open(at("f"), O_RDONLY);
    int writer = ALICE.open(at("f"), O_WRONLY);
    refuses(EACCES, () -> ALICE.mmap(reader, 10, PROT_WRITE, MAP_SHARED, 0));
    refuses(EACCES, () -> ALICE.mmap(writer, 10, PROT_READ, MAP_SHARED, 0));
    ALICE.munmap(ALICE.mmap(reader, 10, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0));
    int directory = ALICE.open(here(), O_RDONLY);
    refuses(ENODEV, () -> ALICE.mmap(directory, 10, PROT_READ, MAP_SHARED, 0));
  }

  @Test
  void writingThroughAMappingMovesTimes() {
    int fd = newFile("f");
    ALICE.write(fd, "x".repeat(4096));
    ALICE.fsync(fd);
    Stat before = ROOT.stat(at("f"));
    tick();
    var map = ALICE.mmap(fd, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
    map.putByte(0, (byte) 'm');
    ALICE.msync(map);
    ALICE.munmap(map);
    Stat after = ROOT.stat(at("f"));
    assertTrue(after.mtime().isAfter(before.mtime()));
    assertTrue(after.ctime().isAfter(before.ctime()));
  }
}
