package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** A pool over two devices, mounted, while things happen to one of them. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class MirrorMountTest {
  private static final int FILES = 8;
  private static final Pattern CHECKSUM_ERRORS = Pattern.compile(", (\\d+) checksum errors");

  @TempDir private Path directory;

  private Path member(String name) {
    return directory.resolve(name);
  }

  private MountedPool mirror() throws IOException {
    MountedPool mounted =
        MountedPool.init(
            directory,
            "--compression",
            "none",
            "--mirror",
            member("a").toString(),
            member("b").toString());
    for (int i = 0; i < FILES; i++) {
      Files.write(mounted.path("file" + i), random(i));
    }
    mounted.succeed("sync", mounted.pool().toString());
    return mounted;
  }

  private static byte[] random(int seed) {
    byte[] content = new byte[1 << 20];
    new Random(seed).nextBytes(content);
    return content;
  }

  private static void verify(MountedPool mounted, int files) throws IOException {
    for (int i = 0; i < files; i++) {
      assertArrayEquals(random(i), Files.readAllBytes(mounted.path("file" + i)), "file" + i);
    }
  }

  private static List<String> devices(MountedPool mounted) throws IOException {
    return mounted
        .succeed("status", mounted.pool().toString())
        .lines()
        .filter(line -> line.startsWith("device:"))
        .toList();
  }

  private static void assertStates(MountedPool mounted, String first, String second)
      throws IOException {
    List<String> devices = devices(mounted);
    assertEquals(2, devices.size(), devices::toString);
    assertTrue(devices.get(0).contains(" " + first + ", "), devices::toString);
    assertTrue(devices.get(1).contains(" " + second + ", "), devices::toString);
  }

  private static long checksumErrors(String device) {
    Matcher errors = CHECKSUM_ERRORS.matcher(device);
    assertTrue(errors.find(), device);
    return Long.parseLong(errors.group(1));
  }

  private static void awaitOnline(MountedPool mounted) throws IOException {
    while (!devices(mounted).stream().allMatch(line -> line.contains(" ONLINE, "))) {
      MountedPool.pause(50);
    }
  }

  @Test
  void garbageOnOneDeviceIsReadFromTheOtherAndRepaired() throws Exception {
    try (MountedPool mounted = mirror()) {
      Path spoilt = member("b").resolve("data");
      Program.shell(
          directory,
          "dd if=/dev/urandom of=\"$1\" bs=4096 seek=16514 count=1800 conv=notrunc,fsync status=none",
          spoilt);
      mounted.remount();
      verify(mounted, FILES);
      String pool = mounted.pool().toString();
      MountedPool.cowfs("scrub", "--wait", pool).expectExit(0);
      List<String> devices = devices(mounted);
      assertEquals(0, checksumErrors(devices.get(0)), devices::toString);
      assertTrue(checksumErrors(devices.get(1)) > 0, devices::toString);
      mounted.unmount();
      // Now the other one is worth nothing.
      Files.delete(member("a").resolve("data"));
      mounted.mount();
      assertStates(mounted, "UNAVAIL", "ONLINE");
      verify(mounted, FILES);
      mounted.unmount();
      Program.Result check = MountedPool.cowfs("check", pool).expectExit(0);
      assertEquals(1, check.errors().lines().count(), check::errors);
      assertTrue(check.errors().startsWith("cowfs: "), check::errors);
      assertTrue(check.errors().contains("degraded"), check::errors);
    }
  }

  @Test
  void aDeviceThatWasAwayGetsWhatItHasMissed() throws Exception {
    try (MountedPool mounted = mirror()) {
      mounted.unmount();
      Path data = member("b").resolve("data");
      Path away = directory.resolve("away");
      Files.move(data, away);
      mounted.mount();
      assertStates(mounted, "ONLINE", "UNAVAIL");
      String pool = mounted.pool().toString();
      assertTrue(mounted.succeed("status", pool).contains("degraded"));
      Files.write(mounted.path("file" + FILES), random(FILES));
      mounted.succeed("sync", pool);
      assertEquals(1, MountedPool.cowfs("online", pool, member("b").toString()).exitCode());
      Files.move(away, data);
      long before = bytesWritten(mounted);
      mounted.succeed("online", "--wait", pool, member("b").toString());
      long written = bytesWritten(mounted) - before;
      assertTrue(written >= 1 << 20 && written < FILES << 20, written + " bytes");
      assertStates(mounted, "ONLINE", "ONLINE");
      mounted.unmount();
      Files.delete(member("a").resolve("data"));
      mounted.mount();
      verify(mounted, FILES + 1);
    }
  }

  /** What the daemon had written to devices. */
  private static long bytesWritten(MountedPool mounted) throws IOException {
    Path io = Path.of("/proc", Long.toString(mounted.daemonPid().orElseThrow()), "io");
    return Files.readAllLines(io).stream()
        .filter(line -> line.startsWith("wchar:"))
        .mapToLong(line -> Long.parseLong(line.substring("wchar:".length()).strip()))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void devicesComeAndGoWhileThePoolIsMounted() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      for (int i = 0; i < FILES; i++) {
        Files.write(mounted.path("file" + i), random(i));
      }
      String pool = mounted.pool().toString();
      mounted.succeed("attach", pool, member("a").toString());
      awaitOnline(mounted);
      assertStates(mounted, "ONLINE", "ONLINE");
      mounted.succeed("detach", pool, mounted.pool().resolve("data").toString());
      Program.Result last = MountedPool.cowfs("offline", pool, member("a").toString());
      assertEquals(1, last.exitCode(), last::toString);
      assertTrue(last.errors().contains("no other device has everything"), last::toString);
      verify(mounted, FILES);
      mounted.unmount();
      // Not mounted: the command does it all.
      mounted.succeed("attach", pool, member("b").toString());
      mounted.succeed("offline", pool, member("a").toString());
      Files.delete(member("a").resolve("data"));
      mounted.mount();
      // It has the number that the first one had.
      assertStates(mounted, "ONLINE", "OFFLINE");
      verify(mounted, FILES);
      Program.Result elsewhere =
          MountedPool.cowfs("attach", pool, mounted.path("inside").toString());
      assertEquals(1, elsewhere.exitCode(), elsewhere::toString);
      assertTrue(elsewhere.errors().contains("file system of type fuse"), elsewhere::toString);
    }
  }

  /** Of one kind a mirror can have one, of the other kind the other. */
  @Test
  void aBlockDeviceTakesThePlaceOfADirectory() throws Exception {
    Program.shell(directory, "truncate -s 300M image");
    Program.Result loop = Program.run(directory, List.of("losetup", "-f", "--show", "image"));
    assumeTrue(loop.exitCode() == 0, "no loop devices here");
    try {
      replaceByBlockDevice(loop.output().strip());
    } finally {
      Program.succeed(directory, "losetup", "-d", loop.output().strip());
    }
  }

  private void replaceByBlockDevice(String device) throws Exception {
    try (MountedPool mounted = mirror()) {
      // It has not the room that a pool without a limit may need.
      Program.Result tooSmall =
          MountedPool.cowfs("replace", mounted.pool().toString(), member("a").toString(), device);
      assertEquals(1, tooSmall.exitCode(), tooSmall::toString);
      assertTrue(tooSmall.errors().contains("needs at least"), tooSmall::errors);
      assertStates(mounted, "ONLINE", "ONLINE");
    }
    try (MountedPool mounted =
        MountedPool.init(
            Files.createDirectory(directory.resolve("second")),
            "--size",
            "256M",
            "--mirror",
            member("c").toString(),
            member("d").toString())) {
      Files.write(mounted.path("file0"), random(0));
      String pool = mounted.pool().toString();
      mounted.succeed("replace", "--wait", pool, member("c").toString(), device);
      List<String> devices = devices(mounted);
      assertStates(mounted, "ONLINE", "ONLINE");
      assertTrue(devices.stream().noneMatch(line -> line.contains("/c ")), devices::toString);
      assertTrue(devices.stream().anyMatch(line -> line.contains(device)), devices::toString);
      mounted.unmount();
      Files.delete(member("d").resolve("data"));
      mounted.mount();
      verify(mounted, 1);
    }
  }
}
