package io.cowfs.tools.client;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Small programs of the system that the client has do things that Java cannot. */
final class Tool {
  /**
   * How messages end that say that pages were refused for good; programs run in the locale C.UTF-8.
   * The kernel tells once of such pages: to the next who flushes, and to their writer anyway.
   */
  private static final List<String> REFUSED =
      List.of(
          // Of a file that a rollback took.
          "Stale file handle",
          "No space left on device",
          "Disk quota exceeded",
          "Read-only file system");

  private Tool() {}

  /** Makes the kernel write its dirty pages of a mounted file system (syncfs(2)). */
  static void flush(Path mountPoint) throws IOException {
    String failure = sync(mountPoint);
    if (failure != null && REFUSED.stream().anyMatch(failure::endsWith)) {
      failure = sync(mountPoint);
    }
    if (failure != null) {
      throw new IOException(mountPoint + ": cannot flush it: " + failure);
    }
  }

  private static String sync(Path mountPoint) throws IOException {
    return run("sync", "-f", "--", mountPoint.toString());
  }

  /** Unmounts what a daemon that died left behind, even where a process still stands on it. */
  static void unmountDead(Path mountPoint) throws IOException {
    String failure = run("umount", "-i", "-l", "--", mountPoint.toString());
    if (failure != null && run("fusermount3", "-u", "-z", "--", mountPoint.toString()) != null) {
      throw new IOException(mountPoint + ": cannot unmount it: " + failure);
    }
  }

  /** Runs a program; answers what it complained about, or null when it succeeded. */
  private static String run(String... command) throws IOException {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
            .start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    try {
      return process.waitFor() == 0 ? null : output;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    }
  }
}
