package io.cowfs.tools.posix;

import io.cowfs.tools.e2e.MountedPool;
import io.cowfs.tools.e2e.Program;
import io.cowfs.tools.e2e.Requirements;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** Where the contract is checked. */
enum Mount {
  /** A directory of the machine itself, which proves that the tests are right. */
  HOST,
  /** The kernel's own protocol. */
  KERNEL("-o", "writeback=on"),
  KERNEL_WITHOUT_WRITEBACK("-o", "writeback=off"),
  /** The old protocol, by way of libfuse 2. */
  LIBFUSE("--transport=libfuse");

  private final List<String> options;

  /** Options of {@code cowfs mount}; none for the host. */
  Mount(String... options) {
    this.options = List.of(options);
  }

  /** Whether this machine has what the mount needs beside root and {@code /dev/fuse}. */
  boolean isPossible() {
    return this != LIBFUSE || Libfuse.INSTALLED;
  }

  /** Looked for once. */
  private static final class Libfuse {
    static final boolean INSTALLED = isInstalled();

    private static boolean isInstalled() {
      try {
        return Requirements.libfuse();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** The old protocol has none of what not every transport can do. */
  boolean hasAllFeatures() {
    return this != LIBFUSE;
  }

  boolean isHost() {
    return options.isEmpty();
  }

  /** A directory to test in, until it is closed. */
  Opened open() {
    try {
      Path top = Files.createTempDirectory("posix");
      Files.setPosixFilePermissions(top, PosixFilePermissions.fromString("rwxr-xr-x"));
      if (isHost()) {
        return new Opened(top, null, Files.createDirectory(top.resolve("host")));
      }
      MountedPool pool = MountedPool.create(top, options.toArray(String[]::new));
      return new Opened(top, pool, pool.root());
    } catch (IOException e) {
      throw new IllegalStateException("cannot open " + this, e);
    }
  }

  /**
   * A mount that is there.
   *
   * @param pool null for the host
   */
  record Opened(Path top, MountedPool pool, Path root) implements AutoCloseable {
    @Override
    public void close() throws IOException {
      if (pool != null) {
        pool.close();
      }
      // Names that are no text, and paths that are too long, are beyond Java.
      Program.succeed(Path.of("/"), "rm", "-rf", top.toString());
    }
  }
}
