package io.cowfs.fuse.kernel;

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
import io.cowfs.fuse.memory.MemoryFileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** Mounting, unmounting, and what goes wrong meanwhile. */
@Timeout(120)
@EnabledIf("io.cowfs.fuse.kernel.MountedMemory#possible")
class MountLifeTest {
  @TempDir Path directory;

  private Path mountPoint() {
    return directory.resolve("mnt");
  }

  private String refusal(Path path, String... options) {
    return assertThrows(
            MountException.class,
            () -> {
              MountOptions parsed = MountOptions.parse(List.of(options));
              KernelMount.mount(new MemoryFileSystem(), path, parsed).unmountBusy();
            })
        .getMessage();
  }

  @Test
  void badMountPointsAreRefusedInOneLine() throws Exception {
    Path missing = directory.resolve("missing");
    assertEquals(missing + ": no such directory", refusal(missing));
    Path file = Files.createFile(directory.resolve("file"));
    assertEquals(file + ": not a directory", refusal(file));
    String notEmpty = ": not empty (-o nonempty mounts over it)";
    assertEquals(directory + notEmpty, refusal(directory));
    try (var mounted = new MountedMemory<>(new MemoryFileSystem(), mountPoint(), "")) {
      assertTrue(mounted.mount.isLive());
      assertEquals(
          mountPoint() + ": something is mounted there already", refusal(mountPoint(), "nonempty"));
    }
  }

  @Test
  void nonEmptyDirectoriesAreMountedOverOnRequest() throws Exception {
    Files.createDirectories(mountPoint());
    Files.writeString(mountPoint().resolve("hidden"), "x");
    try (var mounted = new MountedMemory<>(new MemoryFileSystem(), mountPoint(), "nonempty")) {
      assertFalse(Files.exists(mounted.root.resolve("hidden")));
    }
    assertTrue(Files.exists(mountPoint().resolve("hidden")));
  }

  @Test
  void mountFlagsAreObeyed() throws Exception {
    String options = "ro,nosuid,nodev,noexec,noatime";
    try (var mounted = new MountedMemory<>(new MemoryFileSystem(), mountPoint(), options)) {
      assertThrows(IOException.class, () -> Files.createFile(mounted.root.resolve("f")));
      String line = mounted.shell("grep \" $PWD \" /proc/self/mounts");
      assertTrue(line.startsWith("memory "), line);
      assertTrue(line.contains(" fuse.cowfs ro,nosuid,nodev,noexec,noatime,"), line);
    }
  }

  @Test
  void anUnmountByOthersEndsTheMount() throws Exception {
    MemoryFileSystem fileSystem = new MemoryFileSystem();
    var mounted = new MountedMemory<>(fileSystem, mountPoint(), "");
    try (mounted) {
      byte[] bytes = new byte[1 << 20];
      bytes[77] = 77;
      Files.write(mounted.root.resolve("f"), bytes);
      Process umount = new ProcessBuilder("umount", mounted.root.toString()).start();
      assertEquals(0, umount.waitFor());
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
    try (var mounted = new MountedMemory<>(fileSystem, mountPoint(), "")) {
      Process user =
          new ProcessBuilder(
                  "sh", "-c", "exec 3> busy; echo data >&3; echo ready; read x; echo y >&3")
              .directory(mounted.root.toFile())
              .start();
      assertEquals('r', user.getInputStream().read());
      MountException refused = assertThrows(MountException.class, mounted.mount::unmount);
      assertTrue(refused.getMessage().contains("busy"), refused.getMessage());
      assertTrue(mounted.mount.isLive());
      mounted.mount.unmountBusy();
      assertFalse(mounted.mount.isLive());
      assertEquals(
          "data\n",
          new String(fileSystem.contents("busy"), java.nio.charset.StandardCharsets.US_ASCII));
      assertEquals(0, fileSystem.handlesOpen());
      user.getOutputStream().close();
      user.waitFor();
    }
  }

  @Test
  void theSetuidHelperMountsToo() throws Exception {
    MemoryFileSystem fileSystem = new MemoryFileSystem();
    Mounter helper = new FusermountMounter();
    try (var mounted = new MountedMemory<>(fileSystem, mountPoint(), "nodev", helper)) {
      Files.writeString(mounted.root.resolve("f"), "content");
      assertEquals("content", mounted.shell("cat f"));
      assertTrue(mounted.shell("grep \" $PWD \" /proc/self/mounts").startsWith("memory "));
      mounted.mount.unmount();
      assertFalse(mounted.mount.isLive());
    }
    try (var busy = new MountedMemory<>(fileSystem, mountPoint(), "", helper)) {
      try (var open = Files.newOutputStream(busy.root.resolve("g"))) {
        open.write(1);
        assertThrows(MountException.class, busy.mount::unmount);
        busy.mount.unmountBusy();
        assertFalse(busy.mount.isLive());
        assertEquals(0, fileSystem.handlesOpen());
      } catch (IOException e) {
        String reason = String.valueOf(e.getMessage());
        assertTrue(reason.contains("not connected"), reason);
      }
    }
  }

  @Test
  void helperFailuresAreReportedInItsWords() {
    Path gone = directory.resolve("gone");
    MountOptions options = MountOptions.defaults();
    String message =
        assertThrows(MountException.class, () -> new FusermountMounter().mount(gone, options, 4096))
            .getMessage();
    assertTrue(message.startsWith(gone + ": cannot mount: "), message);
    assertTrue(message.contains("No such file"), message);
  }

  /** A file system with faults. */
  private static final class Faulty extends MemoryFileSystem {
    private final CountDownLatch syncing = new CountDownLatch(1);
    private volatile boolean interruptSeen;

    @Override
    public Attributes lookup(long parent, byte[] name) throws FsException {
      switch (new String(name, java.nio.charset.StandardCharsets.US_ASCII)) {
        case "throws" -> throw new IllegalStateException("on purpose");
        case "dies" -> throw new StackOverflowError("on purpose");
        default -> {
          return super.lookup(parent, name);
        }
      }
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
        java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
      }
    }
  }

  @Test
  void aThrowableIsAnErrorOfOneRequestOnly() throws Exception {
    try (var mounted = new MountedMemory<>(new Faulty(), mountPoint(), "")) {
      for (String name : List.of("throws", "dies")) {
        IOException e =
            assertThrows(IOException.class, () -> Files.size(mounted.root.resolve(name)));
        assertTrue(e.getMessage().contains("Input/output error"), e.getMessage());
      }
      Files.writeString(mounted.root.resolve("f"), "still here");
      assertEquals("still here", Files.readString(mounted.root.resolve("f")));
    }
  }

  @Test
  void anInterruptReachesTheRequestThatRuns() throws Exception {
    Faulty fileSystem = new Faulty();
    try (var mounted = new MountedMemory<>(fileSystem, mountPoint(), "")) {
      Files.createFile(mounted.root.resolve("f"));
      Process sync = new ProcessBuilder("sync", mounted.root.resolve("f").toString()).start();
      assertTrue(fileSystem.syncing.await(20, TimeUnit.SECONDS));
      sync.destroy();
      assertTrue(sync.waitFor(20, TimeUnit.SECONDS));
      assertTrue(fileSystem.interruptSeen);
    }
  }

  /** A file system whose writes take long. */
  private static final class Slow extends MemoryFileSystem {
    private final AtomicInteger reads = new AtomicInteger();

    @Override
    public void write(
        Caller caller, FileHandle handle, long offset, ByteBuffer source, boolean killPrivileges)
        throws FsException {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
      super.write(caller, handle, offset, source, killPrivileges);
    }

    @Override
    public int read(FileHandle handle, long offset, int length, ByteBuffer destination)
        throws FsException {
      reads.incrementAndGet();
      return super.read(handle, offset, length, destination);
    }
  }

  @Test
  void flushWaitsForItsWritesAndKeepsThePages() throws Exception {
    Slow fileSystem = new Slow();
    byte[] bytes = new byte[5 << 20];
    new java.util.Random(1).nextBytes(bytes);
    try (var mounted = new MountedMemory<>(fileSystem, mountPoint(), "")) {
      Path file = mounted.root.resolve("f");
      try (FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
        channel.write(ByteBuffer.wrap(bytes));
        mounted.mount.flush();
        assertArrayEquals(bytes, fileSystem.contents("f"));
        assertArrayEquals(bytes, Files.readAllBytes(file));
        assertEquals(0, fileSystem.reads.get());
      }
    }
  }

  @Test
  void mountsComeAndGoWithoutLeavingAnything() throws Exception {
    Path descriptors = Path.of("/proc/self/fd");
    long before = 0;
    for (int i = 0; i < 20; i++) {
      try (var mounted = new MountedMemory<>(new MemoryFileSystem(), mountPoint(), "")) {
        Files.writeString(mounted.root.resolve("f"), "x");
      }
      try (var open = Files.list(descriptors)) {
        long count = open.count();
        before = i == 5 ? count : before;
        // The virtual machine may open something of its own; a leak would come with each mount.
        assertTrue(i <= 5 || count <= before + 3, count + " descriptors, before " + before);
      }
    }
    assertEquals(0, ProcessHandle.current().children().count(), "child processes");
  }
}
