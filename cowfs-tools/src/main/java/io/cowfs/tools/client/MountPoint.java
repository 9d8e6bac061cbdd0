package io.cowfs.tools.client;

import io.cowfs.tools.command.PoolSession.IfMissing;
import io.cowfs.tools.target.MountTable;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Checks the directory to mount on, on the client's side, where looking at paths is harmless. */
final class MountPoint {
  /** What each mount has in its root: its snapshots, which may be destroyed at any time. */
  private static final Path CONTROL = Path.of(".cowfs");

  private MountPoint() {}

  /**
   * The real path of a directory that the pool may be mounted on.
   *
   * @param directory absolute
   * @throws IOException with one line that says why it may not
   */
  static Path check(Path directory, Path pool, IfMissing ifMissing) throws IOException {
    MountTable mounts = MountTable.read();
    if (mounts.isCowfs(directory.normalize())) {
      throw new IOException(
          directory.normalize() + ": a cowfs file system is mounted there already");
    }
    boolean absent = !Files.exists(directory) && ifMissing == IfMissing.CREATE;
    Path real = absent ? directory.normalize() : directory.toRealPath();
    refuseOverlap(real, pool, mounts);
    if (absent) {
      Files.createDirectories(real);
      // Now that it can be asked for.
      real = real.toRealPath();
      refuseOverlap(real, pool, mounts);
    }
    if (!Files.isDirectory(real)) {
      throw new IOException(real + ": not a directory");
    }
    if (mounts.isMountPoint(real)) {
      throw new IOException(real + ": another file system is mounted there");
    }
    return real;
  }

  /** Refuses a directory that has files, which the mount would hide. */
  static void requireEmpty(Path mountPoint) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(mountPoint)) {
      if (files.iterator().hasNext()) {
        throw new IOException(mountPoint + ": not empty (-o nonempty mounts over it)");
      }
    } catch (AccessDeniedException e) {
      // The kernel says who may mount there.
    }
  }

  private static void refuseOverlap(Path real, Path pool, MountTable mounts) throws IOException {
    if (pool.startsWith(real) || real.startsWith(pool)) {
      throw new IOException(real + ": a pool cannot be mounted over or inside of itself");
    }
    Optional<Path> outer = mounts.cowfsBelow(real);
    if (outer.isPresent() && outer.get().relativize(real).startsWith(CONTROL)) {
      throw new IOException(real + ": what is in " + CONTROL + " comes and goes, mount elsewhere");
    }
  }

  /**
   * Whether the kernel has nobody to ask for what is mounted there: it has noticed (ENOTCONN), or
   * notices while it waits for the answer (ECONNABORTED).
   */
  static boolean isDisconnected(Path mountPoint) {
    try {
      // statvfs(2) is never answered from a cache
      Files.getFileStore(mountPoint).getTotalSpace();
      return false;
    } catch (IOException e) {
      String message = e.toString();
      return message.contains("not connected") || message.contains("connection abort");
    }
  }
}
