package io.cowfs.fuse.libfuse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.fuse.kernel.MountException;
import io.cowfs.fuse.kernel.MountedMemory;
import io.cowfs.fuse.memory.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** What is this transport's own: its life, its errors, and what the library would do by itself. */
@Timeout(120)
@EnabledIf("io.cowfs.fuse.kernel.MountedMemory#possible")
class LibfuseMountTest {
  private static final byte[] OLD = "old, and longer".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] NEW = "new".getBytes(StandardCharsets.US_ASCII);

  @TempDir Path directory;

  private <F extends MemoryFileSystem> MountedMemory<F> mount(F fileSystem) throws IOException {
    return new MountedMemory<>(fileSystem, directory.resolve("mnt"), MountedMemory.LIBFUSE);
  }

  private MountedMemory<MemoryFileSystem> mount() throws IOException {
    return mount(new MemoryFileSystem());
  }

  @Test
  void aMissingLibraryIsNamedWithItsPackage() {
    String message =
        assertThrows(MountException.class, () -> LibFuse2.Native.load("libfuse-absent.so.2"))
            .getMessage();
    assertTrue(message.startsWith("libfuse-absent.so.2 is not installed"), message);
    assertTrue(message.contains("package libfuse2"), message);
  }

  @Test
  void itIsMountedAsTheOtherTransportIs() throws Exception {
    try (var mounted = mount()) {
      String line = mounted.shell("grep \" $PWD \" /proc/self/mounts");
      assertTrue(line.startsWith("memory "), line);
      assertTrue(line.contains(" fuse.cowfs rw,"), line);
      assertTrue(line.contains("default_permissions"), line);
    }
  }

  @Test
  void anUnmountByOthersEndsTheMount() throws Exception {
    MemoryFileSystem fileSystem = new MemoryFileSystem();
    var mounted = mount(fileSystem);
    try (mounted) {
      byte[] bytes = new byte[1 << 20];
      bytes[77] = 77;
      Files.write(mounted.root.resolve("f"), bytes);
      assertEquals(0, new ProcessBuilder("umount", mounted.root.toString()).start().waitFor());
      mounted.mount.awaitUnmounted();
      assertFalse(mounted.mount.isLive());
      assertArrayEquals(bytes, fileSystem.contents("f"));
      assertEquals(0, fileSystem.handlesOpen());
    }
    mounted.mount.unmount();
  }

  @Test
  void aBusyMountIsKeptUnlessForced() throws Exception {
    MemoryFileSystem fileSystem = new MemoryFileSystem();
    try (var mounted = mount(fileSystem)) {
      FileChannel busy =
          FileChannel.open(
              mounted.root.resolve("busy"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      busy.write(ByteBuffer.wrap(NEW));
      Files.delete(mounted.root.resolve("busy"));
      MountException refused = assertThrows(MountException.class, mounted.mount::unmount);
      assertTrue(refused.getMessage().contains("busy"), refused.getMessage());
      assertTrue(mounted.mount.isLive());
      mounted.mount.unmountBusy();
      assertFalse(mounted.mount.isLive());
      assertEquals(0, fileSystem.handlesOpen());
      assertEquals(0, fileSystem.referencesHeld());
      // The kernel may tell of the lost connection here.
      try {
        busy.close();
      } catch (IOException e) {
        assertTrue(String.valueOf(e.getMessage()).contains("not connected"), e.getMessage());
      }
    }
  }

  @Test
  void mountsComeAndGoWithoutLeavingAnything() throws Exception {
    long before = 0;
    for (int i = 0; i < 10; i++) {
      try (var mounted = mount()) {
        Files.writeString(mounted.root.resolve("f"), "x");
      }
      try (var open = Files.list(Path.of("/proc/self/fd"))) {
        long count = open.count();
        before = i == 3 ? count : before;
        assertTrue(i <= 3 || count <= before + 3, count + " descriptors, before " + before);
      }
    }
  }

  /** A file system with faults. */
  private static final class Faulty extends MemoryFileSystem {
    private final CountDownLatch syncing = new CountDownLatch(1);
    private volatile boolean interruptSeen;

    @Override
    public Attributes lookup(long parent, byte[] name) throws FsException {
      switch (new String(name, StandardCharsets.US_ASCII)) {
        case "throws" -> throw new IllegalStateException("on purpose");
        case "dies" -> throw new StackOverflowError("on purpose");
        default -> {
          return super.lookup(parent, name);
        }
      }
    }

    @Override
    public int read(FileHandle handle, long offset, int length, ByteBuffer destination) {
      throw new IllegalStateException("on purpose");
    }

    @Override
    public byte[] getXattr(long inode, byte[] name) {
      throw new AssertionError("on purpose");
    }

    @Override
    public void sync(Caller caller, long inode, boolean dataOnly) throws FsException {
      syncing.countDown();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (System.nanoTime() < deadline) {
        if (caller.interrupted().getAsBoolean()) {
          interruptSeen = true;
          throw new FsException(FsError.INTERRUPTED);
        }
        LockSupport.parkNanos(1_000_000);
      }
    }
  }

  @Test
  void aThrowableIsAnErrorAndNeverSuccess() throws Exception {
    try (var mounted = mount(new Faulty())) {
      for (String name : List.of("throws", "dies")) {
        IOException e =
            assertThrows(IOException.class, () -> Files.size(mounted.root.resolve(name)));
        assertTrue(e.getMessage().contains("Input/output error"), e.getMessage());
      }
      Path file = Files.writeString(mounted.root.resolve("f"), "still here");
      assertThrows(IOException.class, () -> Files.readString(file));
      mounted.shell("! getfattr -n user.x f > ../said 2>&1; grep -q Input/output ../said");
      assertEquals(10, Files.size(file));
    }
  }

  @Test
  void anInterruptReachesTheRequestThatRuns() throws Exception {
    Faulty fileSystem = new Faulty();
    try (var mounted = mount(fileSystem)) {
      Files.createFile(mounted.root.resolve("f"));
      Process sync = new ProcessBuilder("sync", mounted.root.resolve("f").toString()).start();
      assertTrue(fileSystem.syncing.await(20, TimeUnit.SECONDS));
      sync.destroy();
      assertTrue(sync.waitFor(20, TimeUnit.SECONDS));
      assertTrue(fileSystem.interruptSeen);
    }
  }

  @Test
  void theFileSystemCallsTheCallerByItsNumbers() throws Exception {
    try (var mounted = mount()) {
      mounted.shell("chmod 777 .; runuser -u nobody -- sh -c 'umask 037; mkdir d; touch f'");
      assertEquals("740 65534 640 65534\n", mounted.shell("echo $(stat -c '%a %u' d f)"));
    }
  }

  @Test
  void timesAreLeftOutOneByOne() throws Exception {
    try (var mounted = mount()) {
      mounted.shell("touch -d '2001-02-03 04:05:06.123456789 UTC' f");
      mounted.shell("touch -a -d '2002-02-03 04:05:06.5 UTC' f");
      assertEquals(
          "2002-02-03 04:05:06.500000000 +0000 2001-02-03 04:05:06.123456789 +0000\n",
          mounted.shell("TZ=UTC stat -c '%x %y' f"));
      mounted.shell("touch -m -d '1903-02-03 04:05:06.000000001 UTC' f");
      assertEquals(
          "2002-02-03 04:05:06.500000000 +0000 1903-02-03 04:05:06.000000001 +0000\n",
          mounted.shell("TZ=UTC stat -c '%x %y' f"));
    }
  }

  /** By itself, the library would rename the file, and show that name. */
  @Test
  void anUnlinkedOpenFileHasNoNameAndKeepsItsAttributes() throws Exception {
    try (var mounted = mount()) {
      mounted.shell(
          """
          mkdir d; exec 3<>d/f; echo data >&3; ln d/f other; rm d/f
          test -z "$(ls -A d)"; rmdir d
          test "$(stat -L -c '%h %s' /proc/self/fd/3)" = '1 5'
          rm other
          test "$(stat -L -c '%h %s' /proc/self/fd/3)" = '0 5'
          """);
      mounted.shell(
          """
          exec 3<>f; echo data >&3; rm f
          chmod 640 /proc/self/fd/3; chown 12:34 /proc/self/fd/3; truncate -s 3 /proc/self/fd/3
          setfattr -n user.x -v y /proc/self/fd/3
          test "$(stat -L -c '%h %s %a %u %g' /proc/self/fd/3)" = '0 3 640 12 34'
          test "$(cat /proc/self/fd/3)" = dat
          test "$(getfattr --only-values -n user.x /proc/self/fd/3 2> ../said)" = y
          """);
      assertEquals("0\n", mounted.shell("ls -A | wc -l"));
    }
  }

  @Test
  void renamingOverAnOpenFileReplacesItAtOnce() throws Exception {
    try (var mounted = mount()) {
      mounted.shell("echo old > a; echo new > b; exec 3< a; mv b a; test \"$(cat <&3)\" = old");
      assertEquals("new\n", mounted.shell("test \"$(ls -A)\" = a; cat a"));
      mounted.shell("mkdir d; exec 3< a; ! mv -T d a 2> /dev/null; test \"$(cat a)\" = new");
      mounted.shell("ln a b; exec 3< a; ! mv a b; test \"$(cat b)\" = new");
    }
  }

  @Test
  void nothingIsHeldOfWhatIsNotOpen() throws Exception {
    MemoryFileSystem fileSystem = new MemoryFileSystem();
    try (var mounted = mount(fileSystem)) {
      mounted.shell("mkdir -p a/b; cd a; seq 300 | xargs touch; ls -l . >&2; ln 1 b/1; rm 2 3");
      mounted.shell(
          "ls -lR . > ../list; mv a/4 a/5; cat a/??; ln -s x a/y; readlink a/y; mkfifo p");
      mounted.shell("exec 3<>f; echo data >&3; rm f; cat <&3; ! cat absent/absent; ! mkdir a");
      // The kernel does not wait for the last close to be answered.
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (fileSystem.referencesHeld() > 0 && System.nanoTime() < deadline) {
        Thread.sleep(10);
      }
      assertEquals(0, fileSystem.handlesOpen());
      assertEquals(0, fileSystem.referencesHeld());
    }
  }

  /** The kernel has a size of its own for each name of a file. */
  @Test
  void appendingByTwoNamesOverwritesNothing() throws Exception {
    try (var mounted = mount()) {
      Path a = Files.createFile(mounted.root.resolve("a"));
      Path b = Files.createLink(mounted.root.resolve("b"), a);
      try (FileChannel one = FileChannel.open(a, StandardOpenOption.APPEND);
          FileChannel two = FileChannel.open(b, StandardOpenOption.APPEND)) {
        for (int i = 0; i < 50; i++) {
          one.write(ByteBuffer.wrap("one.".getBytes(StandardCharsets.US_ASCII)));
          two.write(ByteBuffer.wrap("two.".getBytes(StandardCharsets.US_ASCII)));
        }
      }
      assertEquals("one.two.".repeat(50), Files.readString(a));
      assertEquals("one.two.".repeat(50), Files.readString(b));
    }
  }

  @Test
  void changesBehindTheKernelReachThoseWhoHaveTheFileOpen() throws Exception {
    MemoryFileSystem fileSystem = new MemoryFileSystem();
    try (var mounted = mount(fileSystem)) {
      Path file = Files.write(mounted.root.resolve("f"), OLD);
      try (FileChannel channel = FileChannel.open(file)) {
        ByteBuffer first = ByteBuffer.allocate(OLD.length);
        assertEquals(OLD.length, channel.read(first, 0));
        fileSystem.replaceContents("f", NEW);
        assertArrayEquals(NEW, Files.readAllBytes(file));
      }
    }
  }

  /** At the end of a directory, the library by itself would forget what comes before. */
  @Test
  void aDirectoryCanBeReadAgainFromAnyPlace() throws Exception {
    try (var mounted = mount()) {
      mounted.shell("mkdir d; cd d; seq 2000 | xargs touch");
      mounted.shell(
          """
          python3 - <<'END'
          import ctypes
          c = ctypes.CDLL(None)
          c.opendir.restype = c.readdir.restype = ctypes.c_void_p
          c.telldir.restype = ctypes.c_long
          c.readdir.argtypes = c.telldir.argtypes = [ctypes.c_void_p]
          c.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
          d = c.opendir(b"d")
          def entry():
              at = c.telldir(d)
              e = c.readdir(d)
              return (at, ctypes.string_at(e + 19)) if e else None
          entries = []
          while e := entry():
              entries.append(e)
          assert len(entries) == 2002, len(entries)
          for place in (1500, 2, 2001, 0):
              c.seekdir(d, entries[place][0])
              assert entry() == entries[place], place
          END
          """);
    }
  }
}
