package io.cowfs.core.pool;

import io.cowfs.core.txg.RootRecord;
import java.util.List;
import java.util.stream.Stream;

/**
 * What is known of the commits of a pool.
 *
 * @param records from new to old, without those that have no directory
 * @param newest how it is known that the first of them is that of the newest commit
 */
record KnownRoots(List<RootRecord> records, Newest newest) {
  /** How the newest commit is known. */
  enum Newest {
    /** By the index in place, which can be read and is not stale. */
    BY_INDEX,
    /** By the ring, which is whole. The commit that a crash has kept out of it is lost. */
    BY_RING,
    /** The ring is damaged: there may have been another one. */
    UNKNOWN
  }

  /** Space that a commit frees is used again only when two more are durable. */
  private static final int COMMITS_BEFORE_REUSE = 2;

  /** From new to old, but what was given up comes last. */
  List<RootRecord> byTrust() {
    return Stream.concat(
            records.stream().filter(record -> !isGivenUp(record)),
            records.stream().filter(this::isGivenUp))
        .toList();
  }

  /**
   * Whether a newer record has the state of an older one again. An ordinary commit always writes
   * something of the directory.
   */
  boolean isGivenUp(RootRecord record) {
    return records.stream()
        .anyMatch(
            newer -> newer.txg() > record.txg() && newer.directoryRoot().birthTxg() < record.txg());
  }

  /** Whether none of the space that a record reaches can have been used again. */
  boolean isKept(RootRecord record) {
    return isNewestKnown()
        && record.txg() >= records.get(0).txg() - COMMITS_BEFORE_REUSE
        && !isGivenUp(record);
  }

  boolean isNewestKnown() {
    return newest != Newest.UNKNOWN;
  }

  /** The txg of the newest of them. */
  long newestTxg() {
    return records.get(0).txg();
  }
}
