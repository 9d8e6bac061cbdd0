package io.cowfs.tools.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What tests need of the machine. */
public final class Requirements {
  private Requirements() {}

  static boolean fuse() {
    return Files.isWritable(Path.of("/dev/fuse"));
  }

  /** The library of the other transport, as the dynamic linker finds it. */
  public static boolean libfuse() throws IOException {
    String libraries = Program.succeed(Path.of("/"), "/sbin/ldconfig", "-p");
    return fuse() && libraries.contains("libfuse.so.2 ");
  }

  static boolean rootFuse() throws IOException {
    return root() && fuse();
  }

  static boolean root() throws IOException {
    return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
  }
}
