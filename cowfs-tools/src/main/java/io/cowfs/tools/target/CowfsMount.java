package io.cowfs.tools.target;

import java.nio.file.Path;
import java.util.Comparator;

/**
 * A mounted dataset.
 *
 * @param mountPoint absolute
 * @param pool the pool directory, absolute
 */
public record CowfsMount(Path mountPoint, Path pool, String dataset) {
  /** The order to unmount in: a mount is busy while another one lies in it. */
  public static final Comparator<CowfsMount> INNER_FIRST =
      Comparator.comparing(CowfsMount::mountPoint).reversed();

  /** What the mount table shows as its source. */
  public static String source(Path pool, String dataset) {
    return pool + "/" + dataset;
  }
}
