package io.cowfs.core.pool;

import java.util.List;

/**
 * Where the space of a pool is, seen from one dataset, as of the last commit. In bytes, all exact:
 * {@code poolBytes} is the sum of what all datasets and their snapshots reach ({@code
 * reachableBytes}), {@code directoryBytes}, {@code destroyingBytes} and {@code pendingBytes}.
 *
 * @param dataset its name
 * @param liveBytes everything that the dataset reaches now
 * @param liveUniqueBytes what of it no snapshot and no other dataset has
 * @param snapshots from old to new
 * @param sharedBytes what at least two of the dataset and its snapshots reach
 * @param reachableBytes of all datasets and snapshots of the pool, each sector counted once
 * @param directoryBytes of the directory of datasets
 * @param destroyingBytes of what was destroyed and is being freed in the background
 * @param pendingBytes freed, reusable after coming commits
 * @param reserveBytes kept free so that a full pool can still delete
 * @param freeBytes not allocated, the reserve included
 */
public record SpaceReport(
    String dataset,
    long liveBytes,
    long liveUniqueBytes,
    List<SnapshotSpace> snapshots,
    long sharedBytes,
    long reachableBytes,
    long directoryBytes,
    long destroyingBytes,
    long pendingBytes,
    long poolBytes,
    long reserveBytes,
    long freeBytes) {

  /**
   * One snapshot.
   *
   * @param referencedBytes everything that it reaches
   * @param uniqueBytes what destroying it alone would free
   * @param checkpoint whether it was taken automatically by the commits
   */
  public record SnapshotSpace(
      String name, long referencedBytes, long uniqueBytes, boolean checkpoint) {}
}
