package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.pool.Pool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * What goes wrong around a daemon: it is stopped, its host fails below it, it has hardly any memory
 * or descriptors, it is used for long. Who works on the mount gets errors at most, and what was
 * synced is there afterwards.
 */
@EnabledIf("io.cowfs.tools.e2e.Requirements#rootFuse")
final class HardTimesMountTest {
  private static final Path ANYWHERE = Path.of("/");
  private static final int OPERATIONS = Boolean.getBoolean("cowfs.soak") ? 1_000_000 : 40_000;
  private static final long RESIDENT_KIB_MORE = 64 << 10;

  /** From what no script can run with to what is enough; the soak tries them all. */
  private static final int[] FEW_DESCRIPTORS =
      Boolean.getBoolean("cowfs.soak")
          ? IntStream.rangeClosed(5, 160).toArray()
          : new int[] {5, 11, 12, 24, 63, 127, 128, 160};

  /** Each ends the start of a daemon elsewhere. */
  private static final int[] TOO_FEW_DESCRIPTORS =
      Boolean.getBoolean("cowfs.soak")
          ? IntStream.rangeClosed(12, 60).toArray()
          : new int[] {16, 34, 41, 43, 44, 46, 49};

  /** Longer than from one commit to the next. */
  private static final long STOPPED_MS = 6_000;

  /** XFS_IOC_GOINGDOWN, which ext4 has too: nothing goes to the disk any more. */
  private static final String SHUT_DOWN =
      "import fcntl, os; fcntl.ioctl(os.open('.', os.O_RDONLY), 0x8004587D, bytes(4))";

  @TempDir private Path directory;

  private static byte[] content(long seed) {
    byte[] bytes = new byte[300_000];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static void writeSynced(Path file, long seed) throws IOException {
    Files.write(file, content(seed));
    Program.succeed(ANYWHERE, "sync", file.toString());
  }

  @Test
  void aDaemonThatWasStoppedGoesOn() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      writeSynced(mounted.path("before"), 1);
      Files.write(mounted.path("meanwhile"), content(2));
      String pid = Long.toString(mounted.daemonPid().getAsLong());
      Program.succeed(ANYWHERE, "kill", "-STOP", pid);
      // From elsewhere: whoever starts a program waits until it is in its directory.
      Process writer =
          Program.start(
              ANYWHERE,
              List.of(
                  "sh",
                  "-ec",
                  "cd \"$1\"; cp before after; sync after",
                  "sh",
                  mounted.root().toString()),
              ProcessBuilder.Redirect.DISCARD,
              ProcessBuilder.Redirect.INHERIT);
      MountedPool.pause(STOPPED_MS);
      assertTrue(writer.isAlive(), "a stopped daemon answers");
      Program.succeed(ANYWHERE, "kill", "-CONT", pid);
      assertEquals(0, writer.waitFor());
      mounted.remount();
      assertArrayEquals(content(1), Files.readAllBytes(mounted.path("after")));
      assertArrayEquals(content(2), Files.readAllBytes(mounted.path("meanwhile")));
    }
  }

  /** The host's file system is shut down, as after an error of its disk. */
  @Test
  void aHostThatFailsStopsTheWritersAndLosesNothingThatWasSynced() throws Exception {
    Path host = Files.createDirectory(directory.resolve("host"));
    Path image = directory.resolve("image");
    Program.shell(
        directory, "truncate -s 256M image; mkfs.ext4 -q image; mount -o loop image host");
    try {
      MountedPool mounted = MountedPool.create(host);
      ProcessHandle daemon;
      try (mounted) {
        writeSynced(mounted.path("kept"), 1);
        Files.write(mounted.path("unsynced"), content(2));
        daemon = ProcessHandle.of(mounted.daemonPid().getAsLong()).orElseThrow();
        Program.succeed(host, "python3", "-c", SHUT_DOWN);
        Program.Result refused =
            Program.run(mounted.root(), List.of("sh", "-c", "echo more >> kept && sync kept"));
        assertNotEquals(0, refused.exitCode(), refused::toString);
        refused = Program.run(mounted.root(), List.of("sh", "-c", "sync kept"));
        assertNotEquals(0, refused.exitCode(), "synced after a sync that failed: " + refused);
        Program.Result unmounted = MountedPool.cowfs("umount", mounted.root().toString());
        assertEquals(1, unmounted.errors().lines().count(), unmounted::toString);
      }
      // Its lock cannot be looked at there.
      daemon.onExit().get(1, TimeUnit.MINUTES);
      Program.shell(ANYWHERE, "umount \"$1\"; mount -o loop \"$2\" \"$1\"", host, image);
      assertEquals(List.of(), Pool.audit(mounted.pool()));
      try (mounted) {
        mounted.mount();
        byte[] kept = Files.readAllBytes(mounted.path("kept"));
        assertArrayEquals(content(1), Arrays.copyOf(kept, content(1).length));
        writeSynced(mounted.path("again"), 3);
      }
    } finally {
      Program.run(ANYWHERE, List.of("umount", "-l", host.toString()));
    }
  }

  @Test
  void aPoolOnAReadOnlyHostIsRefusedInOneLine() throws IOException {
    Path host = Files.createDirectory(directory.resolve("host"));
    Program.shell(
        directory, "truncate -s 128M image; mkfs.ext4 -q image; mount -o loop image host");
    try {
      MountedPool mounted = MountedPool.create(host);
      writeSynced(mounted.path("kept"), 1);
      mounted.unmount();
      Program.succeed(ANYWHERE, "mount", "-o", "remount,ro", host.toString());
      Program.Result refused =
          MountedPool.cowfs("mount", mounted.pool().toString(), mounted.root().toString());
      assertEquals(1, refused.exitCode(), refused::toString);
      assertEquals(1, refused.errors().lines().count(), refused::toString);
      assertTrue(refused.errors().toLowerCase().contains("read-only"), refused::toString);
      Program.succeed(ANYWHERE, "mount", "-o", "remount,rw", host.toString());
      try (mounted) {
        mounted.mount();
        assertArrayEquals(content(1), Files.readAllBytes(mounted.path("kept")));
      }
    } finally {
      Program.run(ANYWHERE, List.of("umount", "-l", host.toString()));
    }
  }

  /** Either it says so, or it works. */
  @Test
  void aDaemonWithFewDescriptorsRefusesToStartOrWorks() throws IOException {
    int worked = 0;
    int refused = 0;
    MountedPool mounted = MountedPool.create(directory);
    writeSynced(mounted.path("kept"), 1);
    mounted.unmount();
    for (int descriptors : FEW_DESCRIPTORS) {
      try (mounted) {
        Program.Result mounting =
            limited(
                mounted, "ulimit -n " + descriptors + "; exec \"$@\"", "-XX:TieredStopAtLevel=1");
        if (mounting.exitCode() != 0) {
          refused++;
          expectOneLine(mounting);
          assertFalse(mounted.isMounted(), mounting::toString);
          continue;
        }
        worked++;
        writeSynced(mounted.path("more-" + descriptors), descriptors);
        mounted.succeed("snapshot", mounted.pool() + "@with-" + descriptors);
        assertArrayEquals(content(1), Files.readAllBytes(mounted.path("kept")));
      }
    }
    assertTrue(worked > 0 && refused > 0, worked + " worked, " + refused + " were refused");
    assertEquals(List.of(), Pool.audit(mounted.pool()));
  }

  private static void expectOneLine(Program.Result refused) {
    assertEquals(1, refused.errors().lines().count(), refused::toString);
    assertFalse(refused.errors().isBlank(), refused::toString);
    assertFalse(refused.errors().contains("without a word"), refused::toString);
    assertEquals("", refused.output(), refused::toString);
  }

  /** Where the launcher does not see that they will be too few: at any point of its start. */
  @Test
  void aDaemonThatStartsAndFindsNoDescriptorSaysSoInOneLine() throws IOException {
    MountedPool mounted = MountedPool.create(directory);
    writeSynced(mounted.path("kept"), 1);
    mounted.unmount();
    Path jar = MountedPool.launcher().toRealPath().resolveSibling("cowfs.jar");
    Path launcher = Files.createFile(directory.resolve("launcher"));
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwx------"));
    int refused = 0;
    for (int descriptors : TOO_FEW_DESCRIPTORS) {
      Files.writeString(
          launcher,
          """
          #!/bin/sh
          ulimit -S -n %d
          export COWFS_DAEMON_FLAGS='-XX:-MaxFDLimit -XX:TieredStopAtLevel=1'
          exec '%s' "$@"
          """
              .formatted(descriptors, MountedPool.launcher()));
      try (mounted) {
        Program.Result mounting =
            Program.run(
                ANYWHERE,
                List.of(
                    System.getProperty("java.home") + "/bin/java",
                    "-XX:TieredStopAtLevel=1",
                    "-Dcowfs.launcher=" + launcher,
                    "-jar",
                    jar.toString(),
                    "mount",
                    mounted.pool().toString(),
                    mounted.root().toString()));
        if (mounting.exitCode() != 0) {
          refused++;
          expectOneLine(mounting);
          // In its own words.
          assertFalse(mounting.errors().contains("cannot start its daemon"), mounting::toString);
          assertFalse(mounted.isMounted(), mounting::toString);
        }
      }
    }
    assertTrue(refused > 0, "there were always enough");
    assertEquals(List.of(), Pool.audit(mounted.pool()));
  }

  /** A mount too many is refused, and hurts no other. */
  @Test
  void aDaemonThatHasUsedUpItsDescriptorsRefusesMoreMountsAndGoesOn() throws IOException {
    MountedPool mounted = MountedPool.create(directory);
    writeSynced(mounted.path("kept"), 1);
    mounted.unmount();
    try (mounted) {
      limited(mounted, "ulimit -n 128; exec \"$@\"", "-XX:TieredStopAtLevel=1").expectExit(0);
      Program.Result refused = null;
      for (int i = 0; refused == null; i++) {
        assertTrue(i < 128, "128 descriptors are enough for 128 mounts");
        Path at = Files.createDirectory(directory.resolve("more-" + i));
        Program.Result more =
            Client.run("mount", "--create", mounted.pool() + "/more-" + i, at.toString());
        if (more.exitCode() == 0) {
          writeSynced(at.resolve("file"), i);
        } else {
          refused = more;
          assertFalse(MountedPool.isMounted(at), more::toString);
        }
      }
      expectOneLine(refused);
      System.out.println("HardTimesMountTest: " + refused);
      assertArrayEquals(content(1), Files.readAllBytes(mounted.path("kept")));
      writeSynced(mounted.path("after"), 2);
      Client.run("umount", mounted.pool().toString()).expectExit(0);
    }
    assertEquals(List.of(), Pool.audit(mounted.pool()));
  }

  @Test
  void aFullTemporaryDirectoryRefusesTheMountInOneLine() throws IOException {
    MountedPool mounted = MountedPool.create(directory);
    mounted.unmount();
    Path full = Files.createDirectory(directory.resolve("full"));
    Program.shell(directory, "mount -t tmpfs -o size=64k none full");
    try {
      Program.run(full, List.of("sh", "-c", "head -c 1M /dev/zero > all"));
      Program.Result refused = limited(mounted, "exec \"$@\"", "-Djava.io.tmpdir=" + full);
      assertEquals(1, refused.exitCode(), refused::toString);
      expectOneLine(refused);
      assertTrue(refused.errors().contains(full.toString()), refused::toString);
    } finally {
      Program.succeed(ANYWHERE, "umount", full.toString());
    }
  }

  private static Program.Result limited(MountedPool mounted, String script, String flags)
      throws IOException {
    return Program.run(
        ANYWHERE,
        List.of(
            "env",
            "COWFS_DAEMON_FLAGS=" + flags,
            "sh",
            "-c",
            script,
            "sh",
            MountedPool.launcher().toString(),
            "mount",
            mounted.pool().toString(),
            mounted.root().toString()));
  }

  @Test
  void aDaemonWithoutMemoryEndsAndThePoolIsWhole() throws IOException {
    MountedPool mounted = MountedPool.create(directory);
    writeSynced(mounted.path("kept"), 1);
    mounted.unmount();
    boolean ended = false;
    for (int mib = 12; mib <= 24 && !ended; mib += 4) {
      try {
        if (limited(mounted, "exec \"$@\"", "-Xms4m -Xmx" + mib + "m").exitCode() == 0) {
          String many =
              "i=0; while [ $i -lt 400 ]; do mkdir d$i; head -c 200000 /dev/zero"
                  + " | split -a 4 -b 100 - d$i/f || exit 1; i=$((i+1)); done";
          ended = Program.run(mounted.root(), List.of("sh", "-c", many)).exitCode() != 0;
        }
      } finally {
        closeDead(mounted);
      }
      assertEquals(List.of(), Pool.audit(mounted.pool()), mib + " MiB");
    }
    assertTrue(ended, "memory was never short");
    try (mounted) {
      mounted.mount();
      assertArrayEquals(content(1), Files.readAllBytes(mounted.path("kept")));
      writeSynced(mounted.path("after"), 2);
    }
  }

  /** Of a daemon that may have ended by itself. */
  private static void closeDead(MountedPool mounted) throws IOException {
    mounted.killDaemon();
    Program.run(ANYWHERE, List.of("umount", "-l", mounted.root().toString()));
  }

  @Test
  void useTakesNoMoreOfTheMachineInTheLongRun() throws IOException {
    try (MountedPool mounted = MountedPool.create(directory)) {
      Program.python("busy.py", mounted.root(), OPERATIONS / 4);
      Usage before = Usage.of(mounted.daemonPid().getAsLong());
      Program.python("busy.py", mounted.root(), OPERATIONS);
      Usage after = Usage.of(mounted.daemonPid().getAsLong());
      String both = before + ", then " + after;
      System.out.println("HardTimesMountTest: " + both);
      assertTrue(after.descriptors() <= before.descriptors() + 2, both);
      assertTrue(after.threads() <= before.threads() + 4, both);
      assertTrue(after.residentKib() <= before.residentKib() + RESIDENT_KIB_MORE, both);
    }
  }

  /** What a process has of the machine. */
  private record Usage(long descriptors, long threads, long residentKib) {
    static Usage of(long pid) throws IOException {
      Path process = Path.of("/proc/" + pid);
      try (Stream<Path> open = Files.list(process.resolve("fd"));
          Stream<Path> tasks = Files.list(process.resolve("task"))) {
        String resident =
            Files.readAllLines(process.resolve("status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .findFirst()
                .orElseThrow();
        return new Usage(
            open.count(), tasks.count(), Long.parseLong(resident.replaceAll("\\D", "")));
      }
    }
  }
}
