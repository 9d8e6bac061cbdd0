package io.cowfs.tools.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The log of a daemon: {@code log/cowfs.log} in the pool directory, five files of 1 MiB. */
final class DaemonLog {
  private static final long FILE_BYTES_MAX = 1 << 20;
  private static final int FILES_MAX = 5;

  static {
    // Read once, when the first logger of the process is made: the next one.
    System.setProperty("java.util.logging.manager", ShutdownSafeLogManager.class.getName());
  }

  private static final Logger ROOT = Logger.getLogger("");

  private DaemonLog() {}

  /** A logger of this configuration; the daemon's first use of logging. */
  static Logger logger(Class<?> user) {
    return Logger.getLogger(user.getName());
  }

  /** Sends all logging, and what nobody catches, to the pool's log. */
  static void openIn(Path pool, Echo echo) throws IOException {
    Path directory = pool.resolve("log");
    if (!Files.isDirectory(directory)) {
      Files.createDirectory(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    if (echo == Echo.NONE) {
      for (Handler handler : ROOT.getHandlers()) {
        ROOT.removeHandler(handler);
      }
    }
    ROOT.addHandler(
        new RotatingLogHandler(directory.resolve("cowfs.log"), FILE_BYTES_MAX, FILES_MAX));
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, e) -> ROOT.log(Level.SEVERE, "thread " + thread.getName() + " died", e));
  }

  /** Where else log lines go. */
  enum Echo {
    NONE,
    STANDARD_ERROR
  }
}
