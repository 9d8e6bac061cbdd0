package io.cowfs.tools.target;

import java.nio.file.Path;

/**
 * A mounted dataset.
 *
 * @param mountPoint absolute
 * @param pool the pool directory, absolute
 */
public record CowfsMount(Path mountPoint, Path pool, String dataset) {
  /** What the mount table shows as its source. */
  public static String source(Path pool, String dataset) {
    return pool + "/" + dataset;
  }
}
