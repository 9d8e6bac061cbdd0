package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** mount(8), umount(8) and fstab(5), by the helpers that {@code scripts/install} puts in place. */
@Tag("alone") // changes the machine
@EnabledIf("io.cowfs.tools.e2e.Installation#possible")
final class TableMountTest {
  private static final Path ANYWHERE = Path.of("/");
  private static final int MOUNT_FAILED = 32;

  @TempDir private static Path installed;
  private static Installation installation;

  @TempDir private static Path made;
  private static MountedPool original;

  @TempDir private Path directory;
  private MountedPool pool;
  private Path table;

  @BeforeAll
  static void installAndMakePool() throws IOException {
    installation = Installation.in(installed);
    try (MountedPool pool = MountedPool.create(made)) {
      original = pool;
      Files.writeString(pool.path("kept"), "kept");
      pool.succeed("create", pool.pool() + "/home");
    }
  }

  @AfterAll
  static void uninstall() throws IOException {
    installation.close();
  }

  @BeforeEach
  void copyPool() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    pool = MountedPool.copyOf(original, directory);
    table = directory.resolve("fstab");
  }

  @AfterEach
  void unmount() throws IOException {
    pool.close();
  }

  private static Program.Result run(String... command) throws IOException {
    return Program.run(ANYWHERE, List.of(command));
  }

  private Program.Result mount(String options) throws IOException {
    return run("mount", "-t", "fuse.cowfs", "-o", options, "" + pool.pool(), "" + pool.root());
  }

  private void mounted(String options) throws IOException {
    mount(options).expectExit(0);
    assertTrue(pool.isMounted(), "mount came back before the mount was there");
  }

  private Program.Result remount(String options) throws IOException {
    return run("mount", "-o", "remount," + options, pool.root().toString());
  }

  private void umount() throws IOException {
    run("umount", pool.root().toString()).expectExit(0);
    assertFalse(pool.isMounted());
  }

  /** The options that the kernel shows of the mount and of its file system. */
  private List<String> shownOptions() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      String[] fields = line.split(" ", -1);
      if (fields[4].equals(pool.root().toString())) {
        List<String> options = new ArrayList<>(List.of(fields[5].split(",", -1)));
        options.addAll(List.of(fields[fields.length - 1].split(",", -1)));
        return options;
      }
    }
    throw new AssertionError("not mounted");
  }

  private void assertFails(String command, String reason) throws IOException {
    Program.Result result = Program.run(pool.root(), List.of("sh", "-c", command));
    assertTrue(result.exitCode() != 0 && result.errors().contains(reason), result::toString);
  }

  @Test
  void anEntryOfTheTableIsMountedByItsDirectory() throws IOException {
    String entry = pool.pool() + "/root " + pool.root() + " fuse.cowfs ";
    Files.writeString(
        table, entry + "noauto,nofail,_netdev,noatime,x-systemd.automount,comment=data 0 0\n");
    run("mount", "-T", table.toString(), pool.root().toString()).expectExit(0);
    assertEquals("kept", Files.readString(pool.path("kept")));
    assertTrue(shownOptions().contains("noatime"));
    umount();

    Files.writeString(table, entry + "defaults,nosuid 0 0\n");
    for (int i = 0; i < 2; i++) {
      run("mount", "-T", table.toString(), "-a").expectExit(0);
      assertTrue(shownOptions().contains("nosuid"));
    }
    umount();
  }

  /** The kernel shows {@code POOL/root}, which is not what the table has. */
  @Test
  void mountingAllTwiceIsNoErrorForThePoolAlone() throws IOException {
    Files.writeString(table, pool.pool() + " " + pool.root() + " fuse.cowfs defaults 0 0\n");
    run("mount", "-T", table.toString(), "-a").expectExit(0);
    run("mount", "-T", table.toString(), "-a").expectExit(0);
    umount();
    assertFalse(pool.isMounted(), "mounted twice, one above the other");
  }

  /** Without {@code uhelper}, umount(8) may not look for a helper: it then knows only "fuse". */
  @Test
  void umountByTheHelperReturnsWhenEverythingIsCommitted() throws IOException {
    for (int i = 0; i < 3; i++) {
      mounted("uhelper=fuse.cowfs");
      Files.writeString(pool.path("file-" + i), "written before umount");
      umount();
      assertEquals(OptionalLong.empty(), pool.daemonPid(), "the daemon outlives umount");
    }
    mounted("ro,uhelper=fuse.cowfs");
    assertEquals("written before umount", Files.readString(pool.path("file-2")));
    Program.Result busy =
        Program.run(pool.root(), List.of("umount", pool.root().toString()))
            .expectExit(MOUNT_FAILED);
    assertTrue(busy.errors().contains("busy"), busy::toString);
    // By umount(8), which forgets then what it keeps about the mount.
    umount();
  }

  @Test
  void mountWaitsForTheDaemonThatTheKernelAloneLetGo() throws IOException {
    for (int i = 0; i < 3; i++) {
      mounted("defaults");
      Files.writeString(pool.path("file-" + i), "x".repeat(1 << 20));
      run("umount", "-i", pool.root().toString()).expectExit(0);
    }
    mounted("defaults");
    assertEquals(1 << 20, Files.size(pool.path("file-2")));
    run("umount", "-l", pool.root().toString()).expectExit(0);
    mounted("defaults");
  }

  @Test
  void theOptionsOfEveryFileSystemReachTheKernel() throws IOException {
    List<String> all =
        List.of(
            "ro",
            "nosuid",
            "nodev",
            "noexec",
            "noatime",
            "nodiratime",
            "sync",
            "dirsync",
            "lazytime",
            "nosymfollow");
    mounted("defaults");
    for (String option : all) {
      assertFalse(shownOptions().contains(option), option + ": " + shownOptions());
    }
    umount();
    mounted(String.join(",", all));
    assertTrue(shownOptions().containsAll(all), "" + shownOptions());
    umount();
    mounted("strictatime,rw,suid,dev,exec,async,nomand,diratime,symfollow,loud");
    assertFalse(shownOptions().contains("relatime"));
    umount();
    mounted("noatime,relatime");
    assertTrue(shownOptions().contains("relatime"));
  }

  @Test
  void theOptionsOfEveryFileSystemAreObeyed() throws IOException {
    mounted("defaults");
    Program.shell(pool.root(), "echo 'echo run' > script; chmod 755 script; ./script");
    Program.shell(pool.root(), "mknod null c 1 3; ln -s kept link; echo > null");
    umount();
    mounted("noexec,nodev,nosymfollow");
    assertFails("./script", "Permission denied");
    assertFails("echo > null", "Permission denied");
    assertFails("cat link", "symbolic link");
    umount();
    mounted("ro");
    assertFails("touch new", "Read-only file system");
    assertEquals("kept", Files.readString(pool.path("kept")));
  }

  @Test
  void whatIsChangedOnASynchronousMountIsDurable() throws IOException {
    for (String option : List.of("sync", "dirsync")) {
      mounted(option);
      Path made = Files.createDirectory(pool.path(option));
      if (option.equals("sync")) {
        Files.writeString(made.resolve("file"), "written");
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwx--x--x"));
      }
      pool.killDaemon();
      run("umount", "-l", pool.root().toString()).expectExit(0);
      mounted("ro");
      assertTrue(Files.isDirectory(made), option);
      if (option.equals("sync")) {
        assertEquals("written", Files.readString(made.resolve("file")));
        assertEquals(
            "rwx--x--x", PosixFilePermissions.toString(Files.getPosixFilePermissions(made)));
      }
      umount();
    }
  }

  /** The time of access before and after a read that the daemon sees. */
  private boolean readingRenews(String options) throws IOException {
    mounted("defaults");
    Program.shell(pool.root(), "touch -a -d '1 hour' kept; touch -m -d 2001-01-01 kept");
    umount();
    mounted(options);
    String before = Program.shell(pool.root(), "stat -c %x kept");
    Program.shell(pool.root(), "cat kept");
    boolean renewed = !before.equals(Program.shell(pool.root(), "stat -c %x kept"));
    umount();
    return renewed;
  }

  @Test
  void timesOfAccessAreRenewedAsTheMountSays() throws IOException {
    assertTrue(readingRenews("strictatime"));
    assertFalse(readingRenews("relatime"));
    assertFalse(readingRenews("noatime"));
    pool.succeed("set", pool.pool().toString(), "atime=on");
    assertTrue(readingRenews("defaults"));
    assertFalse(readingRenews("noatime"));
    assertFalse(readingRenews("ro"));
  }

  @Test
  void whatIsUnknownIsRefusedByNameUnlessSloppy() throws IOException {
    for (String option : List.of("nonsense", "mand", "writeback=maybe")) {
      Program.Result refused = mount("ro," + option).expectExit(MOUNT_FAILED);
      assertEquals("cowfs: unknown mount option: " + option + "\n", refused.errors());
      assertFalse(pool.isMounted());
    }
    String helper = "/sbin/mount.fuse.cowfs";
    String from = pool.pool().toString();
    String to = pool.root().toString();
    run(helper, from, to, "-s", "-o", "noatime,nonsense,,x-none").expectExit(0);
    assertTrue(shownOptions().contains("noatime"));
    umount();
    run(helper, from, to, "-N", "/proc/1/ns/mnt").expectExit(1);
    run(helper, from, to, "-t", "ext4").expectExit(1);
    run(helper, from).expectExit(1);
    run(helper, from, to, "--nonsense").expectExit(1);
    run(helper, from + "/nothing", to).expectExit(MOUNT_FAILED);
    run(helper, directory + "/nothing", to).expectExit(MOUNT_FAILED);
    run(helper, from, to + "/nothing").expectExit(MOUNT_FAILED);
    assertFalse(pool.isMounted());
  }

  @Test
  void aFeignedMountIsCheckedAndNotMade() throws IOException {
    String from = pool.pool().toString();
    String to = pool.root().toString();
    run("mount", "-f", "-t", "fuse.cowfs", from, to).expectExit(0);
    run("mount", "-f", "-t", "fuse.cowfs", "-o", "nope", from, to).expectExit(MOUNT_FAILED);
    run("mount", "-f", "-t", "fuse.cowfs", from, to + "/nothing").expectExit(MOUNT_FAILED);
    assertFalse(pool.isMounted());
    Program.Result told = run("mount", "-v", "-t", "fuse.cowfs", from, to).expectExit(0);
    assertTrue(told.output().contains(from + "/root mounted on " + to), told::toString);
  }

  @Test
  void aReadOnlyRemountCommitsAndRefusesWrites() throws IOException {
    mounted("usersnap,nosuid");
    Files.writeString(pool.path("before"), "written before");
    try (OutputStream writer =
        Files.newOutputStream(pool.path("before"), StandardOpenOption.APPEND)) {
      Program.Result refused = remount("ro").expectExit(MOUNT_FAILED);
      assertTrue(refused.errors().contains("open for writing"), refused::toString);
      writer.write('!');
    }
    remount("ro").expectExit(0);
    assertTrue(shownOptions().containsAll(List.of("ro", "nosuid")), "" + shownOptions());
    assertFails("touch new", "Read-only file system");
    assertFails("mkdir .cowfs/snapshot/new", "Read-only file system");
    pool.killDaemon();
    run("umount", "-l", pool.root().toString()).expectExit(0);
    mounted("ro");
    assertEquals("written before!", Files.readString(pool.path("before")));
    remount("rw").expectExit(0);
    Files.writeString(pool.path("after"), "written after");
    pool.succeed("snapshot", pool.root() + "@after");
    assertEquals("written after", Files.readString(pool.path(".cowfs/snapshot/after/after")));
  }

  @Test
  void aRemountChangesTheFlagsAndNothingElse() throws IOException {
    mounted("defaults");
    for (String option : List.of("nosuid", "nodev", "noexec", "noatime", "nosymfollow", "sync")) {
      remount(option).expectExit(0);
      assertTrue(shownOptions().contains(option), option + ": " + shownOptions());
    }
    remount("suid,dev,exec,relatime,symfollow,async").expectExit(0);
    for (String option : List.of("nosuid", "nodev", "noexec", "noatime", "nosymfollow", "sync")) {
      assertFalse(shownOptions().contains(option), option + ": " + shownOptions());
    }
    for (String option : List.of("usersnap", "writeback=off", "noallow_other", "nonsense")) {
      Program.Result refused = remount("noexec," + option).expectExit(MOUNT_FAILED);
      String named = option.replaceAll("^no(?=allow)|=off$", "");
      assertTrue(refused.errors().contains(named), refused::toString);
      assertEquals(1, refused.errors().lines().count(), refused::toString);
      assertFalse(shownOptions().contains("noexec"), option);
    }
    Files.writeString(pool.path("kept"), "still writable");
  }
}
