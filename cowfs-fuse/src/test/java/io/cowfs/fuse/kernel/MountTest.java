package io.cowfs.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FsException;
import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.memory.MemoryFileSystem;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What programs see of a mount, with and without the kernel's writeback cache, and over libfuse.
 */
@Timeout(120)
@EnabledIf("io.cowfs.fuse.kernel.MountedMemory#possible")
class MountTest {
  private static final String ON = "writeback=on";
  private static final String OFF = "writeback=off";
  private static final String LIBFUSE = MountedMemory.LIBFUSE;
  private static final byte[] AFTER = "after".getBytes(StandardCharsets.US_ASCII);

  @TempDir Path directory;

  /** Other users must be able to reach the mount. */
  @BeforeEach
  void openToAll() throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private MountedMemory<MemoryFileSystem> mount(String options) throws Exception {
    return new MountedMemory<>(new MemoryFileSystem(), directory.resolve("mnt"), options);
  }

  private static byte[] randomBytes(int length) {
    long seed = System.nanoTime();
    System.out.println("seed " + seed);
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void programsFindWhatTheyWrote(String options) throws Exception {
    Path source = Files.createDirectories(directory.resolve("source"));
    Files.write(source.resolve("large"), randomBytes(5_000_001));
    Files.createDirectories(source.resolve("a/b c/ä"));
    Files.writeString(source.resolve("a/b c/small"), "small");
    Files.createSymbolicLink(source.resolve("a/link"), Path.of("b c/small"));
    Files.createLink(source.resolve("a/hard"), source.resolve("large"));
    try (var mounted = mount(options)) {
      mounted.shell("cp -a ../source/. . && diff -r --no-dereference ../source .");
      mounted.shell("mv a moved && test \"$(cat moved/link)\" = small && test ! -e a");
      mounted.shell("test $(stat -c %h large) = 2 && test large -ef moved/hard");
      assertTrue(mounted.shell("ls -lR .").contains("small"));
      mounted.shell("rm -rf moved large && test -z \"$(ls -A .)\"");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void directTransfersOfAnySizeArrive(String options) throws Exception {
    byte[] bytes = randomBytes(9 << 20);
    Files.write(directory.resolve("source"), bytes);
    try (var mounted = mount(options)) {
      mounted.shell("dd if=../source of=direct bs=1M oflag=direct 2>&1");
      assertArrayEquals(bytes, mounted.fileSystem.contents("direct"));
      mounted.shell("dd if=direct of=../back bs=3M iflag=direct 2>&1 && cmp ../back ../source");
      mounted.shell("dd if=../source of=odd bs=4097 2>&1 && cmp odd ../source");
      mounted.shell("printf xyz | dd of=odd bs=1 seek=4095 conv=notrunc,fsync 2>&1");
      bytes[4095] = 'x';
      bytes[4096] = 'y';
      bytes[4097] = 'z';
      assertArrayEquals(bytes, Files.readAllBytes(mounted.root.resolve("odd")));
      assertArrayEquals(bytes, mounted.fileSystem.contents("odd"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void appendingTruncatingAndMappingAgree(String options) throws Exception {
    try (var mounted = mount(options)) {
      mounted.shell("echo one > f; echo two >> f; test \"$(cat f)\" = 'one\ntwo'");
      mounted.shell("truncate -s 100000 f; test $(stat -c %s f) = 100000; echo end >> f");
      mounted.shell("test $(stat -c %s f) = 100004; test \"$(tail -n1 f | tr -d '\\0')\" = end");
      mounted.shell("truncate -s 3 f; test \"$(cat f)\" = one; : > f; test ! -s f");
      Path mapped = mounted.root.resolve("mapped");
      try (FileChannel channel =
          FileChannel.open(
              mapped,
              StandardOpenOption.CREATE,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE)) {
        var map = channel.map(FileChannel.MapMode.READ_WRITE, 0, 100_000);
        map.put(99_999, (byte) 7);
        map.force();
      }
      byte[] bytes = Files.readAllBytes(mapped);
      assertEquals(100_000, bytes.length);
      assertEquals(7, bytes[99_999]);
      assertEquals(7, mounted.fileSystem.contents("mapped")[99_999]);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void attributesSurviveARoundTrip(String options) throws Exception {
    try (var mounted = mount(options)) {
      mounted.shell("umask 027; mkdir d; touch f; test $(stat -c %a%a d f) = 750750 || true");
      assertEquals("750 640\n", mounted.shell("echo $(stat -c %a d f)"));
      mounted.shell("chmod 4755 f; chown 12:34 f; test \"$(stat -c '%u %g' f)\" = '12 34'");
      mounted.shell("touch -d '2001-02-03 04:05:06.123456789 UTC' f");
      String mtime = mounted.shell("TZ=UTC stat -c %y f");
      assertEquals("2001-02-03 04:05:06.123456789 +0000\n", mtime);
      mounted.shell("touch -d '1960-01-01 UTC' f; test $(stat -c %Y f) = -315619200");
      mounted.shell("mkfifo p; mknod null c 1 3; test -p p; test -c null");
      assertEquals("1,3\n", mounted.shell("stat -c %Hr,%Lr null"));
      mounted.shell("test $(stat -c %h .) = 3");
      assertTrue(mounted.shell("df --output=source . ").contains("memory"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void writingByOthersTakesPrivilegesAway(String options) throws Exception {
    try (var mounted = mount(options)) {
      mounted.shell("for f in write truncate open; do echo x > $f; chmod 6777 $f; done");
      mounted.shell("runuser -u nobody -- sh -c 'echo y >> write'");
      mounted.shell("runuser -u nobody -- truncate -s 1 truncate");
      mounted.shell("runuser -u nobody -- sh -c ': > open'");
      assertEquals("777 777 777\n", mounted.shell("echo $(stat -c %a write truncate open)"));
      mounted.shell("echo x > own; chmod 6777 own; echo y >> own; test $(stat -c %a own) = 6777");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void permissionsAreCheckedByTheKernel(String options) throws Exception {
    try (var mounted = mount(options)) {
      mounted.shell("echo secret > f; chmod 600 f; mkdir -m 700 d");
      assertThrows(AssertionError.class, () -> mounted.shell("runuser -u nobody -- cat f"));
      assertThrows(AssertionError.class, () -> mounted.shell("runuser -u nobody -- touch d/x"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void extendedAttributesKeepTheirRules(String options) throws Exception {
    try (var mounted = mount(options)) {
      Path file = Files.writeString(mounted.root.resolve("f"), "x");
      var view = Files.getFileAttributeView(file, UserDefinedFileAttributeView.class);
      byte[] value = randomBytes(60_000);
      view.write("large", ByteBuffer.wrap(value));
      view.write("empty", ByteBuffer.wrap(new byte[0]));
      assertEquals(List.of("empty", "large"), view.list().stream().sorted().toList());
      assertEquals(value.length, view.size("large"));
      ByteBuffer back = ByteBuffer.allocate(value.length);
      view.read("large", back);
      assertArrayEquals(value, back.array());
      view.delete("large");
      assertEquals(List.of("empty"), view.list());
      assertThrows(FileSystemException.class, () -> view.size("large"));
      // Of the system namespace there are the access control lists, and nothing else.
      assertThrows(AssertionError.class, () -> mounted.shell("setfattr -n system.other -v x f"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF})
  void renameObeysItsFlags(String options) throws Exception {
    try (var mounted = mount(options)) {
      byte[] a = TestLibC.path(Files.writeString(mounted.root.resolve("a"), "a"));
      byte[] b = TestLibC.path(Files.writeString(mounted.root.resolve("b"), "b"));
      int cwd = TestLibC.AT_FDCWD;
      assertEquals(-1, TestLibC.LIBC.renameat2(cwd, a, cwd, b, TestLibC.RENAME_NOREPLACE));
      assertEquals(Errno.EEXIST, TestLibC.errno());
      assertEquals(0, TestLibC.LIBC.renameat2(cwd, a, cwd, b, TestLibC.RENAME_EXCHANGE));
      assertEquals("b", Files.readString(mounted.root.resolve("a")));
      assertEquals(0, TestLibC.LIBC.renameat2(cwd, a, cwd, b, 0));
      assertEquals("b", Files.readString(mounted.root.resolve("b")));
      assertEquals(List.of("b"), names(mounted.root));
    }
  }

  private static List<String> names(Path root) throws Exception {
    try (Stream<Path> entries = Files.list(root)) {
      return entries.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void namesAreBytesOfBoundedLength(String options) throws Exception {
    try (var mounted = mount(options)) {
      String longest = "x".repeat(255);
      mounted.shell("touch " + longest + " && test -e " + longest);
      assertThrows(AssertionError.class, () -> mounted.shell("touch x" + longest));
      mounted.shell("touch \"$(printf 'b\\377d\\nname')\"; rm \"$(printf 'b\\377d\\nname')\"");
      assertEquals(1, names(mounted.root).size());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void largeDirectoriesAreListedOnceAndRemoved(String options) throws Exception {
    try (var mounted = mount(options)) {
      mounted.shell("mkdir d; cd d; seq 5000 | xargs touch");
      assertEquals("5000\n", mounted.shell("ls d | sort -u | wc -l"));
      assertEquals("5000\n", mounted.shell("ls -l d | grep -c root"));
      mounted.shell("touch d/more; rm d/1; ls d | grep -qx more; test $(ls d | wc -l) = 5000");
      mounted.shell("rm -r d");
      assertEquals(List.of(), names(mounted.root));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void unlinkedFilesLiveWhileTheyAreOpen(String options) throws Exception {
    try (var mounted = mount(options)) {
      mounted.shell("exec 3<>f; rm f; echo data >&3; test \"$(cat /proc/self/fd/3)\" = data");
      mounted.shell("test $(ls -A | wc -l) = 0");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF})
  void seekingFindsDataThatOnlyTheKernelHas(String options) throws Exception {
    try (var mounted = mount(options)) {
      Path file = Files.createFile(mounted.root.resolve("f"));
      int fd = TestLibC.LIBC.open(TestLibC.path(file), TestLibC.O_RDWR);
      try {
        byte[] data = "data".getBytes(StandardCharsets.US_ASCII);
        assertEquals(4, TestLibC.LIBC.pwrite(fd, data, 4, 10 << 20));
        assertEquals(10 << 20, TestLibC.LIBC.lseek(fd, 0, TestLibC.SEEK_DATA));
        assertEquals((10 << 20) + 4, TestLibC.LIBC.lseek(fd, 10 << 20, TestLibC.SEEK_HOLE));
        assertEquals(-1, TestLibC.LIBC.lseek(fd, 11 << 20, TestLibC.SEEK_DATA));
        assertEquals(Errno.ENXIO, TestLibC.errno());
      } finally {
        TestLibC.LIBC.close(fd);
      }
      mounted.shell("cp --sparse=always f g; cmp f g; test $(stat -c %b g) -lt 2000");
      mounted.shell("fallocate -p -o 10485760 -l 4 f; test -z \"$(tr -d '\\0' < f)\"");
      mounted.shell("fallocate -l 20000000 f; test $(stat -c %s f) = 20000000");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void flushBringsWhatWasWrittenBefore(String options) throws Exception {
    try (var mounted = mount(options)) {
      byte[] bytes = randomBytes(3_000_000);
      try (FileChannel channel =
          FileChannel.open(
              mounted.root.resolve("f"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        channel.write(ByteBuffer.wrap(bytes));
        mounted.mount.flush();
        assertArrayEquals(bytes, mounted.fileSystem.contents("f"));
        assertEquals(0, mounted.fileSystem.syncs());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void syncReachesTheFileSystem(String options) throws Exception {
    try (var mounted = mount(options)) {
      mounted.shell("echo x > f; sync f");
      assertEquals(1, mounted.fileSystem.syncs());
      mounted.shell("dd if=/dev/zero of=f bs=4096 count=3 oflag=dsync conv=notrunc 2>&1");
      assertEquals(4, mounted.fileSystem.syncs());
      mounted.shell("dd if=/dev/zero of=f bs=4096 count=3 oflag=sync,direct conv=notrunc 2>&1");
      assertEquals(7, mounted.fileSystem.syncs());
      mounted.shell("sync .");
      assertEquals(8, mounted.fileSystem.syncs());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void changesBehindTheKernelAreSeen(String options) throws Exception {
    try (var mounted = mount(options)) {
      Path file = mounted.root.resolve("f");
      Files.writeString(file, "before, and longer");
      assertEquals("before, and longer", Files.readString(file));
      mounted.fileSystem.replaceContents("f", AFTER);
      assertEquals("after", Files.readString(file));
      assertEquals(5, Files.size(file));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF})
  void aNewGenerationHidesTheOldFileFromThoseWhoHoldIt(String options) throws Exception {
    try (var mounted = mount(options)) {
      Path file = mounted.root.resolve("f");
      Files.writeString(file, "before, and longer");
      int fd = TestLibC.LIBC.open(TestLibC.path(file), TestLibC.O_RDWR);
      try {
        mounted.fileSystem.replaceContents("f", AFTER);
        assertEquals("after", Files.readString(file));
        assertEquals(5, Files.size(file));
        // Since the name was looked up again, the old inode is known to be gone.
        assertEquals(-1, TestLibC.LIBC.pread(fd, new byte[18], 18, 0));
        assertEquals(Errno.EIO, TestLibC.errno());
      } finally {
        TestLibC.LIBC.close(fd);
      }
      assertEquals("after", Files.readString(file));
    }
    assertFalse(Files.exists(directory.resolve("mnt/f")));
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF})
  void aNameThatIsNotThereIsAskedForOnce(String options) throws Exception {
    AtomicInteger lookups = new AtomicInteger();
    MemoryFileSystem fileSystem =
        new MemoryFileSystem() {
          @Override
          public Attributes lookup(long parent, byte[] name) throws FsException {
            lookups.incrementAndGet();
            return super.lookup(parent, name);
          }
        };
    try (var mounted = new MountedMemory<>(fileSystem, directory.resolve("mnt"), options)) {
      Path missing = mounted.root.resolve("missing");
      for (int i = 0; i < 10; i++) {
        assertFalse(Files.exists(missing));
      }
      assertEquals(1, lookups.get());
      Files.writeString(missing, "there");
      assertEquals("there", Files.readString(missing));
      Files.delete(missing);
      assertFalse(Files.exists(missing));
      Files.createDirectory(missing);
      assertTrue(Files.isDirectory(missing));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF})
  void lookupCountsFallToZero(String options) throws Exception {
    MemoryFileSystem fileSystem = new MemoryFileSystem();
    try (var mounted = new MountedMemory<>(fileSystem, directory.resolve("mnt"), options)) {
      mounted.shell("mkdir -p a/b; cd a; seq 300 | xargs touch; ls -l . >&2; ln 1 b/1; rm 2 3");
      mounted.shell("ls -lR . > ../list; mv a/4 a/5; cat a/??; stat a/.. > ../list");
      assertTrue(fileSystem.referencesHeld() > 0);
      for (int i = 0; i < 100 && fileSystem.referencesHeld() > 0; i++) {
        Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "2");
        Thread.sleep(20);
      }
      assertEquals(0, fileSystem.referencesHeld());
      assertEquals(0, fileSystem.handlesOpen());
      assertEquals(300, fileSystem.inodes());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {ON, OFF, LIBFUSE})
  void manyThreadsWorkAtOnce(String options) throws Exception {
    byte[] bytes = randomBytes(300_000);
    MemoryFileSystem fileSystem = new MemoryFileSystem();
    try (var mounted = new MountedMemory<>(fileSystem, directory.resolve("mnt"), options)) {
      ExecutorService clients = Executors.newFixedThreadPool(24);
      List<Future<?>> results = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        Path own = mounted.root.resolve("client" + i);
        results.add(clients.submit(() -> work(own, bytes)));
      }
      for (Future<?> result : results) {
        result.get();
      }
      clients.shutdown();
      assertEquals(List.of(), names(mounted.root));
    }
    assertEquals(0, fileSystem.handlesOpen());
  }

  private static Void work(Path own, byte[] bytes) throws Exception {
    for (int round = 0; round < 10; round++) {
      Files.createDirectory(own);
      for (int i = 0; i < 10; i++) {
        Path file = own.resolve("f" + i);
        Files.write(file, bytes);
        Files.move(file, own.resolve("g" + i));
        assertArrayEquals(bytes, Files.readAllBytes(own.resolve("g" + i)));
      }
      for (int i = 0; i < 10; i++) {
        Files.delete(own.resolve("g" + i));
      }
      Files.delete(own);
    }
    return null;
  }
}
