package io.cowfs.tools.target;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Finds the pool, dataset and snapshot that a text {@code PATH[/DATASET][@NAME]} means. PATH is the
 * longest prefix, ending at a slash, an at sign or the end, that is a pool directory or a mount
 * point; so both may have at signs in their names. Immutable.
 *
 * <p>Mount points are recognised by the mount table alone, and nothing on a cowfs mount is looked
 * at: no pool can be there, and a dead mount must not get in the way of {@code umount}.
 */
public final class TargetResolver {
  private final Path workingDirectory;
  private final MountTable mounts;
  private final Predicate<Path> isPool;

  /**
   * @param workingDirectory what relative paths start from; absolute
   * @param isPool whether a directory is a pool
   */
  public TargetResolver(Path workingDirectory, MountTable mounts, Predicate<Path> isPool) {
    this.workingDirectory = workingDirectory;
    this.mounts = mounts;
    this.isPool = isPool;
  }

  /**
   * Resolves a target.
   *
   * @throws TargetException when no prefix is a pool or a mount point, or the rest is malformed
   */
  public Target resolve(String text) throws TargetException {
    if (text.isEmpty() || text.indexOf('\0') >= 0) {
      throw new TargetException("not a target: '" + text + "'");
    }
    for (int cut = text.length(); cut >= 0; cut = previousCut(text, cut)) {
      Optional<Target> found = locate(text.substring(0, cut));
      if (found.isPresent()) {
        return withRest(found.get(), text, text.substring(cut));
      }
    }
    throw new TargetException(whyNothing(text));
  }

  /** The next shorter prefix: up to a slash or an at sign, or nothing at all (-1 when done). */
  private static int previousCut(String text, int cut) {
    int next = Math.max(text.lastIndexOf('/', cut - 1), text.lastIndexOf('@', cut - 1));
    if (next >= 0) {
      return next;
    }
    // "@NAME" and "DATASET" alone mean the working directory; "/..." never does.
    return cut > 0 && text.charAt(0) != '/' ? 0 : -1;
  }

  private Optional<Target> locate(String prefix) {
    Path path;
    try {
      path = workingDirectory.resolve(prefix);
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
    // The text as it stands first: asking for the real path of a dead mount would fail.
    if (!prefix.contains("..")) {
      Path plain = path.normalize();
      if (mounts.isCowfs(plain)) {
        return mounted(plain);
      }
      if (mounts.cowfsBelow(plain).isPresent()) {
        return Optional.empty();
      }
    }
    try {
      Path real = path.toRealPath();
      if (mounts.isCowfs(real)) {
        return mounted(real);
      }
      return mounts.cowfsBelow(real).isEmpty() && isPool.test(real)
          ? Optional.of(Target.ofPool(real))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private Optional<Target> mounted(Path mountPoint) {
    return mounts
        .cowfsAt(mountPoint, isPool)
        .map(m -> new Target(m.pool(), Optional.empty(), Optional.of(m), Optional.empty()));
  }

  private static Target withRest(Target found, String text, String rest) throws TargetException {
    int at = rest.indexOf('@');
    String dataset = at < 0 ? rest : rest.substring(0, at);
    String snapshot = at < 0 ? null : rest.substring(at + 1);
    dataset = stripSlashes(dataset);
    if (snapshot != null && snapshot.isEmpty()) {
      throw new UsageException("no snapshot name after @ in " + text);
    }
    if (snapshot != null && (snapshot.indexOf('@') >= 0 || snapshot.indexOf('/') >= 0)) {
      throw new TargetException("illegal snapshot name '" + snapshot + "' in " + text);
    }
    return new Target(
        found.pool(),
        dataset.isEmpty() ? Optional.empty() : Optional.of(dataset),
        found.mount(),
        Optional.ofNullable(snapshot));
  }

  private static String stripSlashes(String s) {
    int start = 0;
    int end = s.length();
    while (start < end && s.charAt(start) == '/') {
      start++;
    }
    while (end > start && s.charAt(end - 1) == '/') {
      end--;
    }
    return s.substring(start, end);
  }

  /**
   * @param source of a mount, which begins with the path of its pool
   */
  private static String whyNoPool(String source) {
    Path path = Path.of(source);
    for (int names = 1; names < path.getNameCount(); names++) {
      Path above = path.getRoot().resolve(path.subpath(0, names));
      if (Files.isDirectory(above) && !Files.isExecutable(above)) {
        return "permission denied: its pool is for " + owner(above) + " alone, see " + above;
      }
    }
    return "its pool is not there any more";
  }

  private static String owner(Path directory) {
    try {
      return Files.getOwner(directory).getName();
    } catch (IOException e) {
      return "its owner";
    }
  }

  private String whyNothing(String text) {
    Path path;
    try {
      path = workingDirectory.resolve(text).normalize();
    } catch (InvalidPathException e) {
      return "not a path: " + text;
    }
    Optional<Path> mount = mounts.cowfsBelow(path);
    int at = text.lastIndexOf('@');
    if (mount.isEmpty() && at > text.lastIndexOf('/') && !Files.exists(path)) {
      path = workingDirectory.resolve(text.substring(0, at)).normalize();
      mount = mounts.cowfsBelow(path);
    }
    if (mount.isPresent()) {
      return mount.get() + ": " + whyNoPool(mounts.source(mount.get()));
    }
    if (!Files.exists(path)) {
      // A dataset of something that is no pool: name what is there, not what was appended.
      Path parent = path.getParent();
      return parent != null && Files.exists(parent) && !parent.equals(parent.getRoot())
          ? path + ": no such file or directory (and " + parent + " is no pool)"
          : path + ": no such file or directory";
    }
    if (!Files.isDirectory(path)) {
      return path + ": not a directory, so no pool and no mount point";
    }
    return Files.isExecutable(path)
        ? path + ": no cowfs pool and no cowfs mount point"
        : path + ": permission denied";
  }
}
