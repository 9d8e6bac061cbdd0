package io.cowfs.core.dataset;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Which snapshots are taken by themselves and how many of each period are kept: "hourly:24
 * daily:30", or "none". Immutable.
 *
 * <p><b>Clocks.</b> Whether a period has its snapshot is told by the times of creation; which ones
 * are the oldest is told by the txg, so a clock that was wrong for a while never makes a newer
 * state go before an older one. After a clock was set back, hours that are lived through once more
 * keep the snapshot they have; one that was taken in a far future by mistake does not stop the
 * schedule.
 *
 * <p><b>Caution.</b> A period that the schedule does not name has no surplus: who removes "hourly"
 * from a schedule, or sets it to "none", keeps the snapshots of the past until they are destroyed
 * by name.
 */
public final class SnapshotSchedule {
  public static final SnapshotSchedule NONE =
      new SnapshotSchedule(new EnumMap<>(SchedulePeriod.class));

  static final int MAX_COUNT = 100_000;

  private static final String SYNTAX =
      "use none, or a list such as 'hourly:24 daily:30 weekly:8 monthly:12 yearly:3'";
  private static final String NONE_TEXT = "none";

  /** How many are kept of each period. */
  private final Map<SchedulePeriod, Integer> counts;

  private SnapshotSchedule(EnumMap<SchedulePeriod, Integer> counts) {
    this.counts = Collections.unmodifiableMap(counts);
  }

  /**
   * Reads "none", or PERIOD:COUNT once or more with spaces between.
   *
   * @throws IllegalArgumentException with one line for the user
   */
  public static SnapshotSchedule parse(String text) {
    String stripped = text.strip();
    if (stripped.equals(NONE_TEXT)) {
      return NONE;
    }
    if (stripped.isEmpty()) {
      throw new IllegalArgumentException("the schedule is empty: " + SYNTAX);
    }
    EnumMap<SchedulePeriod, Integer> counts = new EnumMap<>(SchedulePeriod.class);
    for (String item : stripped.split(" +", -1)) {
      int colon = item.indexOf(':');
      if (colon < 0) {
        throw new IllegalArgumentException(
            "'%s' is no PERIOD:COUNT; %s".formatted(Names.printable(item), SYNTAX));
      }
      SchedulePeriod period = period(item.substring(0, colon));
      if (counts.put(period, count(item.substring(colon + 1))) != null) {
        throw new IllegalArgumentException("'%s' is there twice".formatted(period.text()));
      }
    }
    return new SnapshotSchedule(counts);
  }

  private static SchedulePeriod period(String text) {
    return SchedulePeriod.find(text)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "'%s' is no period: use minutely, hourly, daily, weekly, monthly or yearly"
                        .formatted(Names.printable(text))));
  }

  private static int count(String text) {
    if (text.matches("[0-9]{1,6}")) {
      int count = Integer.parseInt(text);
      if (count >= 1 && count <= MAX_COUNT) {
        return count;
      }
    }
    throw new IllegalArgumentException(
        "'%s' is no count of snapshots: use 1 to %d".formatted(Names.printable(text), MAX_COUNT));
  }

  /** Nothing is taken. */
  public boolean isNone() {
    return counts.isEmpty();
  }

  /**
   * The periods that need a snapshot now: those of the schedule that have none since the current
   * period began. However long nobody looked, each needs one only.
   *
   * @param existing of one dataset, in any order, held ones too
   */
  public List<SchedulePeriod> due(Instant now, Collection<AutomaticSnapshot> existing) {
    List<SchedulePeriod> due = new ArrayList<>(counts.keySet());
    for (AutomaticSnapshot snapshot : existing) {
      if (covers(snapshot, now)) {
        due.remove(snapshot.period());
      }
    }
    return due;
  }

  /**
   * The snapshot is of the current period. One of the next period counts as well: then the clock
   * was set back over a boundary a moment ago.
   */
  private static boolean covers(AutomaticSnapshot snapshot, Instant now) {
    SchedulePeriod period = snapshot.period();
    Instant end = period.next(period.next(now));
    return !snapshot.created().isBefore(period.start(now)) && snapshot.created().isBefore(end);
  }

  /** When the next period of the schedule begins; empty for "none". */
  public Optional<Instant> nextBoundary(Instant now) {
    return counts.keySet().stream().map(period -> period.next(now)).min(Comparator.naturalOrder());
  }

  /**
   * A name for the snapshot of a period that is due.
   *
   * @param taken tells whether a snapshot of the dataset has a name, such as one that the user took
   */
  public static String snapshotName(SchedulePeriod period, Instant now, Predicate<String> taken) {
    return Names.unique(period.snapshotName(now), taken);
  }

  /**
   * The snapshots to destroy: of each period the oldest beyond its count. Held ones stay and do not
   * count.
   *
   * @param existing of one dataset, in any order
   * @return oldest first
   */
  public List<AutomaticSnapshot> surplus(Collection<AutomaticSnapshot> existing) {
    Map<SchedulePeriod, Integer> left = new EnumMap<>(SchedulePeriod.class);
    left.putAll(counts);
    List<AutomaticSnapshot> surplus = new ArrayList<>();
    for (AutomaticSnapshot snapshot : newestFirst(existing)) {
      Integer toKeep = left.get(snapshot.period());
      if (toKeep == null || snapshot.held()) {
        continue;
      }
      if (toKeep == 0) {
        surplus.add(snapshot);
      } else {
        left.put(snapshot.period(), toKeep - 1);
      }
    }
    Collections.reverse(surplus);
    return surplus;
  }

  private static List<AutomaticSnapshot> newestFirst(Collection<AutomaticSnapshot> snapshots) {
    return snapshots.stream()
        .sorted(Comparator.comparingLong(AutomaticSnapshot::txg).reversed())
        .toList();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SnapshotSchedule schedule && counts.equals(schedule.counts);
  }

  @Override
  public int hashCode() {
    return counts.hashCode();
  }

  /** The form that {@link #parse} reads, from short periods to long ones. */
  @Override
  public String toString() {
    return counts.isEmpty()
        ? NONE_TEXT
        : counts.entrySet().stream()
            .map(entry -> entry.getKey().text() + ":" + entry.getValue())
            .collect(Collectors.joining(" "));
  }
}
