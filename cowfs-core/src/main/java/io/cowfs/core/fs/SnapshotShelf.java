package io.cowfs.core.fs;

import io.cowfs.core.block.BlockPointer;
import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/**
 * The snapshots and checkpoints of one dataset as one browses them, and what may be done with them
 * there. Thread-safe. What it tells is as of the last commit, and quick: in logarithmic time at
 * most. What it changes waits for a commit, so no lock of a volume may be held.
 */
public interface SnapshotShelf {
  /** The two kinds of states that are kept. */
  enum Kind {
    /** Taken and named by somebody. */
    SNAPSHOT,
    /** Kept automatically, for a while. */
    CHECKPOINT
  }

  /**
   * One state of the dataset that is kept.
   *
   * @param node its id in the history; stays the same while it is renamed, and is never used again
   * @param created when it was taken
   * @param root of its tree; absent while that is empty
   */
  record Kept(int node, String name, Kind kind, Instant created, Optional<BlockPointer> root) {}

  /** The dataset's name, for messages. */
  String dataset();

  /** The one of this name, or null. */
  Kept find(Kind kind, String name);

  /**
   * The one with this id, or null when it was destroyed. To read what is below its root, take a
   * {@link io.cowfs.core.txg.ReadPins hold} before asking.
   */
  Kept byNode(int node);

  /** Those of one kind with a greater id, ascending; also while some come and go. */
  Iterable<Kept> after(Kind kind, int node);

  /** The one of this kind with the greatest id, or null when there is none. */
  Kept newest(Kind kind);

  /**
   * Keeps what the file system has seen until now as a snapshot.
   *
   * @throws io.cowfs.core.dataset.DatasetException EXISTS, INVALID_NAME, NAME_TOO_LONG
   */
  void take(String name) throws IOException;

  /**
   * Destroys a snapshot, whoever looks at it.
   *
   * @throws io.cowfs.core.dataset.DatasetException NOT_FOUND, or BUSY when it is held
   */
  void destroy(String name) throws IOException;

  /**
   * Gives a snapshot another name.
   *
   * @throws io.cowfs.core.dataset.DatasetException NOT_FOUND, EXISTS, INVALID_NAME, NAME_TOO_LONG
   */
  void rename(String name, String newName) throws IOException;
}
