package io.cowfs.tools.daemon;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Takes a busy mount out of the name space. Other processes do it, with a time limit, so that a
 * thread of the daemon never waits for its own file system.
 */
final class Detach {
  private static final Logger LOG = Logger.getLogger(Detach.class.getName());
  private static final long TIMEOUT_SECONDS = 30;

  private Detach() {}

  static void flushAndDetach(Path mountPoint) {
    run("sync", "-f", "--", mountPoint.toString());
    if (!run("umount", "-l", "--", mountPoint.toString())) {
      run("fusermount3", "-u", "-z", "--", mountPoint.toString());
    }
  }

  private static boolean run(String... command) {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(Redirect.DISCARD)
              .redirectError(Redirect.DISCARD)
              .start();
      if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        LOG.log(Level.WARNING, "{0} took too long", command[0]);
        return false;
      }
      return process.exitValue() == 0;
    } catch (IOException e) {
      LOG.log(Level.WARNING, command[0], e);
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
