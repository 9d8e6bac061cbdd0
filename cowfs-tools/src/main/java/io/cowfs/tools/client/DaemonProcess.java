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
import java.util.stream.Collectors;

/** Starts a daemon in a session of its own and waits until its mount is live. */
final class DaemonProcess {
  /** System property: the launcher script, which knows the flags of the virtual machine. */
  private static final String LAUNCHER = "cowfs.launcher";

  /** Environment variable: where the virtual machine writes should it crash. */
  private static final String CRASH_DIRECTORY = "COWFS_LOG";

  private static final String ERROR_PREFIX = "cowfs: ";

  /** Of what a virtual machine says that does not start: what is wrong, and why. */
  private static final int LINES_MAX = 3;

  /** The exit code of a process that a signal ended, without the signal's number. */
  private static final int SIGNALED = 128;

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
    builder.environment().put(CRASH_DIRECTORY, log(pool).toString());
    Process process = builder.start();
    List<String> lines = new ArrayList<>();
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        if (line.equals(Daemon.READY)) {
          return;
        }
        lines.add(line);
      }
      int code = process.waitFor();
      String reason = complaint(pool, lines, code);
      throw code == Daemon.EXIT_BUSY ? new PoolBusyException(reason) : new IOException(reason);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }

  /**
   * Why a daemon did not start, in one line: what it said itself, else what its virtual machine or
   * the launcher said, else how it ended. Never blank.
   *
   * @param lines what it printed
   * @param code its exit code
   */
  static String complaint(Path pool, List<String> lines, int code) {
    for (int i = lines.size() - 1; i >= 0; i--) {
      String own = lines.get(i);
      if (own.startsWith(ERROR_PREFIX) && own.length() > ERROR_PREFIX.length()) {
        return own.substring(ERROR_PREFIX.length());
      }
    }
    String said =
        lines.stream()
            // A crash report begins so, and has empty lines.
            .map(line -> line.replaceFirst("^#", "").strip())
            .filter(line -> !line.isEmpty() && !line.equals(ERROR_PREFIX.strip()))
            .limit(LINES_MAX)
            .collect(Collectors.joining("; "));
    String end =
        code > SIGNALED ? "it was killed by signal " + (code - SIGNALED) : "exit code " + code;
    return "%s: cannot start its daemon: %s (%s; more may be in %s)"
        .formatted(pool, said.isEmpty() ? "it ended without a word" : said, end, log(pool));
  }

  private static Path log(Path pool) {
    return pool.resolve("log");
  }
}
