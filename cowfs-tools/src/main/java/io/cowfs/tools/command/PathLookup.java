package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What only the client can say about paths on a command line: a daemon has another working
 * directory, and looks at no paths, which may lie on its own mounts.
 */
public interface PathLookup {
  /** What a text means as a target. */
  Target target(String text) throws IOException;

  /**
   * A file or directory on a mount.
   *
   * @param inside its path from the root of the mounted dataset, without a slash at its start
   */
  record OnMount(Path mountPoint, String inside) {}

  /**
   * What a text means as an ordinary path of this system, symbolic links followed: where there is
   * something on a cowfs mount, other than its root.
   */
  Optional<OnMount> onMount(String text) throws IOException;

  /** The absolute path of something of this system, without symbolic links where it exists. */
  Path path(String text) throws IOException;

  /**
   * Where a path of this system lies within the dataset that is mounted there.
   *
   * @param path absolute, or relative to the working directory
   * @param target names the dataset
   * @return the path from the dataset's root, without a slash at its start or end
   * @throws IOException with one line when the path is on no mount of that dataset
   */
  String insideDataset(String path, Target target) throws IOException;
}
