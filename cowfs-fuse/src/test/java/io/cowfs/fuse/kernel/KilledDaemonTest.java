package io.cowfs.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL to a daemon of which a thread waits, uninterruptibly, for an answer that it owes itself.
 * The connection ends, and so do the daemon and whoever waits for it.
 */
@Timeout(180)
@EnabledIf("io.cowfs.fuse.kernel.MountedMemory#possible")
class KilledDaemonTest {
  private static final long END_SECONDS = 20;

  /** Makes a dirty page in the kernel; a shell would close a descriptor, and so have it written. */
  private static final String WRITE =
      "exec python3 -c 'import os, sys; os.write(os.open(\"f\", os.O_WRONLY), b\"more\");"
          + " print(\"ready\", flush=True); sys.stdin.readline()'";

  /** Changes the root, and so has its lock. */
  private static final String CHANGE_ROOT = "echo ready; read x; mkdir d";

  /** Looks up more names than there are workers, with the root's lock shared. */
  private static final String CROWD =
      "echo ready; read x; i=0; while [ $i -lt 40 ]; do stat x$i & i=$((i+1)); done; wait";

  /** Has the file open. */
  private static final String HOLD = "exec 3<> f; echo ready; read x";

  /** The child of the daemon: calls on the mount do not depend on it, notifications do. */
  private enum Guard {
    ALIVE,
    KILLED
  }

  @TempDir Path directory;

  @Test
  void endsWhileItWaitsForItsOwnTruncationOfAnOpenFile() throws Exception {
    killDuring(StuckDaemon.Act.SETTLE_FILE, HOLD, false, Guard.KILLED);
  }

  @Test
  void endsWhileItWaitsForPagesToBeWrittenBack() throws Exception {
    killDuring(StuckDaemon.Act.FLUSH_FILES, WRITE, false, Guard.KILLED);
  }

  @Test
  void endsWhileItDropsPagesThatAreBeingWrittenBack() throws Exception {
    killDuring(StuckDaemon.Act.DROP_PAGES, WRITE, false, Guard.ALIVE);
  }

  @Test
  void endsWhileItDropsANameOfADirectoryThatIsBeingChanged() throws Exception {
    killDuring(StuckDaemon.Act.DROP_NAME, CHANGE_ROOT, true, Guard.ALIVE);
  }

  @Test
  void endsWhileItDropsANameBehindRequestsThatNobodyHasRead() throws Exception {
    killDuring(StuckDaemon.Act.DROP_NAME, CROWD, true, Guard.ALIVE);
  }

  /**
   * @param script of the client: says that it is ready, and goes on at a line of input
   * @param asks whether it then asks the daemon; else the act of the daemon leads to that
   */
  private void killDuring(StuckDaemon.Act act, String script, boolean asks, Guard guard)
      throws Exception {
    Path root = Files.createDirectory(directory.resolve("mnt"));
    Process daemon =
        start(
            directory,
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens=java.base/java.nio=ALL-UNNAMED",
                "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                StuckDaemon.class.getName(),
                root.toString(),
                act.name()));
    try {
      BufferedReader says = daemon.inputReader(StandardCharsets.US_ASCII);
      assertEquals("mounted", says.readLine());
      Process client = start(root, List.of("sh", "-c", script));
      assertEquals("ready", client.inputReader(StandardCharsets.US_ASCII).readLine());
      goOn(daemon);
      assertEquals("stuck", says.readLine());
      if (asks) {
        goOn(client);
        assertEquals("asked", says.readLine());
      }
      goOn(daemon);
      if (!asks) {
        assertEquals("asked", says.readLine());
      }
      if (act != StuckDaemon.Act.SETTLE_FILE) {
        awaitUninterruptible(daemon.pid());
      }
      if (guard == Guard.KILLED) {
        daemon.children().forEach(ProcessHandle::destroyForcibly);
      }
      daemon.destroyForcibly();
      assertTrue(daemon.waitFor(END_SECONDS, TimeUnit.SECONDS), "the daemon survives SIGKILL");
      Process stat = start(directory, List.of("stat", "-f", root.toString()));
      assertTrue(stat.waitFor(END_SECONDS, TimeUnit.SECONDS), "the mount hangs");
      String output = new String(stat.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(output.contains("endpoint is not connected"), output);
      client.getOutputStream().close();
      assertTrue(client.waitFor(END_SECONDS, TimeUnit.SECONDS), "its client hangs");
    } finally {
      end(daemon, root);
    }
  }

  private static Process start(Path directory, List<String> command) throws IOException {
    return new ProcessBuilder(command)
        .directory(directory.toFile())
        .redirectErrorStream(true)
        .start();
  }

  private static void goOn(Process process) throws IOException {
    process.getOutputStream().write('\n');
    process.getOutputStream().flush();
  }

  /** Waits until a thread of the process cannot be interrupted for a while. */
  private static void awaitUninterruptible(long pid) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(END_SECONDS);
    Set<String> before = Set.of();
    while (System.nanoTime() < deadline) {
      Set<String> now = uninterruptible(pid);
      for (String thread : now) {
        if (before.contains(thread)) {
          return;
        }
      }
      before = now;
      Thread.sleep(500);
    }
    throw new AssertionError("no thread of the daemon waits");
  }

  private static Set<String> uninterruptible(long pid) throws IOException {
    Set<String> found = new TreeSet<>();
    List<Path> threads;
    try (Stream<Path> all = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
      threads = all.toList();
    }
    for (Path thread : threads) {
      String stat = Files.readString(thread.resolve("stat"), StandardCharsets.ISO_8859_1);
      if (stat.charAt(stat.lastIndexOf(')') + 2) == 'D') {
        found.add(thread.getFileName().toString());
      }
    }
    return found;
  }

  /** Leaves neither a mount nor a process, even where the connection has to be aborted. */
  private static void end(Process daemon, Path root) throws Exception {
    daemon.destroyForcibly();
    String script =
        "minor=$(awk -v at=\"$1\" '$5 == at { print $3 }' /proc/self/mountinfo);"
            + " mkdir \"$2\" && mount -t fusectl none \"$2\" &&"
            + " { echo 1 > \"$2/${minor#*:}/abort\"; umount \"$2\"; };"
            + " umount -l \"$1\"";
    start(
            Path.of("/"),
            List.of(
                "sh", "-c", script, "sh", root.toString(), root.resolveSibling("ctl").toString()))
        .waitFor();
    daemon.waitFor();
  }
}
