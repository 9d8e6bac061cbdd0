package io.cowfs.core.dataset;

import java.time.Instant;

/**
 * One line of the list of datasets and snapshots, as of the last commit.
 *
 * @param dataset the dataset's name, also for a snapshot the one that it is listed under
 * @param snapshot the snapshot's name; empty for a dataset
 * @param parentSnapshot the name of the snapshot that it continues; empty where there is none or it
 *     has lost its name
 * @param usedBytes for a dataset what was written since its parent snapshot; for a snapshot what
 *     destroying it would free now
 * @param referencedBytes all that it reaches, shared or not
 * @param txg for a snapshot the txg of which it has everything; for a dataset the last one with a
 *     change of it
 */
public record DatasetInfo(
    String dataset,
    String snapshot,
    NodeKind kind,
    String parentSnapshot,
    long usedBytes,
    long referencedBytes,
    Instant created,
    long txg) {

  /** The full name: {@code DATASET} or {@code DATASET@SNAPSHOT}. */
  public String fullName() {
    return kind == NodeKind.HEAD ? dataset : dataset + "@" + snapshot;
  }
}
