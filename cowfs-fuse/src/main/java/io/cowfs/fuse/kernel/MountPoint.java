package io.cowfs.fuse.kernel;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Where to mount: checked before anything is touched. */
final class MountPoint {
  private MountPoint() {}

  /**
   * The mount point without symbolic links.
   *
   * @throws MountException when it cannot be mounted on
   */
  static Path check(Path path, MountOptions options) throws MountException {
    try {
      Path real = path.toRealPath();
      if (!Files.isDirectory(real)) {
        throw new MountException(path + ": not a directory");
      }
      if (MountTable.deviceOf(real).isPresent()) {
        throw new MountException(path + ": something is mounted there already");
      }
      if (!options.nonEmpty()) {
        checkEmpty(path, real);
      }
      return real;
    } catch (NoSuchFileException e) {
      throw new MountException(path + ": no such directory", e);
    } catch (MountException e) {
      throw e;
    } catch (IOException e) {
      throw new MountException(path + ": cannot be used as a mount point: " + reason(e), e);
    }
  }

  private static void checkEmpty(Path path, Path real) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(real)) {
      if (entries.iterator().hasNext()) {
        throw new MountException(path + ": not empty (-o nonempty mounts over it)");
      }
    }
  }

  private static String reason(IOException e) {
    return e instanceof java.nio.file.FileSystemException f && f.getReason() != null
        ? f.getReason()
        : String.valueOf(e.getMessage());
  }
}
