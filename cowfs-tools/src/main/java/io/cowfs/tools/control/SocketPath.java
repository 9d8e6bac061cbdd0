package io.cowfs.tools.control;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The address of a pool's control socket. The kernel takes at most 108 bytes (unix(7)); a longer
 * path is reached over a symbolic link in a private temporary directory, which lives until this is
 * closed.
 */
final class SocketPath implements AutoCloseable {
  /** The name of the socket in the pool directory. */
  static final String NAME = "sock";

  private static final int ADDRESS_BYTES_MAX = 100;

  private final Path linkDirectory;
  private final Path path;

  private SocketPath(Path linkDirectory, Path path) {
    this.linkDirectory = linkDirectory;
    this.path = path;
  }

  static SocketPath of(Path pool) throws IOException {
    Path direct = pool.resolve(NAME);
    if (direct.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length
        <= ADDRESS_BYTES_MAX) {
      return new SocketPath(null, direct);
    }
    Path directory = Files.createTempDirectory("cowfs");
    Path link = directory.resolve("pool");
    try {
      Files.createSymbolicLink(link, pool);
    } catch (IOException e) {
      Files.delete(directory);
      throw e;
    }
    return new SocketPath(directory, link.resolve(NAME));
  }

  UnixDomainSocketAddress address() {
    return UnixDomainSocketAddress.of(path);
  }

  @Override
  public void close() throws IOException {
    if (linkDirectory != null) {
      Files.deleteIfExists(linkDirectory.resolve("pool"));
      Files.deleteIfExists(linkDirectory);
    }
  }
}
