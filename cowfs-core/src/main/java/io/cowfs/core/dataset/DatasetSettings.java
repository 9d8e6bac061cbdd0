package io.cowfs.core.dataset;

import io.cowfs.core.codec.CompressionSetting;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * The properties in force for a dataset, as values to work with.
 *
 * @param compression of new extents
 * @param copies how often new extents are stored, 1 to 3
 * @param quotaBytes the most that the dataset's live data may take; empty for no limit
 * @param readonly refuses every change of files
 * @param snapdir whether the directory of snapshots is listed
 * @param checkpoints which past states are kept
 * @param schedule of automatic snapshots
 * @param mountpoint where {@code cowfs mount -a} mounts it, an absolute path
 * @param scrubBytesPerSecond what a scrub of the pool may read; empty for no limit
 * @param defragBytesPerSecond what may be moved to defragment the pool; empty for no limit
 * @param defragRunsPerMebibyte files with more surplus runs for each mebibyte are defragmented in
 *     the background; empty for none
 */
public record DatasetSettings(
    CompressionSetting compression,
    int copies,
    OptionalLong quotaBytes,
    boolean readonly,
    Snapdir snapdir,
    AccessTime atime,
    CheckpointPolicy checkpoints,
    SnapshotSchedule schedule,
    Optional<String> mountpoint,
    OptionalLong scrubBytesPerSecond,
    OptionalLong defragBytesPerSecond,
    OptionalInt defragRunsPerMebibyte) {

  /** Whether listings of the root show the directory of snapshots; it can be entered either way. */
  public enum Snapdir {
    HIDDEN,
    VISIBLE
  }

  /** When reading a file sets its time of access. */
  public enum AccessTime {
    /** When it is older than the last change, or than a day. */
    RELATIME,
    ON,
    OFF
  }
}
