package io.cowfs.core.dataset;

import io.cowfs.core.btree.Key;
import java.time.Instant;
import java.util.Optional;

/**
 * How far the last scrub of a pool has come, as it is kept with the pool.
 *
 * @param round from 1; each one covers what was born in one range of txgs
 * @param bornAfter what was born up to this txg is not of this round
 * @param bornUpTo nor is what was born after this one
 * @param stage what is being read
 * @param at the node or the dataset, by its id, that is being read in this stage, or the first that
 *     may be
 * @param key where to go on in it; empty for its beginning
 * @param ended empty until it is finished
 * @param activeMillis for how long it was at work
 * @param readBytes what was read of data and nodes
 * @param totalBytes what there was to read, roughly
 * @param errors blocks and extents that are damaged
 * @param repairedBytes what was damaged and is repaired from another copy; each copy counts
 */
public record ScrubRecord(
    State state,
    int round,
    long bornAfter,
    long bornUpTo,
    Stage stage,
    int at,
    Optional<Key> key,
    Instant started,
    Optional<Instant> ended,
    long activeMillis,
    long readBytes,
    long totalBytes,
    long errors,
    long repairedBytes) {

  /** What is to become of it. The ordinals are permanent. */
  public enum State {
    /** It goes on whenever the pool is mounted. */
    RUNNING,
    PAUSED,
    FINISHED
  }

  /** Parts of a round, in their order. The ordinals are permanent. */
  public enum Stage {
    /** Labels, ring, index, directory. */
    METADATA,
    /** Snapshots that are as old as the round, by ascending id. */
    SNAPSHOTS,
    /** Datasets by ascending id, each with its younger snapshots. */
    DATASETS,
    /** Younger snapshots whose dataset was destroyed. */
    NAMELESS,
    COMPLETE
  }

  /** The record of a new scrub. */
  public static ScrubRecord begin(long txg, Instant started, long totalBytes) {
    return new ScrubRecord(
        State.RUNNING,
        1,
        0,
        txg,
        Stage.METADATA,
        0,
        Optional.empty(),
        started,
        Optional.empty(),
        0,
        0,
        totalBytes,
        0,
        0);
  }

  /** The next round, over what was born since this one began. */
  public ScrubRecord nextRound(long txg, long newTotalBytes) {
    return new ScrubRecord(
        state,
        round + 1,
        bornUpTo,
        txg,
        Stage.SNAPSHOTS,
        0,
        Optional.empty(),
        started,
        ended,
        activeMillis,
        readBytes,
        newTotalBytes,
        errors,
        repairedBytes);
  }

  public ScrubRecord withState(State newState, Optional<Instant> newEnded) {
    return new ScrubRecord(
        newState,
        round,
        bornAfter,
        bornUpTo,
        stage,
        at,
        key,
        started,
        newEnded,
        activeMillis,
        readBytes,
        totalBytes,
        errors,
        repairedBytes);
  }

  /** At another place. */
  public ScrubRecord movedTo(Stage newStage, int newAt, Optional<Key> newKey) {
    return new ScrubRecord(
        state,
        round,
        bornAfter,
        bornUpTo,
        newStage,
        newAt,
        newKey,
        started,
        ended,
        activeMillis,
        readBytes,
        totalBytes,
        errors,
        repairedBytes);
  }

  /** With more work done. */
  public ScrubRecord withWork(long moreMillis, long moreBytes, long moreErrors, long moreRepaired) {
    return new ScrubRecord(
        state,
        round,
        bornAfter,
        bornUpTo,
        stage,
        at,
        key,
        started,
        ended,
        activeMillis + moreMillis,
        readBytes + moreBytes,
        totalBytes,
        errors + moreErrors,
        repairedBytes + moreRepaired);
  }
}
