package io.cowfs.tools.client;

import io.cowfs.tools.command.PathLookup;
import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.MountTable;
import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import io.cowfs.tools.target.TargetResolver;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;

/** Paths as this process sees them. The mount table is read at each question. */
final class ClientPaths implements PathLookup {
  private final Path workingDirectory;

  /**
   * @param workingDirectory what relative paths start from; absolute
   */
  ClientPaths(Path workingDirectory) {
    this.workingDirectory = workingDirectory;
  }

  @Override
  public Target target(String text) throws IOException {
    return new TargetResolver(workingDirectory, MountTable.read(), PoolMounts::isPool)
        .resolve(text);
  }

  @Override
  public Optional<OnMount> onMount(String text) throws IOException {
    Path real;
    try {
      real = workingDirectory.resolve(text).toRealPath();
    } catch (InvalidPathException | FileSystemException e) {
      return Optional.empty();
    }
    return MountTable.read()
        .cowfsBelow(real)
        .filter(mountPoint -> !mountPoint.equals(real))
        .map(mountPoint -> new OnMount(mountPoint, mountPoint.relativize(real).toString()));
  }

  @Override
  public Path path(String text) throws IOException {
    try {
      Path absolute = workingDirectory.resolve(text);
      return Files.exists(absolute) ? absolute.toRealPath() : absolute.normalize();
    } catch (InvalidPathException e) {
      throw new TargetException("not a path: " + text);
    }
  }

  @Override
  public String insideDataset(String path, Target target) throws IOException {
    Path real;
    try {
      real = realParent(workingDirectory.resolve(path));
    } catch (InvalidPathException e) {
      throw new TargetException("not a path: " + path);
    }
    MountTable mounts = MountTable.read();
    Optional<CowfsMount> mount =
        mounts.cowfsBelow(real).flatMap(point -> mounts.cowfsAt(point, PoolMounts::isPool));
    boolean found =
        mount
            .filter(m -> m.pool().equals(target.pool()))
            .filter(m -> m.dataset().equals(target.datasetOrDefault()))
            .isPresent();
    if (!found) {
      throw new TargetException(
          real
              + " is on no mount of "
              + CowfsMount.source(target.pool(), target.datasetOrDefault()));
    }
    return mount.get().mountPoint().relativize(real).toString();
  }

  /**
   * The path with the symbolic links of its parents followed, as far as they exist: it may be gone,
   * and may itself be a link that is to be brought back.
   */
  private static Path realParent(Path path) throws IOException {
    // After a link, ".." is not what the text says: the system has to look.
    if (path.endsWith(".") || path.endsWith("..")) {
      return path.toRealPath();
    }
    Path parent = path.getParent();
    Path name = path.getFileName();
    if (parent == null || name == null) {
      return path;
    }
    Path realParent =
        Files.exists(parent, LinkOption.NOFOLLOW_LINKS) ? parent.toRealPath() : realParent(parent);
    return realParent.resolve(name);
  }
}
