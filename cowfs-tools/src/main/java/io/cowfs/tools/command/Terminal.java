package io.cowfs.tools.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Where the output of this process goes. */
final class Terminal {
  private Terminal() {}

  /** Whether a person sees it come. */
  static boolean isStandardOutput() {
    try {
      String file = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
      return file.startsWith("/dev/pts/") || file.startsWith("/dev/tty");
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }
}
