package io.cowfs.core.pool;

import java.util.List;

/**
 * Where the space of a pool is, seen from one dataset, as of one commit. In bytes, and exact:
 * {@code poolBytes} is {@code referencedBytes - savedBytes + directoryBytes + destroyingBytes +
 * pendingBytes}.
 *
 * @param dataset its name
 * @param liveBytes everything that the dataset reaches now
 * @param liveUniqueBytes what of it was written since its last snapshot or checkpoint
 * @param snapshots and checkpoints, from old to new
 * @param sharedBytes what at least two of the dataset's states hold: no single one of them frees it
 * @param originBytes what its oldest state has from the snapshot that the dataset was cloned from
 * @param referencedBytes all references of all datasets and snapshots of the pool, each counted
 *     once
 * @param savedBytes references to what others refer to as well: cloned ranges
 * @param directoryBytes of the directory of datasets
 * @param destroyingBytes of what was destroyed and is being freed in the background
 * @param pendingBytes freed, reusable after coming commits
 * @param poolBytes allocated on the device
 * @param reserveBytes kept free so that a full pool can still delete
 * @param freeBytes not allocated and there to be had, the reserve included
 */
public record SpaceReport(
    String dataset,
    long liveBytes,
    long liveUniqueBytes,
    List<SnapshotSpace> snapshots,
    long sharedBytes,
    long originBytes,
    long referencedBytes,
    long savedBytes,
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
   * @param checkpoint whether it was kept automatically by a commit
   */
  public record SnapshotSpace(
      String name, long referencedBytes, long uniqueBytes, boolean checkpoint) {}
}
