package io.cowfs.core.fs;

import io.cowfs.core.vfs.FsException;
import java.io.IOException;

/** What happens to one pool, decided by a seed. For one thread. */
interface Life {
  /**
   * Lives the whole life.
   *
   * @return a hash of all that the devices were asked for
   */
  long run() throws IOException, FsException;

  /** How often the pool was opened again so far. */
  int crashes();

  /** How many operations there were so far. */
  int steps();

  /** What was done last. */
  String where();
}
