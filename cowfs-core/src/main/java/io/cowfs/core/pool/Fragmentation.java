package io.cowfs.core.pool;

import io.cowfs.core.fs.FileRuns;
import java.util.List;

/**
 * How files and free space lie on the device of a pool, as of one commit for each dataset.
 *
 * @param scope whether one file was asked for, or several
 * @param all files together
 * @param worst those of several that are the most fragmented, the worst first; the file itself
 *     where one was asked for
 * @param free the free space of the pool
 */
public record Fragmentation(Scope scope, FileRuns all, List<FragmentedFile> worst, FreeSpace free) {
  /** What was asked for. */
  public enum Scope {
    FILE,
    FILES
  }

  /**
   * Free runs of about the same length.
   *
   * @param fromBytes they have so many bytes at least, a power of two, and less than twice as many
   * @param runs how many
   * @param bytes that they have together
   */
  public record FreeRunsOfSize(long fromBytes, long runs, long bytes) {}

  /**
   * The free space. What was freed and waits for commits is not free.
   *
   * @param runs ascending by size, where there are any; without the one behind all that is in use
   * @param largestBytes the longest of them
   * @param behindBytes behind all that is in use
   */
  public record FreeSpace(List<FreeRunsOfSize> runs, long largestBytes, long behindBytes) {}

  /**
   * One file.
   *
   * @param path from the root of its dataset, without a slash before it
   */
  public record FragmentedFile(String dataset, byte[] path, FileRuns runs) {}
}
