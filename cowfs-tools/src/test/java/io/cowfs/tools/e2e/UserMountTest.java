package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a plain user can do, with {@code fusermount3}, no home directory and an empty environment;
 * and what only root or the owner of a pool may. Run by root, who becomes that user.
 */
@Tag("alone") // changes the machine
@EnabledIf("io.cowfs.tools.e2e.Installation#possible")
final class UserMountTest {
  private static final Path ANYWHERE = Path.of("/");
  private static final String USER = "nobody";
  private static final Path FUSE_CONFIGURATION = Path.of("/etc/fuse.conf");

  /** Makes the device what udev makes it, and lives until its input ends. */
  private static final String PREPARE =
      "mount -t tmpfs -o mode=755 none \"$1\"; mknod -m 666 \"$1/fuse\" c 10 229;"
          + " mount --bind \"$1/fuse\" /dev/fuse; echo ready; read x";

  @TempDir private static Path installed;
  private static Installation installation;

  /** Holds a mount name space in which all users may open /dev/fuse; elsewhere nothing changes. */
  private static Process space;

  @TempDir private Path directory;
  private Path own;
  private Path pool;
  private Path root;

  @BeforeAll
  static void install() throws IOException {
    openToAll(installed);
    installation = Installation.in(installed);
    String device = Files.createDirectory(installed.resolve("device")).toString();
    space = new ProcessBuilder("unshare", "-m", "sh", "-euc", PREPARE, "sh", device).start();
    assertEquals('r', space.getInputStream().read());
  }

  @AfterAll
  static void uninstall() throws Exception {
    space.getOutputStream().close();
    space.waitFor();
    installation.close();
  }

  @BeforeEach
  void makeOwnDirectory() throws IOException {
    openToAll(directory);
    own = Files.createDirectory(directory.resolve("own"));
    Program.succeed(ANYWHERE, "chown", USER, own.toString());
    pool = own.resolve("pool");
    root = own.resolve("mnt");
  }

  @AfterEach
  void unmount() throws IOException {
    if (mountLine(root) != null) {
      inSpace("umount", "-l", root.toString());
    }
  }

  private static void openToAll(Path directory) throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static Program.Result inSpace(String... command) throws IOException {
    List<String> words =
        new ArrayList<>(List.of("nsenter", "--mount", "--target", Long.toString(space.pid())));
    words.addAll(List.of(command));
    return Program.run(ANYWHERE, words);
  }

  private static Program.Result asUser(String... command) throws IOException {
    List<String> words =
        new ArrayList<>(
            List.of("setpriv", "--reuid", USER, "--regid", "nogroup", "--clear-groups"));
    words.addAll(List.of("env", "-i"));
    words.addAll(List.of(command));
    return inSpace(words.toArray(String[]::new));
  }

  private static Program.Result cowfs(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(installation.command().toString()));
    command.addAll(List.of(arguments));
    return asUser(command.toArray(String[]::new));
  }

  private static void refused(Program.Result result, String reason) {
    result.expectExit(1);
    assertTrue(result.errors().startsWith("cowfs: "), result::toString);
    assertEquals(1, result.errors().lines().count(), result::toString);
    assertTrue(result.errors().contains(reason), result::toString);
  }

  /** What the kernel shows of a mount; null for none. */
  private static String mountLine(Path mountPoint) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + space.pid() + "/mountinfo")).stream()
        .filter(line -> line.split(" ", -1)[4].equals(mountPoint.toString()))
        .findFirst()
        .orElse(null);
  }

  @Test
  void aUserMountsSnapshotsRollsBackAndUnmounts() throws IOException {
    cowfs("mount", "--create", pool.toString(), root.toString()).expectExit(0);
    String line = mountLine(root);
    assertTrue(line.contains("nosuid,nodev"), line);
    assertTrue(line.contains(" fuse.cowfs " + pool + "/root "), line);
    asUser("sh", "-c", "echo one > " + root + "/file").expectExit(0);
    cowfs("snapshot", root + "@first").expectExit(0);
    asUser("sh", "-c", "echo two > " + root + "/file").expectExit(0);
    asUser("mkdir", root + "/.cowfs/snapshot/second").expectExit(0);
    cowfs("rollback", root + "@first").expectExit(0);
    assertEquals("one\n", asUser("cat", root + "/file").expectExit(0).output());
    assertEquals(
        "two\n", asUser("cat", root + "/.cowfs/snapshot/second/file").expectExit(0).output());
    cowfs("umount", root.toString()).expectExit(0);
    assertEquals(null, mountLine(root));
    cowfs("check", pool.toString()).expectExit(0);

    cowfs("mount", pool.toString(), root.toString()).expectExit(0);
    assertEquals("one\n", asUser("cat", root + "/file").expectExit(0).output());
    asUser("umount", root.toString()).expectExit(0);
    assertEquals(null, mountLine(root));
    cowfs("mount", "-o", "ro", pool.toString(), root.toString()).expectExit(0);
    assertFalse(asUser("touch", root + "/new").exitCode() == 0);
    cowfs("umount", root.toString()).expectExit(0);
  }

  @Test
  void whatNeedsRootSaysSoInOneLine() throws IOException {
    cowfs("init", pool.toString()).expectExit(0);
    asUser("mkdir", root.toString()).expectExit(0);
    if (!Files.exists(FUSE_CONFIGURATION)
        || Files.readAllLines(FUSE_CONFIGURATION).stream()
            .noneMatch(line -> line.strip().equals("user_allow_other"))) {
      refused(
          cowfs("mount", "-o", "allow_other", pool.toString(), root.toString()),
          "user_allow_other");
    }
    Path foreign = Files.createDirectory(directory.resolve("foreign"));
    refused(cowfs("mount", pool.toString(), foreign.toString()), foreign.toString());
    refused(cowfs("mount", "--create", directory + "/new", root.toString()), "permission denied");
    assertEquals(null, mountLine(root));
    cowfs("mount", pool.toString(), root.toString()).expectExit(0);
    Program.Result remount = asUser("mount", "-o", "remount,ro", root.toString());
    assertTrue(remount.exitCode() != 0, remount::toString);
    cowfs("umount", root.toString()).expectExit(0);
  }

  @Test
  void commandsOnTheMountOfAnotherAreRefusedForTheRightReason() throws IOException {
    Path foreign = directory.resolve("root");
    String mounted = Files.createDirectories(foreign.resolve("mnt")).toString();
    String poolOfRoot = foreign.resolve("pool").toString();
    String command = installation.command().toString();
    inSpace(command, "mount", "--create", poolOfRoot, mounted).expectExit(0);
    try {
      inSpace("sh", "-c", "echo for all > " + mounted + "/file").expectExit(0);
      assertEquals("for all\n", asUser("cat", mounted + "/file").expectExit(0).output());
      for (List<String> words :
          List.of(
              List.of("list", mounted),
              List.of("status", mounted),
              List.of("snapshot", mounted + "@mine"),
              List.of("rollback", mounted + "@mine"),
              List.of("umount", mounted))) {
        refused(
            cowfs(words.toArray(String[]::new)),
            mounted + ": permission denied: its pool is for root alone, see " + poolOfRoot);
      }
      refused(cowfs("list", poolOfRoot), "permission denied");
      refused(cowfs("mount", "-a", poolOfRoot), "permission denied");
      Program.Result umount = asUser("umount", mounted);
      assertTrue(umount.exitCode() != 0, umount::toString);
    } finally {
      inSpace(command, "umount", mounted).expectExit(0);
    }
  }
}
