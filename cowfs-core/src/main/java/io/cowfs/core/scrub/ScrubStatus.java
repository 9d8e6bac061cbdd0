package io.cowfs.core.scrub;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What is known of the last or running scrub of a pool at one moment.
 *
 * @param started empty where there was none
 * @param ended empty until it is finished
 * @param active for how long it was at work
 * @param readBytes what was read of data and nodes
 * @param totalBytes what there is to read, roughly; at least what was read
 * @param bytesPerSecond while it is running; else over the time it was at work
 * @param left how long it will take, at that rate; empty where that is not known
 * @param round from 1; the later ones look after what was cloned during the one before
 * @param errors blocks and extents that are damaged
 * @param repairedBytes what was damaged and is repaired from another copy; each copy counts
 * @param findings one line each
 */
public record ScrubStatus(
    State state,
    Optional<Instant> started,
    Optional<Instant> ended,
    Duration active,
    long readBytes,
    long totalBytes,
    long bytesPerSecond,
    Optional<Duration> left,
    int round,
    long errors,
    long repairedBytes,
    List<String> findings) {

  /** What a scrub is doing. */
  public enum State {
    NEVER,
    RUNNING,
    /** It is not finished, and goes on when the pool is mounted, or scrubbed by a command. */
    WAITING,
    PAUSED,
    FINISHED
  }
}
