package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A pool in a directory of its own, mounted by the launcher. Closing unmounts it, in the end by
 * force, and leaves neither a mount nor a daemon. Owned by one test.
 */
public final class MountedPool implements AutoCloseable {
  private static final long DEADLINE_MS = 30_000;

  /** As in {@code 1: POSIX ADVISORY WRITE 4711 fd:00:131 0 EOF}. Those that wait have an arrow. */
  private static final Pattern LOCK =
      Pattern.compile("^\\d+: \\w+ +ADVISORY +\\w+ +(?<pid>\\d+) \\w+:\\w+:(?<inode>\\d+) ");

  private final Path pool;
  private final Path root;

  /** Of each mount. */
  private final List<String> options;

  private MountedPool(Path pool, Path root, List<String> options) {
    this.pool = pool;
    this.root = root;
    this.options = options;
  }

  /**
   * A new pool below {@code directory}, made by {@code mount --create} with more options, which
   * later mounts get too.
   */
  public static MountedPool create(Path directory, String... options) throws IOException {
    MountedPool created = at(directory, options);
    created.mount("--create");
    return created;
  }

  /** A new pool below {@code directory}, made by {@code init} with options, then mounted. */
  static MountedPool init(Path directory, String... options) throws IOException {
    MountedPool created = at(directory);
    List<String> arguments = new ArrayList<>(List.of("init", created.pool.toString()));
    arguments.addAll(List.of(options));
    created.succeed(arguments.toArray(String[]::new));
    created.mount();
    return created;
  }

  /** A new pool of a size, mounted with options, which later mounts get too. */
  public static MountedPool ofSize(Path directory, String size, String... options)
      throws IOException {
    MountedPool created = at(directory, options);
    created.succeed("init", "--size", size, created.pool.toString());
    created.mount();
    return created;
  }

  /** A copy of a pool that is not mounted, below {@code directory}; it is not mounted either. */
  static MountedPool copyOf(MountedPool pool, Path directory) throws IOException {
    MountedPool copy = at(directory);
    Program.succeed(
        directory, "cp", "-a", "--sparse=always", pool.pool.toString(), copy.pool.toString());
    return copy;
  }

  /** What is deleted is freed by the next commits. */
  public void keepNoCheckpoints() throws IOException {
    succeed("set", pool.toString(), "checkpoints=off");
  }

  private static MountedPool at(Path directory, String... options) throws IOException {
    Path root = Files.createDirectories(directory.resolve("mnt"));
    return new MountedPool(directory.resolve("pool"), root, List.of(options));
  }

  /** The directory that holds the pool's files. */
  public Path pool() {
    return pool;
  }

  /** The mount point. */
  public Path root() {
    return root;
  }

  public Path path(String name) {
    return root.resolve(name);
  }

  /**
   * Runs a command of cowfs in this process, which must succeed, and returns its standard output.
   */
  public String succeed(String... arguments) throws IOException {
    return Client.run(arguments).expectExit(0).output();
  }

  void mount(String... more) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("mount"));
    arguments.addAll(options);
    arguments.addAll(List.of(more));
    arguments.addAll(List.of(pool.toString(), root.toString()));
    succeed(arguments.toArray(String[]::new));
    assertTrue(isMounted(), "mount came back before the mount was there");
  }

  /** Unmounts by the command; the daemon must have ended when it comes back. */
  public void unmount() throws IOException {
    succeed("umount", root.toString());
    assertFalse(isMounted(), "still mounted after umount");
    assertEquals(OptionalLong.empty(), daemonPid(), "the daemon outlives umount");
  }

  public void remount() throws IOException {
    unmount();
    mount();
  }

  /** Runs the command cowfs, a process of its own. */
  static Program.Result cowfs(String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(launcher().toString()));
    command.addAll(List.of(arguments));
    return Program.run(Path.of("/"), command);
  }

  /** The command under test. */
  static Path launcher() {
    return Installation.forAllTests().command();
  }

  /** The process that holds the lock of the pool. */
  OptionalLong daemonPid() throws IOException {
    Path lock = pool.resolve("lock");
    if (!Files.exists(lock)) {
      return OptionalLong.empty();
    }
    String inode = Files.getAttribute(lock, "unix:ino").toString();
    for (String line : Files.readAllLines(Path.of("/proc/locks"))) {
      Matcher holder = LOCK.matcher(line);
      if (holder.find() && holder.group("inode").equals(inode)) {
        return OptionalLong.of(Long.parseLong(holder.group("pid")));
      }
    }
    return OptionalLong.empty();
  }

  /** SIGTERM to the daemon; returns at once. */
  void terminateDaemon() throws IOException {
    daemon().ifPresent(ProcessHandle::destroy);
  }

  /** SIGKILL to the daemon; returns when it has lost its lock. A dead mount stays. */
  void killDaemon() throws IOException {
    daemon().ifPresent(ProcessHandle::destroyForcibly);
    assertEquals(OptionalLong.empty(), awaitDaemonEnd(), "the daemon survives SIGKILL");
  }

  private Optional<ProcessHandle> daemon() throws IOException {
    OptionalLong pid = daemonPid();
    Optional<ProcessHandle> holder =
        pid.isPresent() ? ProcessHandle.of(pid.getAsLong()) : Optional.empty();
    // A command that found no daemon has the pool open in this very process, and will close it.
    return holder.filter(process -> !process.equals(ProcessHandle.current()));
  }

  /** What the data file takes of the host. */
  long allocatedBytes() throws IOException {
    Path data = pool.resolve("data");
    String blocks = Program.succeed(Path.of("/"), "stat", "-c", "%b", data.toString());
    return Long.parseLong(blocks.strip()) * 512;
  }

  /**
   * Waits until the host has got back that much, with a transaction group now and then: freed space
   * is kept for some of them, and then for some seconds more.
   */
  void awaitFreed(long expectedBytes, long allocatedBefore) throws IOException {
    long deadline = System.nanoTime() + DEADLINE_MS * 1_000_000;
    long freed = 0;
    while (freed < expectedBytes && System.nanoTime() < deadline) {
      Files.writeString(path("touched"), "at " + System.nanoTime());
      succeed("sync", pool.toString());
      pause(200);
      freed = allocatedBefore - allocatedBytes();
    }
    assertTrue(freed >= expectedBytes, "freed " + freed + " of " + expectedBytes + " bytes");
  }

  boolean isMounted() throws IOException {
    return isMounted(root);
  }

  static boolean isMounted(Path directory) throws IOException {
    return Files.readAllLines(Path.of("/proc/self/mounts")).stream()
        .anyMatch(line -> line.split(" ", -1)[1].equals(directory.toString()));
  }

  @Override
  public void close() throws IOException {
    Optional<String> failure = Optional.empty();
    if (isMounted()) {
      Program.Result result = Client.run("umount", root.toString());
      failure = Optional.of(result.toString()).filter(text -> result.exitCode() != 0);
      for (int tries = 0; isMounted() && tries < 10; tries++) {
        Program.run(Path.of("/"), List.of("umount", "-l", root.toString()));
      }
    }
    OptionalLong pid = awaitDaemonEnd();
    if (pid.isPresent()) {
      killDaemon();
      failure = Optional.of("the daemon outlives its mount; killed " + pid.getAsLong());
    }
    if (failure.isPresent()) {
      throw new AssertionError(failure.get());
    }
  }

  private OptionalLong awaitDaemonEnd() throws IOException {
    long deadline = System.nanoTime() + DEADLINE_MS * 1_000_000;
    OptionalLong pid = daemonPid();
    while (pid.isPresent() && System.nanoTime() < deadline) {
      pause(50);
      pid = daemonPid();
    }
    return pid;
  }

  static void pause(long ms) {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
