package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** What Linux builds on a file system, tried with the programs that do. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#rootFuse")
final class LinuxMountTest {
  private static final int COPIED_BYTES = 64 << 20;

  @TempDir private static Path sharedDirectory;
  private static SharedPool shared;

  @TempDir private Path directory;

  @BeforeAll
  static void share() {
    shared = new SharedPool(sharedDirectory);
  }

  @AfterAll
  static void unmountAll() throws IOException {
    shared.close();
  }

  @Test
  void aCopyTakesNoSpace() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      byte[] content = new byte[COPIED_BYTES + 777];
      new Random(11).nextBytes(content);
      Files.write(mounted.path("source"), content);
      mounted.succeed("sync", mounted.pool().toString());
      long before = mounted.allocatedBytes();
      Program.shell(mounted.root(), "cp source copy; cp copy copy2; cmp source copy2");
      mounted.succeed("sync", mounted.pool().toString());
      long taken = mounted.allocatedBytes() - before;
      assertTrue(taken < COPIED_BYTES / 4, "copies took " + taken + " bytes");
      Program.shell(mounted.root(), "rm source copy");
      mounted.remount();
      assertEquals(-1, Files.mismatch(mounted.path("copy2"), write(content)));
      mounted.unmount();
      mounted.succeed("check", mounted.pool().toString());
    }
  }

  private Path write(byte[] content) throws IOException {
    return Files.write(directory.resolve("expected"), content);
  }

  @Test
  void aFileWithoutANameIsGoneAfterACrash() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      mounted.keepNoCheckpoints();
      Program.python(
          "unnamed_file.py", mounted.root(), mounted.path("named"), Integer.toString(32 << 20));
      mounted.succeed("sync", mounted.pool().toString());
      mounted.killDaemon();
      Program.run(Path.of("/"), java.util.List.of("umount", "-l", mounted.root().toString()));
      mounted.mount();
      assertEquals(32 << 20, Files.size(mounted.path("named")));
      assertEquals("named\n", Program.succeed(mounted.root(), "ls"));
      mounted.unmount();
      mounted.succeed("check", mounted.pool().toString());
    }
  }

  @Test
  void shuttingDownKeepsWhatIsDurableAndNothingElse() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      Program.python("shut_down.py", mounted.root());
      mounted.remount();
      assertEquals("durable\n", Program.succeed(mounted.root(), "ls"));
      assertEquals(100_000, Files.size(mounted.path("durable")));
      Files.writeString(mounted.path("later"), "later");
      mounted.remount();
      assertEquals("durable\nlater\n", Program.succeed(mounted.root(), "ls"));
      mounted.unmount();
      mounted.succeed("check", mounted.pool().toString());
    }
  }

  @Test
  void fileHandlesSurviveARemount() throws Exception {
    try (MountedDataset mounted = shared.dataset()) {
      Program.shell(mounted.root(), "mkdir -p a/b; echo content > a/b/f; echo gone > a/b/g");
      Path handles = directory.resolve("handles");
      Program.python("file_handles.py", "make", mounted.root(), handles, "a/b/f", "a/b", "a/b/g");
      Program.shell(mounted.root(), "mv a/b/f f; rm a/b/g");
      mounted.remount();
      assertEquals(
          "content\n||ESTALE|",
          Program.python("file_handles.py", "open", mounted.root(), handles).replace("dir:", ""));
    }
  }

  @Test
  void locksHoldBetweenProcesses() throws Exception {
    try (MountedDataset mounted = shared.dataset()) {
      assertEquals("ok\n", Program.python("locks.py", mounted.path("file")));
    }
  }

  @Test
  void flagsAreKeptBySnapshotsAndRollback() throws Exception {
    try (MountedDataset mounted = shared.dataset()) {
      Program.shell(mounted.root(), "echo a > f; chattr +id f");
      mounted.succeed("snapshot", mounted.root() + "@s");
      Program.shell(mounted.root(), "chattr -id f; echo b > f");
      String snapshot = Program.succeed(mounted.root(), "lsattr", ".cowfs/snapshot/s/f");
      assertTrue(snapshot.startsWith("----i-d"), snapshot);
      mounted.succeed("rollback", mounted.root() + "@s");
      String live = Program.succeed(mounted.root(), "lsattr", "f");
      assertTrue(live.startsWith("----i-d"), live);
      assertEquals("a\n", Files.readString(mounted.path("f")));
      mounted.remount();
      assertTrue(Program.succeed(mounted.root(), "lsattr", "f").startsWith("----i-d"));
      Program.shell(mounted.root(), "chattr -i f");
    }
  }

  @Test
  void freeSpaceIsGivenBackOnRequest() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      mounted.keepNoCheckpoints();
      String trimmed = Program.succeed(mounted.root(), "fstrim", "-v", mounted.root().toString());
      assertTrue(trimmed.contains("trimmed"), trimmed);
    }
  }

  @Test
  void overlayfsHasItsUpperAndLowerLayersHere() throws Exception {
    try (MountedDataset mounted = shared.dataset()) {
      Path merged = Files.createDirectory(directory.resolve("merged"));
      Program.shell(
          mounted.root(),
          """
          mkdir lower upper work
          mkdir -p lower/dir/sub lower/other
          echo lower > lower/file; echo lower > lower/dir/f; echo lower > lower/other/f
          echo lower > lower/gone; ln -s file lower/link; setfattr -n user.a -v b lower/file
          mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,redirect_dir=on "$1"
          """,
          merged);
      try {
        Program.shell(
            merged,
            """
            echo upper >> file; rm gone; rm -r other; mkdir other; echo new > other/new
            mv dir moved; echo changed > moved/f; touch created; ln file hard; mv link link2
            test "$(getfattr --only-values -n user.a file)" = b
            test ! -e gone; test "$(ls other)" = new; test ! -e dir; test -d moved/sub
            """);
      } finally {
        Program.succeed(Path.of("/"), "umount", merged.toString());
      }
      Program.shell(
          mounted.root(),
          """
          test -c upper/gone; test "$(stat -c %t:%T upper/gone)" = 0:0; test -c upper/dir
          getfattr -n trusted.overlay.opaque upper/other | grep -q '"y"'
          getfattr -n trusted.overlay.redirect upper/moved | grep -q dir
          test "$(cat lower/file)" = lower
          """);
      mounted.remount();
      Program.shell(
          mounted.root(),
          "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,redirect_dir=on"
              + " \"$1\"",
          merged);
      try {
        assertEquals("lower\nupper\n", Files.readString(merged.resolve("file")));
        assertEquals("changed\n", Files.readString(merged.resolve("moved/f")));
        assertEquals("new\n", Files.readString(merged.resolve("other/new")));
      } finally {
        Program.succeed(Path.of("/"), "umount", merged.toString());
      }
    }
  }

  @Test
  void aLoopDeviceHasItsFileHere() throws Exception {
    try (MountedDataset mounted = shared.dataset()) {
      Path inner = Files.createDirectory(directory.resolve("inner"));
      Program.shell(mounted.root(), "truncate -s 64M image; mkfs.ext4 -q image");
      Program.Result loop =
          Program.run(mounted.root(), java.util.List.of("losetup", "-f", "--show", "image"));
      org.junit.jupiter.api.Assumptions.assumeTrue(loop.exitCode() == 0, "no loop devices here");
      String device = loop.output().strip();
      try {
        Program.shell(
            mounted.root(),
            """
            mount "$1" "$2"
            dd if=/dev/urandom of="$2/data" bs=1M count=20 status=none
            cp "$2/data" "$2/copy"; cmp "$2/data" "$2/copy"; umount "$2"
            """,
            device,
            inner);
      } finally {
        Program.succeed(Path.of("/"), "losetup", "-d", device);
      }
      Program.shell(mounted.root(), "e2fsck -fn image");
    }
  }

  @Test
  void aSmallPoolProcessStaysSmall() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory, "-o", "memory=small")) {
      String pool = mounted.pool().toString();
      Program.shell(
          mounted.root(),
          """
          dd if=/dev/urandom of=data bs=1M count=200 conv=fsync status=none
          cat data > copy; cmp data copy
          for i in $(seq 1000); do echo $i > file$i; done
          """);
      long peakKib =
          Files.readAllLines(
                  Path.of("/proc", Long.toString(mounted.daemonPid().orElseThrow()), "status"))
              .stream()
              .filter(line -> line.startsWith("VmHWM:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
              .findFirst()
              .orElseThrow();
      assertTrue(peakKib < 256 << 10, peakKib + " KiB");
      // What is open already stays as large as it is.
      mounted.unmount();
      mounted.succeed("mount", pool, mounted.root().toString());
      mounted.succeed("create", pool + "/b");
      Path inner = Files.createDirectory(directory.resolve("inner"));
      Program.Result late =
          MountedPool.cowfs("mount", "-o", "memory=small", pool + "/b", inner.toString());
      assertEquals(1, late.exitCode(), late::toString);
      assertTrue(late.errors().contains("without memory=small"), late::errors);
    }
  }

  @Test
  void aDatasetIsMountedInsideAnother() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      String pool = mounted.pool().toString();
      Path inner = Files.createDirectory(mounted.path("inner"));
      mounted.succeed("create", pool + "/b");
      mounted.succeed("set", pool + "/root", "mountpoint=" + mounted.root());
      mounted.succeed("set", pool + "/b", "mountpoint=" + inner);
      mounted.succeed("mount", "-a", pool);
      Files.writeString(inner.resolve("file"), "inner");
      Files.writeString(mounted.path("file"), "outer");

      MountedPool.cowfs("umount", mounted.root().toString()).expectExit(1);
      mounted.succeed("snapshot", pool + "@s");
      Files.writeString(mounted.path("file"), "changed");
      mounted.succeed("rollback", pool + "@s");
      assertEquals("outer", Files.readString(mounted.path("file")));
      assertEquals("inner", Files.readString(inner.resolve("file")));
      mounted.succeed("sync", pool);

      mounted.killDaemon();
      mounted.succeed("umount", pool);
      assertFalse(mounted.isMounted());
      mounted.succeed("mount", "-a", pool);
      assertEquals("inner", Files.readString(inner.resolve("file")));
      mounted.succeed("umount", pool);
      assertFalse(mounted.isMounted(), "the outer mount stays");
    }
  }

  @Test
  void nothingIsMountedOnASnapshot() throws Exception {
    try (MountedDataset mounted = shared.dataset()) {
      mounted.succeed("create", mounted.pool() + "/b");
      Path at = mounted.path(".cowfs/snapshot");
      MountedPool.cowfs("mount", mounted.pool() + "/b", at.toString()).expectExit(1);
    }
  }
}
