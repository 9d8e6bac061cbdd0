package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SnapshotScheduleTest {
  private static final Instant NOW = Instant.parse("2026-11-24T10:15:30.500Z");

  private final List<AutomaticSnapshot> existing = new ArrayList<>();
  private long txg;

  @ParameterizedTest
  @CsvSource({
    "none,none",
    "' none ',none",
    "hourly:24,hourly:24",
    "yearly:3 minutely:1  hourly:100000,minutely:1 hourly:100000 yearly:3",
    "minutely:1 hourly:2 daily:3 weekly:4 monthly:5 yearly:6,"
        + "minutely:1 hourly:2 daily:3 weekly:4 monthly:5 yearly:6",
    "daily:007,daily:7",
  })
  void aScheduleIsReadAndShownInOrder(String text, String normal) {
    SnapshotSchedule schedule = SnapshotSchedule.parse(text);
    assertEquals(normal, schedule.toString());
    assertEquals(schedule, SnapshotSchedule.parse(normal));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "hourly",
        "hourly:",
        ":24",
        "hourly:0",
        "hourly:-1",
        "hourly:100001",
        "hourly:+1",
        "hourly:1 hourly:2",
        "hourly:1:2",
        "Hourly:1",
        "15min:1",
        "hourly:1,daily:1",
        "hourly:1.5",
        "none hourly:1",
        "hourly:99999999999999999999",
        "hourly:\u0661",
        "hourly:1\tdaily:1",
        "auto"
      })
  void anotherTextIsRefusedInOneLine(String text) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> SnapshotSchedule.parse(text));
    assertTrue(e.getMessage().chars().allMatch(c -> c >= ' ' && c <= '~'), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "MINUTELY,2026-11-24T10:15:30.5Z,2026-11-24T10:15:00Z,2026-11-24T10:16:00Z,20261124-1015",
    "HOURLY,2026-11-24T10:15:30Z,2026-11-24T10:00:00Z,2026-11-24T11:00:00Z,20261124-1000",
    "HOURLY,2026-11-24T10:00:00Z,2026-11-24T10:00:00Z,2026-11-24T11:00:00Z,20261124-1000",
    "HOURLY,2026-12-31T23:59:59.999999999Z,2026-12-31T23:00:00Z,2027-01-01T00:00:00Z,20261231-2300",
    "DAILY,2024-02-29T23:00:00Z,2024-02-29T00:00:00Z,2024-03-01T00:00:00Z,20240229",
    "WEEKLY,2026-11-24T10:15:30Z,2026-11-23T00:00:00Z,2026-11-30T00:00:00Z,2026-w48",
    "WEEKLY,2027-01-03T23:59:59Z,2026-12-28T00:00:00Z,2027-01-04T00:00:00Z,2026-w53",
    "WEEKLY,2024-12-30T00:00:00Z,2024-12-30T00:00:00Z,2025-01-06T00:00:00Z,2025-w01",
    "MONTHLY,2026-12-31T00:00:00Z,2026-12-01T00:00:00Z,2027-01-01T00:00:00Z,202612",
    "YEARLY,2026-11-24T10:15:30Z,2026-01-01T00:00:00Z,2027-01-01T00:00:00Z,2026",
    "DAILY,1969-12-31T12:00:00Z,1969-12-31T00:00:00Z,1970-01-01T00:00:00Z,19691231",
  })
  void aPeriodBeginsOnItsBoundaryInUtc(
      SchedulePeriod period, Instant time, Instant start, Instant next, String name) {
    assertEquals(start, period.start(time));
    assertEquals(next, period.next(time));
    assertEquals(
        "auto-" + period.text() + "-" + name,
        SnapshotSchedule.snapshotName(period, time, taken -> false));
  }

  @Test
  void namesAreValidAndDifferInDifferentPeriodsOnly() throws DatasetException {
    Random random = new Random(1);
    for (SchedulePeriod period : SchedulePeriod.values()) {
      Set<String> names = new HashSet<>();
      Set<Instant> starts = new HashSet<>();
      for (int i = 0; i < 5_000; i++) {
        Instant time = NOW.plusSeconds(random.nextInt(1 << 20) * 97L);
        String name = SnapshotSchedule.snapshotName(period, time, taken -> false);
        Names.requireSnapshot(name);
        names.add(name);
        starts.add(period.start(time));
      }
      assertEquals(starts.size(), names.size(), period.text());
      Instant farFuture = Instant.parse("+12026-11-24T10:15:30Z");
      Names.requireSnapshot(SnapshotSchedule.snapshotName(period, farFuture, taken -> false));
      Names.requireSnapshot(
          SnapshotSchedule.snapshotName(period, Instant.ofEpochSecond(-1L << 37), t -> false));
    }
  }

  @Test
  void aNameThatTheUserTookIsNotTakenAgain() {
    Set<String> taken = Set.of("auto-daily-20261124", "auto-daily-20261124-2");
    assertEquals(
        "auto-daily-20261124-3",
        SnapshotSchedule.snapshotName(SchedulePeriod.DAILY, NOW, taken::contains));
  }

  @Test
  void eachPeriodOfTheScheduleIsDueOnce() {
    SnapshotSchedule schedule = SnapshotSchedule.parse("daily:7 hourly:24");
    assertEquals(List.of(SchedulePeriod.HOURLY, SchedulePeriod.DAILY), schedule.due(NOW, existing));
    take(SchedulePeriod.HOURLY, NOW);
    assertEquals(List.of(SchedulePeriod.DAILY), schedule.due(NOW, existing));
    take(SchedulePeriod.DAILY, NOW);
    assertEquals(List.of(), schedule.due(NOW, existing));
    assertEquals(List.of(), schedule.due(Instant.parse("2026-11-24T10:59:59Z"), existing));
    Instant nextHour = Instant.parse("2026-11-24T11:00:00Z");
    assertEquals(List.of(SchedulePeriod.HOURLY), schedule.due(nextHour, existing));
    assertEquals(Optional.of(nextHour), schedule.nextBoundary(NOW));
  }

  @Test
  void withoutAScheduleNothingIsDueOrSurplus() {
    take(SchedulePeriod.HOURLY, NOW);
    assertTrue(SnapshotSchedule.NONE.isNone());
    assertEquals(List.of(), SnapshotSchedule.NONE.due(NOW.plusSeconds(1 << 20), existing));
    assertEquals(List.of(), SnapshotSchedule.NONE.surplus(existing));
    assertEquals(Optional.empty(), SnapshotSchedule.NONE.nextBoundary(NOW));
  }

  @Test
  void nothingIsCaughtUpAfterDaysWithoutTheDataset() {
    SnapshotSchedule schedule = SnapshotSchedule.parse("hourly:24");
    take(SchedulePeriod.HOURLY, NOW);
    Instant later = NOW.plus(Duration.ofDays(5));
    run(schedule, later);
    assertEquals(2, existing.size());
    run(schedule, later.plusSeconds(1));
    assertEquals(2, existing.size());
  }

  @Test
  void anHourThatIsLivedThroughAgainKeepsTheSnapshotItHas() {
    SnapshotSchedule schedule = SnapshotSchedule.parse("hourly:24");
    for (int hour = 0; hour < 5; hour++) {
      run(schedule, NOW.plus(Duration.ofHours(hour)));
    }
    List<AutomaticSnapshot> before = List.copyOf(existing);
    for (int minute = 0; minute < 240; minute++) {
      run(schedule, NOW.plus(Duration.ofMinutes(minute)));
    }
    assertEquals(before, existing);
  }

  @Test
  void aClockSetBackOverABoundaryTakesNoSecondSnapshot() {
    SnapshotSchedule schedule = SnapshotSchedule.parse("hourly:24");
    run(schedule, Instant.parse("2026-11-24T10:00:01Z"));
    run(schedule, Instant.parse("2026-11-24T09:59:58Z"));
    assertEquals(1, existing.size());
  }

  @Test
  void aSnapshotFromAFarFutureDoesNotStopTheSchedule() {
    SnapshotSchedule schedule = SnapshotSchedule.parse("daily:2");
    run(schedule, NOW.plus(Duration.ofDays(4_000)));
    run(schedule, NOW);
    assertEquals(2, existing.size());
    run(schedule, NOW.plus(Duration.ofDays(1)));
    assertEquals(List.of(2L, 3L), existing.stream().map(AutomaticSnapshot::txg).toList());
  }

  @Test
  void aClockSetBackNeverMakesTheNewestSnapshotSurplus() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    SnapshotSchedule schedule = SnapshotSchedule.parse("minutely:5 hourly:3 daily:2");
    Instant clock = NOW;
    for (int step = 0; step < 5_000; step++) {
      clock = clock.plusSeconds(random.nextInt(200));
      if (random.nextInt(50) == 0) {
        clock = clock.minusSeconds(random.nextInt(200_000));
      }
      long newest = txg;
      run(schedule, clock);
      assertTrue(txg - newest <= 3, "seed " + seed);
      for (long taken = newest + 1; taken <= txg; taken++) {
        long wanted = taken;
        assertTrue(existing.stream().anyMatch(s -> s.txg() == wanted), "seed " + seed);
      }
      assertTrue(existing.size() <= 10, "seed " + seed);
      assertEquals(List.of(), schedule.due(clock, existing), "seed " + seed);
      Set<String> names = new HashSet<>();
      existing.forEach(s -> assertTrue(names.add(s.name()), "seed " + seed));
    }
  }

  @Test
  void theOldestBeyondTheCountGo() {
    SnapshotSchedule schedule = SnapshotSchedule.parse("hourly:3");
    for (int hour = 0; hour < 6; hour++) {
      take(SchedulePeriod.HOURLY, NOW.plus(Duration.ofHours(hour)));
      take(SchedulePeriod.DAILY, NOW.plus(Duration.ofDays(hour)));
    }
    List<AutomaticSnapshot> hourly =
        existing.stream().filter(s -> s.period() == SchedulePeriod.HOURLY).toList();
    Collections.shuffle(existing, new Random(3));
    assertEquals(hourly.subList(0, 3), schedule.surplus(existing));
    assertEquals(
        hourly.subList(0, 5), SnapshotSchedule.parse("hourly:1 daily:6").surplus(existing));
  }

  @Test
  void heldSnapshotsStayAndTakeNoPlaceButHaveTheirPeriod() {
    SnapshotSchedule schedule = SnapshotSchedule.parse("hourly:2");
    for (int hour = 0; hour < 3; hour++) {
      take(SchedulePeriod.HOURLY, NOW.plus(Duration.ofHours(hour)));
    }
    AutomaticSnapshot last = existing.remove(2);
    existing.add(
        new AutomaticSnapshot(last.name(), last.period(), last.created(), last.txg(), true));
    assertEquals(List.of(), schedule.surplus(existing));
    assertEquals(List.of(), schedule.due(last.created(), existing));
  }

  @Test
  void onlyASnapshotWithTheMarkAndNameOfItsPeriodIsAutomatic() throws DatasetException {
    PropertySet mark = PropertySet.EMPTY.withSchedulePeriod(SchedulePeriod.DAILY);
    String name = SnapshotSchedule.snapshotName(SchedulePeriod.DAILY, NOW, taken -> false);
    AutomaticSnapshot automatic = AutomaticSnapshot.of(name, NOW, 7, mark).orElseThrow();
    assertEquals(SchedulePeriod.DAILY, automatic.period());
    assertFalse(automatic.held());
    assertTrue(AutomaticSnapshot.of(name, NOW, 7, mark.withHold("x", NOW)).orElseThrow().held());
    assertEquals(Optional.empty(), AutomaticSnapshot.of(name, NOW, 7, PropertySet.EMPTY));
    assertEquals(Optional.empty(), AutomaticSnapshot.of("before-upgrade", NOW, 7, mark));
    assertEquals(
        Optional.empty(),
        AutomaticSnapshot.of(name, NOW, 7, PropertySet.EMPTY.set(NodeKind.SNAPSHOT, "user:a", "")));
  }

  @Test
  void theLargestCountIsKept() {
    SnapshotSchedule schedule = SnapshotSchedule.parse("minutely:100000");
    for (int i = 0; i < 100_010; i++) {
      take(SchedulePeriod.MINUTELY, NOW.plusSeconds(60L * i));
    }
    assertEquals(10, schedule.surplus(existing).size());
  }

  /** What a process that carries out a schedule does each time that it looks. */
  private void run(SnapshotSchedule schedule, Instant now) {
    schedule.due(now, existing).forEach(period -> take(period, now));
    existing.removeAll(schedule.surplus(existing));
  }

  private void take(SchedulePeriod period, Instant now) {
    String name =
        SnapshotSchedule.snapshotName(
            period, now, taken -> existing.size() < 100 && isTaken(taken));
    existing.add(new AutomaticSnapshot(name, period, now, ++txg, false));
  }

  private boolean isTaken(String name) {
    return existing.stream().anyMatch(snapshot -> snapshot.name().equals(name));
  }
}
