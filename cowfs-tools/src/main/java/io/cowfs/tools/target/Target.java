package io.cowfs.tools.target;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A resolved target. Whether the dataset and the snapshot exist is not known yet.
 *
 * @param pool the absolute path of the pool directory, without symbolic links
 * @param dataset the dataset that was named, if one was
 * @param mount the mount that the path stands for, if it is not the pool directory itself
 * @param snapshot the snapshot that was named, if one was
 */
public record Target(
    Path pool, Optional<String> dataset, Optional<CowfsMount> mount, Optional<String> snapshot) {
  /** The dataset of a new pool, and what a pool without more stands for. */
  public static final String DEFAULT_DATASET = "root";

  /** The pool itself. */
  public static Target ofPool(Path pool) {
    return new Target(pool, Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** A dataset by its name. */
  public static Target ofDataset(Path pool, String dataset) {
    return new Target(pool, Optional.of(dataset), Optional.empty(), Optional.empty());
  }

  /** The dataset named, else the one mounted there, else the default one. */
  public String datasetOrDefault() {
    return dataset.or(() -> mount.map(CowfsMount::dataset)).orElse(DEFAULT_DATASET);
  }

  /** The dataset named, where the mounted or the default one will not do. */
  public String requireDataset() throws UsageException {
    return dataset.orElseThrow(() -> new UsageException("no dataset named: write POOL/DATASET"));
  }

  /** The snapshot named. */
  public String requireSnapshot() throws UsageException {
    return snapshot.orElseThrow(
        () -> new UsageException("no snapshot named: append @NAME to the target"));
  }

  /** Refuses a target that names a snapshot where only a dataset makes sense. */
  public void refuseSnapshot(String verb) throws UsageException {
    if (snapshot.isPresent()) {
      throw new UsageException(verb + " takes no snapshot: leave out @" + snapshot.get());
    }
  }
}
