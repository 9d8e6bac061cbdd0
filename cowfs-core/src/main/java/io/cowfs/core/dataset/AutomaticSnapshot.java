package io.cowfs.core.dataset;

import java.time.Instant;
import java.util.Optional;

/**
 * A snapshot that a {@link SnapshotSchedule} took.
 *
 * @param txg of the snapshot; tells which of two is older whatever the clock was set to
 * @param held by a tag of the user, so that it stays
 */
public record AutomaticSnapshot(
    String name, SchedulePeriod period, Instant created, long txg, boolean held) {

  /**
   * The snapshot as an automatic one; empty when the user took it, or renamed it since.
   *
   * @param properties its own
   */
  public static Optional<AutomaticSnapshot> of(
      String name, Instant created, long txg, PropertySet properties) {
    return properties
        .schedulePeriod()
        .filter(period -> name.startsWith(period.namePrefix()))
        .map(
            period ->
                new AutomaticSnapshot(name, period, created, txg, !properties.holds().isEmpty()));
  }
}
