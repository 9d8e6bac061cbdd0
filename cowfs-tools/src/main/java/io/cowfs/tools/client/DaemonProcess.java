package io.cowfs.tools.client;

import io.cowfs.core.pool.PoolBusyException;
import io.cowfs.tools.command.PoolSession.MountRequest;
import io.cowfs.tools.daemon.Daemon;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts a daemon in a session of its own and waits until its mount is live. */
final class DaemonProcess {
  /** System property: the launcher script, which knows the flags of the virtual machine. */
  private static final String LAUNCHER = "cowfs.launcher";

  /** Environment variable: where the virtual machine writes should it crash. */
  private static final String CRASH_DIRECTORY = "COWFS_LOG";

  private static final String ERROR_PREFIX = "cowfs: ";

  private DaemonProcess() {}

  /**
   * Returns when the mount is live.
   *
   * @throws PoolBusyException when another process has the pool
   * @throws IOException with what the daemon said when it could not start
   */
  static void start(Path pool, MountRequest request) throws IOException {
    String launcher = System.getProperty(LAUNCHER);
    if (launcher == null) {
      throw new IOException("cannot start a daemon: run cowfs by its launcher, scripts/cowfs");
    }
    List<String> command = new ArrayList<>(List.of("setsid", launcher));
    command.addAll(Daemon.arguments(pool, request));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(new File("/"))
            .redirectInput(Redirect.from(new File("/dev/null")))
            .redirectErrorStream(true);
    builder.environment().put(CRASH_DIRECTORY, pool.resolve("log").toString());
    Process process = builder.start();
    String complaint = "the daemon ended without a word";
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        if (line.equals(Daemon.READY)) {
          return;
        }
        complaint = line;
      }
      int code = process.waitFor();
      String reason =
          complaint.startsWith(ERROR_PREFIX)
              ? complaint.substring(ERROR_PREFIX.length())
              : pool + ": cannot start its daemon: " + complaint;
      throw code == Daemon.EXIT_BUSY ? new PoolBusyException(reason) : new IOException(reason);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
