package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** What cannot be done is said in one line that names the culprit, and changes nothing. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class BadInputMountTest {
  private static final Path ANYWHERE = Path.of("/");

  /** A command line, in which POOL, ROOT and DIR stand for paths, and what the message names. */
  private record Refused(String commandLine, String named) {}

  private static final List<Refused> REFUSED =
      List.of(
          new Refused("list DIR/nothing", "DIR/nothing"),
          new Refused("list DIR", "DIR"),
          new Refused("list DIR/file", "DIR/file"),
          new Refused("status DIR/nothing", "DIR/nothing"),
          new Refused("mount DIR/nothing DIR/empty", "DIR/nothing"),
          new Refused("mount DIR DIR/empty", "DIR"),
          new Refused("mount POOL DIR/nothing", "DIR/nothing"),
          new Refused("mount POOL DIR/file", "DIR/file"),
          new Refused("mount POOL/home DIR/full", "DIR/full"),
          new Refused("mount POOL DIR/empty", "ROOT"),
          new Refused("mount POOL/home ROOT", "ROOT"),
          new Refused("mount POOL/nothing DIR/empty", "nothing"),
          new Refused("init POOL", "POOL"),
          new Refused("init DIR/full", "DIR/full"),
          new Refused("init DIR/file", "DIR/file"),
          new Refused("init ROOT/pool", "ROOT/pool"),
          new Refused("create POOL/home", "home"),
          new Refused("create POOL/root", "root"),
          new Refused("create POOL/no/parent", "no"),
          new Refused("create POOL/sp%ce", "sp%ce"),
          new Refused("create POOL/-dash", "-dash"),
          new Refused("create POOL/" + "x".repeat(300), "300 characters"),
          new Refused("snapshot POOL@taken", "taken"),
          new Refused("snapshot POOL@il+legal", "il+legal"),
          new Refused("snapshot POOL@with/slash", "slash"),
          new Refused("snapshot POOL/nothing@s", "nothing"),
          new Refused("snapshot POOL@" + "y".repeat(300), "300 characters"),
          new Refused("rollback POOL@nothing", "nothing"),
          new Refused("rollback POOL/nothing@taken", "nothing"),
          new Refused("destroy POOL@nothing", "nothing"),
          new Refused("destroy POOL/nothing", "nothing"),
          new Refused("list POOL/nothing", "nothing"),
          new Refused("umount DIR/empty", "DIR/empty"),
          new Refused("umount DIR/nothing", "DIR/nothing"));

  private static final List<String> MISUSED =
      List.of(
          "nonsense",
          "list",
          "mount POOL",
          "snapshot",
          "mount POOL/home DIR/empty -o nonsense",
          "mount POOL@s DIR/empty",
          "snapshot POOL@",
          "snapshot POOL",
          "rollback POOL",
          "list --nonsense POOL",
          "init DIR/new --size nonsense",
          "init DIR/new --compression nonsense");

  @TempDir private Path directory;
  private MountedPool mounted;

  @BeforeEach
  void mount() throws IOException {
    mounted = MountedPool.create(directory);
    Files.createDirectory(directory.resolve("empty"));
    Files.createDirectories(directory.resolve("full/of/things"));
    Files.writeString(directory.resolve("file"), "not a pool");
    Files.writeString(mounted.path("kept"), "kept");
    mounted.succeed("create", mounted.pool() + "/home");
    mounted.succeed("snapshot", mounted.pool() + "@taken");
  }

  @AfterEach
  void unmount() throws IOException {
    mounted.close();
  }

  private String withPaths(String text) {
    return text.replace("POOL", mounted.pool().toString())
        .replace("ROOT", mounted.root().toString())
        .replace("DIR", directory.toString());
  }

  private Program.Result cowfs(String commandLine) throws IOException {
    return Client.run(withPaths(commandLine).split(" ", -1));
  }

  private List<String> namesAndTimes() throws IOException {
    return mounted
        .succeed("list", "-H", "-p", mounted.pool().toString())
        .lines()
        .map(line -> line.replaceAll("\t.*\t", " created "))
        .toList();
  }

  private static void assertOneLine(Program.Result result) {
    assertTrue(result.errors().startsWith("cowfs: "), result::toString);
    assertEquals(1, result.errors().lines().count(), result::toString);
    assertEquals("", result.output(), result::toString);
  }

  @Test
  void whatCannotBeDoneIsRefusedInOneLine() throws IOException {
    // A commit meanwhile would change the sizes.
    List<String> before = namesAndTimes();
    List<String> tree = Trees.listingWithChangeTimes(mounted.root());
    List<String> wrong = new ArrayList<>();
    for (Refused refused : REFUSED) {
      Program.Result result = cowfs(refused.commandLine);
      if (result.exitCode() != 1
          || result.errors().lines().count() != 1
          || !result.errors().startsWith("cowfs: ")
          || !result.errors().contains(withPaths(refused.named))
          || result.errors().contains("internal error")) {
        wrong.add(result.toString());
      }
    }
    assertEquals(List.of(), wrong, "commands that are not refused as they should be");
    assertEquals(before, namesAndTimes());
    Trees.assertSame(tree, Trees.listingWithChangeTimes(mounted.root()));
    assertFalse(Files.exists(directory.resolve("nothing")));
    assertEquals("not a pool", Files.readString(directory.resolve("file")));
  }

  @Test
  void misuseIsExplainedWithExitCodeTwo() throws IOException {
    for (String commandLine : MISUSED) {
      Program.Result result = cowfs(commandLine).expectExit(2);
      assertFalse(result.errors().isEmpty(), result::toString);
      assertFalse(result.errors().contains("Exception"), result::toString);
    }
    assertFalse(Files.exists(directory.resolve("new")));
  }

  @Test
  void aBusyMountStaysMounted() throws IOException {
    try (FileChannel open = FileChannel.open(mounted.path("kept"))) {
      Program.Result result = cowfs("umount ROOT").expectExit(1);
      assertOneLine(result);
      assertTrue(result.errors().contains("busy"), result::toString);
      assertTrue(open.isOpen() && mounted.isMounted());
      assertEquals("kept", Files.readString(mounted.path("kept")));
    }
  }

  @Test
  void anUnmountThatStopsHalfwaySaysWhatIsStillMounted() throws IOException {
    Path other = directory.resolve("empty");
    mounted.succeed("mount", mounted.pool() + "/home", other.toString());
    Files.writeString(other.resolve("kept"), "kept");
    try (FileChannel open = FileChannel.open(other.resolve("kept"))) {
      Program.Result result = cowfs("umount POOL").expectExit(1);
      assertOneLine(result);
      assertTrue(
          result.errors().contains("unmounted: " + mounted.root() + "; still mounted: " + other),
          result::toString);
      assertTrue(open.isOpen());
    }
    cowfs("umount POOL").expectExit(0);
  }

  @Test
  void aPoolInUseByAnotherProcessIsRefused() throws IOException {
    mounted.unmount();
    Path lockFile = mounted.pool().resolve("lock");
    try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assertTrue(lock.isValid());
      for (String commandLine : List.of("list POOL", "mount POOL ROOT")) {
        // Locks are those of a process: this one would find its own.
        Program.Result result =
            MountedPool.cowfs(withPaths(commandLine).split(" ", -1)).expectExit(1);
        assertOneLine(result);
        assertTrue(result.errors().contains("in use"), result::toString);
        assertTrue(result.errors().contains(mounted.pool().toString()), result::toString);
      }
    }
    mounted.mount();
    assertEquals("kept", Files.readString(mounted.path("kept")));
  }

  @Test
  void theDaemonLivesOnAfterNonsenseOnItsSocket() throws IOException {
    Path socket = mounted.pool().resolve("sock");
    Program.python("nonsense.py", socket);
    mounted.succeed("list", mounted.pool().toString());
    assertEquals("kept", Files.readString(mounted.path("kept")));
    assertEquals("srw-------", Program.succeed(ANYWHERE, "stat", "-c", "%A", "" + socket).strip());
    assertEquals("700", Program.succeed(ANYWHERE, "stat", "-c", "%a", "" + mounted.pool()).strip());
  }

  @Test
  void commandsComeByTheDozen() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      String target = mounted.pool() + "@parallel-" + i;
      processes.add(
          Program.start(
              ANYWHERE,
              List.of(MountedPool.launcher().toString(), "snapshot", target),
              ProcessBuilder.Redirect.DISCARD,
              ProcessBuilder.Redirect.INHERIT));
    }
    for (Process process : processes) {
      assertEquals(0, process.waitFor());
    }
    String list = mounted.succeed("list", "-H", mounted.pool().toString());
    assertEquals(12, list.lines().filter(line -> line.contains("@parallel-")).count());
  }

  @Test
  void mountGivesItsTerminalBack() throws Exception {
    mounted.unmount();
    Process mount =
        Program.start(
            ANYWHERE,
            List.of(
                MountedPool.launcher().toString(),
                "mount",
                mounted.pool().toString(),
                mounted.root().toString()),
            ProcessBuilder.Redirect.PIPE,
            ProcessBuilder.Redirect.PIPE);
    // ends only when no process holds the other end any more
    assertArrayEquals(new byte[0], mount.getInputStream().readAllBytes());
    assertArrayEquals(new byte[0], mount.getErrorStream().readAllBytes());
    assertEquals(0, mount.waitFor());
    assertTrue(mounted.isMounted());
    assertTrue(Files.size(mounted.pool().resolve("log/cowfs.log")) > 0);
  }
}
