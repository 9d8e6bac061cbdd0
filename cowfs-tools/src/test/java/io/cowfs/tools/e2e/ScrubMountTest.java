package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** A scrub of a pool, mounted and not, by the command. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class ScrubMountTest {
  private static final Pattern READ = Pattern.compile("\"readBytes\": (\\d+)");

  @TempDir private Path directory;

  private static byte[] random(int seed, int length) {
    byte[] content = new byte[length];
    new Random(seed).nextBytes(content);
    return content;
  }

  /** Flips a bit of a file's first sector, wherever that is in the data file. */
  private static void damage(MountedPool mounted, byte[] content) throws IOException {
    String start = HexFormat.of().formatHex(content, 0, 512);
    Program.python("flip.py", mounted.pool().resolve("data"), start);
  }

  private static Program.Result scrub(MountedPool mounted, String... options) throws IOException {
    String[] arguments = new String[options.length + 2];
    arguments[0] = "scrub";
    System.arraycopy(options, 0, arguments, 1, options.length);
    arguments[arguments.length - 1] = mounted.pool().toString();
    return MountedPool.cowfs(arguments);
  }

  private static String statusLine(MountedPool mounted) throws IOException {
    return mounted
        .succeed("status", mounted.pool().toString())
        .lines()
        .filter(line -> line.startsWith("scrub:"))
        .findAny()
        .orElseThrow();
  }

  private static void assertState(String state, Program.Result status) {
    assertTrue(status.output().contains("\"state\": \"" + state + "\""), status::toString);
  }

  private static long readBytes(MountedPool mounted) throws IOException {
    Program.Result status = scrub(mounted, "--status", "--json");
    Matcher read = READ.matcher(status.output());
    assertTrue(read.find(), status::toString);
    return Long.parseLong(read.group(1));
  }

  private static void assertRefused(Program.Result result, String why) {
    assertEquals(1, result.exitCode(), result::toString);
    assertEquals(1, result.errors().lines().count(), result::toString);
    assertTrue(
        result.errors().startsWith("cowfs: ") && result.errors().contains(why), result::toString);
  }

  @Test
  void damageIsNamedWithAllItsPathsWhileThePoolIsMounted() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      byte[] content = random(1, 300_000);
      Files.write(mounted.path("victim"), content);
      Files.createLink(mounted.path("second name"), mounted.path("victim"));
      Files.write(mounted.path("sound"), random(2, 300_000));
      mounted.succeed("snapshot", mounted.root() + "@before");
      Files.delete(mounted.path("victim"));
      mounted.succeed("sync", mounted.pool().toString());
      assertTrue(statusLine(mounted).endsWith("never"), statusLine(mounted));
      scrub(mounted, "--wait").expectExit(0);
      assertTrue(statusLine(mounted).endsWith(", no errors"), statusLine(mounted));

      damage(mounted, content);
      Program.Result found = scrub(mounted, "--wait");
      assertEquals(1, found.exitCode(), found::toString);
      for (String place :
          new String[] {"root:/second name", "root@before:/victim", "root@before:/second name"}) {
        assertTrue(found.output().contains("\nscrub/data: " + place + " (inode "), found::toString);
      }
      assertFalse(found.output().contains("sound"), found::toString);
      assertFalse(found.output().contains("root:/victim"), found::toString);
      assertTrue(statusLine(mounted).endsWith(", 1 error"), statusLine(mounted));
      Program.Result status = scrub(mounted, "--status");
      assertEquals(found.output(), status.output());
      assertEquals(1, status.exitCode());

      mounted.remount();
      assertEquals(1, scrub(mounted, "--status").exitCode(), "it is kept with the pool");
      Files.writeString(mounted.path("still"), "writable");
    }
  }

  @Test
  void aPoolThatIsNotMountedIsReadByTheCommand() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      byte[] content = random(1, 300_000);
      Files.write(mounted.path("victim"), content);
      mounted.unmount();
      Program.Result sound = scrub(mounted).expectExit(0);
      assertTrue(sound.output().contains("errors:     0\n"), sound::toString);
      damage(mounted, content);
      Program.Result found = scrub(mounted);
      assertEquals(1, found.exitCode(), found::toString);
      assertTrue(found.output().contains("\nscrub/data: root:/victim (inode "), found::toString);
      assertEquals(1, found.errors().lines().count(), found::toString);
    }
  }

  @Test
  void pausedOrKilledItGoesOnFromWhereItWas() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      byte[] content = random(99, 300_000);
      for (int i = 0; i < 24; i++) {
        Files.write(mounted.path("file" + i), random(i, 1 << 20));
      }
      Files.write(mounted.path("last"), content);
      mounted.succeed("sync", mounted.pool().toString());
      damage(mounted, content);
      assertRefused(scrub(mounted, "--pause"), "no scrub is running");
      assertRefused(scrub(mounted, "--resume"), "no scrub is paused");
      assertEquals(2, scrub(mounted, "--pause", "--resume").exitCode());

      mounted.succeed("set", mounted.pool().toString(), "scrub.rate=1K");
      scrub(mounted).expectExit(0);
      assertRefused(scrub(mounted), "running already");
      awaitReading(mounted, 0);
      scrub(mounted, "--pause").expectExit(0);
      assertState("paused", scrub(mounted, "--status", "--json"));
      long read = readBytes(mounted);
      mounted.remount();
      assertState("paused", scrub(mounted, "--status", "--json"));
      assertEquals(read, readBytes(mounted));
      assertRefused(scrub(mounted), "paused");

      scrub(mounted, "--resume").expectExit(0);
      awaitReading(mounted, read);
      mounted.killDaemon();
      assertState("interrupted", scrub(mounted, "--status", "--json"));
      assertTrue(readBytes(mounted) >= read, "what was kept before the kill");
      mounted.succeed("set", mounted.pool().toString(), "scrub.rate=none");
      mounted.mount();
      long deadline = System.nanoTime() + 60_000_000_000L;
      Program.Result status = scrub(mounted, "--status", "--json");
      while (!status.output().contains("\"finished\"") && System.nanoTime() < deadline) {
        MountedPool.pause(100);
        status = scrub(mounted, "--status", "--json");
      }
      assertState("finished", status);
      assertEquals(1, status.exitCode(), status::toString);
      assertTrue(status.output().contains("\"scrub/data: root:/last (inode "), status::toString);
    }
  }

  private static void awaitReading(MountedPool mounted, long before) throws IOException {
    while (readBytes(mounted) <= before) {
      MountedPool.pause(50);
    }
  }

  @Test
  void unmountingDoesNotWaitForAScrubThatSomebodyWaitsFor() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      for (int i = 0; i < 8; i++) {
        Files.write(mounted.path("file" + i), random(i, 1 << 20));
      }
      mounted.succeed("set", mounted.pool().toString(), "scrub.rate=1K");
      Process waiting =
          new ProcessBuilder(
                  MountedPool.launcher().toString(), "scrub", "--wait", mounted.pool().toString())
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("out").toFile())
              .start();
      awaitReading(mounted, 0);
      mounted.unmount();
      waiting.waitFor();
      String output = Files.readString(directory.resolve("out"));
      assertTrue(output.contains("interrupted"), output);
    }
  }
}
