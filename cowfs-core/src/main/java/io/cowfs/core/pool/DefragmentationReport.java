package io.cowfs.core.pool;

import io.cowfs.core.fs.FileRuns;
import java.util.List;

/**
 * What a defragmentation did, up to now or in all.
 *
 * @param ending why it ended
 * @param before how the files lay that it looked at
 * @param after how they lie now, those of them that it is done with
 * @param movedFiles files of which something was moved
 * @param movedBytes were written to the device
 * @param sharedBytes of fragmented files, left because snapshots, clones or other ranges have them
 * @param changedBytes left because the files were written to meanwhile, again and again
 * @param stuckBytes left because there was no run of free space that was long enough
 * @param consolidatedBytes were moved so that the space around them becomes free in long runs
 * @param gainedBytes of free space in runs of 2 MiB and more there are in return, once what was
 *     moved is free: in the next commits, or when checkpoints have gone that have it
 * @param skipped datasets that may not be changed
 * @param damage one line for each part of a file that cannot be read; the first ones only
 */
public record DefragmentationReport(
    Ending ending,
    FileRuns before,
    FileRuns after,
    long movedFiles,
    long movedBytes,
    long sharedBytes,
    long changedBytes,
    long stuckBytes,
    long consolidatedBytes,
    long gainedBytes,
    List<String> skipped,
    List<String> damage) {

  /** Why it ended. */
  public enum Ending {
    /** It has not. */
    NONE,
    /** All files were looked at. */
    COMPLETE,
    /** It was told to. */
    STOPPED,
    /** Nothing more can be written without what is kept for others. */
    NO_SPACE
  }
}
