package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CheckpointPolicyTest {
  private static final Instant START = Instant.parse("2026-11-24T10:15:30.500Z");

  private final List<Instant> checkpoints = new ArrayList<>();

  @ParameterizedTest
  @CsvSource({
    "on,on",
    "off,off",
    "1s:1m 1m:1h,on",
    "10s:1m,10s:1m",
    "120s:24h,2m:1d",
    "1s:1s,1s:1s",
    "90s:1h  25h:366d,90s:1h 25h:366d",
    "1s:1m 1m:1h 1h:1d 1d:30d,1s:1m 1m:1h 1h:1d 1d:30d",
    "1s:999s,1s:999s",
  })
  void aPolicyIsReadAndShown(String text, String normal) {
    CheckpointPolicy policy = CheckpointPolicy.parse(text);
    assertEquals(normal, policy.toString());
    assertEquals(policy, CheckpointPolicy.parse(normal));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ON",
        "none",
        "1s",
        "1s:",
        ":1m",
        "1s:1m:1h",
        "0s:1m",
        "1s:0m",
        "1:60",
        "1.5s:1m",
        "-1s:1m",
        "1w:2w",
        "1m:1s",
        "1m:1h 1s:2h",
        "1s:1h 1m:1h",
        "1s:1m 1s:1h",
        "1s:1000s",
        "1s:1m 1m:1h 1h:1d 1d:30d 2d:60d",
        "1d:367d",
        "999999999d:999999999d",
        "1s:1h",
        "on off",
        "99999999999s:1d",
        "1s:1m,1m:1h",
        "1s:1m\t1m:1h",
        "\u0661s:1m"
      })
  void anotherTextIsRefusedInOneLine(String text) {
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> CheckpointPolicy.parse(text));
    assertTrue(e.getMessage().chars().allMatch(c -> c >= ' ' && c <= '~'), e.getMessage());
  }

  @Test
  void theFirstCommitOfEachIntervalIsDue() {
    CheckpointPolicy policy = CheckpointPolicy.parse("10s:1m");
    Instant ten = Instant.parse("2026-11-24T10:00:10Z");
    assertTrue(policy.isDue(ten, Optional.empty()));
    assertFalse(policy.isDue(ten, Optional.of(ten)));
    assertFalse(policy.isDue(ten.plusMillis(9_999), Optional.of(ten)));
    assertTrue(policy.isDue(ten.plusMillis(10_000), Optional.of(ten)));
    assertTrue(policy.isDue(ten, Optional.of(ten.minusMillis(1))));
    assertFalse(CheckpointPolicy.OFF.isDue(ten, Optional.empty()));
  }

  @Test
  void aClockSetBackDoesNotStopCheckpoints() {
    Instant future = START.plus(Duration.ofDays(400));
    assertTrue(CheckpointPolicy.ON.isDue(START, Optional.of(future)));
  }

  @Test
  void anHourOfCommitsLeavesASecondOrMinuteEach() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Instant now = START;
    List<Instant> commits = new ArrayList<>();
    Set<Instant> dropped = new HashSet<>();
    while (now.isBefore(START.plus(Duration.ofMinutes(150)))) {
      commits.add(now);
      dropped.addAll(commit(CheckpointPolicy.ON, now));
      assertTrue(checkpoints.size() <= CheckpointPolicy.ON.maxCheckpoints(), "seed " + seed);
      assertSpacing(now, "seed " + seed);
      now = now.plusMillis(1_000 + random.nextInt(6_001));
    }
    assertFalse(dropped.stream().anyMatch(checkpoints::contains), "seed " + seed);
    Instant last = commits.get(commits.size() - 1);
    Instant hourAgo = last.minus(Duration.ofHours(1));
    long minutes = checkpoints.stream().map(SchedulePeriod.MINUTELY::start).distinct().count();
    assertTrue(minutes >= 60 && minutes <= 61, minutes + " minutes with seed " + seed);
    assertFalse(checkpoints.get(0).isBefore(hourAgo), "seed " + seed);
    Instant minuteAgo = last.minusSeconds(60);
    List<Instant> lastMinute = commits.stream().filter(c -> !c.isBefore(minuteAgo)).toList();
    assertTrue(checkpoints.containsAll(lastMinute), "seed " + seed);
  }

  /** Gaps between neighbours, and at the far end: nothing is missing where commits were. */
  private void assertSpacing(Instant now, String seed) {
    Instant hourAgo = now.minus(Duration.ofHours(1));
    Instant previous = START.isAfter(hourAgo) ? START : hourAgo;
    for (Instant checkpoint : checkpoints) {
      Duration gap = Duration.between(previous, checkpoint);
      boolean isRecent = Duration.between(previous, now).toSeconds() < 60;
      assertTrue(gap.toMillis() <= (isRecent ? 7_000 : 67_000), gap + " " + seed);
      previous = checkpoint;
    }
    assertEquals(now, previous, seed);
  }

  @Test
  void theCheckpointOfAMinuteStaysUntilItAgesOut() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Instant now = START;
    for (int i = 0; i < 5_000; i++) {
      Instant at = now;
      for (Instant dropped : commit(CheckpointPolicy.ON, now)) {
        boolean isFirstOfMinute =
            checkpoints.stream()
                .noneMatch(kept -> kept.isBefore(dropped) && isSameMinute(kept, dropped));
        boolean aged = Duration.between(dropped, at).compareTo(Duration.ofHours(1)) > 0;
        assertTrue(aged || !isFirstOfMinute, dropped + " at " + at + " seed " + seed);
      }
      now = now.plusMillis(100 + random.nextInt(3_000));
    }
  }

  private static boolean isSameMinute(Instant a, Instant b) {
    return SchedulePeriod.MINUTELY.start(a).equals(SchedulePeriod.MINUTELY.start(b));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"1s:1m 1m:1h", "7s:1m 10s:10m 61s:2h", "2s:10s 30s:5m 5m:1h 30m:6h", "1s:1s"})
  void thinningASecondTimeDropsNoMore(String text) {
    CheckpointPolicy policy = CheckpointPolicy.parse(text);
    long seed = System.nanoTime();
    Random random = new Random(seed);
    Instant now = START;
    for (int i = 0; i < 4_000; i++) {
      commit(policy, now);
      assertTrue(checkpoints.size() <= policy.maxCheckpoints(), "seed " + seed);
      assertEquals(List.of(), surplus(policy, now), "seed " + seed);
      now = now.plusMillis(500 + random.nextInt(10_000));
    }
    assertTrue(checkpoints.size() * 3 >= policy.maxCheckpoints(), checkpoints + " seed " + seed);
  }

  @Test
  void neverIsAGapLongerThanTwoIntervals() {
    CheckpointPolicy policy = CheckpointPolicy.parse("3s:1m 20s:10m 5m:3h");
    Instant now = START;
    for (int i = 0; i < 15_000; i++) {
      commit(policy, now);
      for (int k = 1; k < checkpoints.size(); k++) {
        long gap = Duration.between(checkpoints.get(k - 1), checkpoints.get(k)).toSeconds();
        long age = Duration.between(checkpoints.get(k - 1), now).toSeconds();
        long interval = age <= 60 ? 3 : age <= 600 ? 20 : 300;
        assertTrue(gap <= 2 * interval, gap + " s at an age of " + age);
      }
      now = now.plusMillis(1_000);
    }
  }

  @Test
  void agesBeforeTheFirstBoundaryAndAtTheLastAreKept() {
    checkpoints.add(START);
    CheckpointPolicy policy = CheckpointPolicy.parse("1s:1m");
    assertEquals(List.of(), surplus(policy, START.plusSeconds(60)));
    assertEquals(checkpoints, surplus(policy, START.plusSeconds(60).plusNanos(1)));
    assertEquals(List.of(), surplus(policy, START.minusSeconds(60)));
  }

  @Test
  void switchedOffAllGo() {
    checkpoints.addAll(List.of(START, START.plusSeconds(1), START.plusSeconds(2)));
    assertEquals(checkpoints, surplus(CheckpointPolicy.OFF, START));
    assertEquals(List.of(), CheckpointPolicy.OFF.surplus(List.of(), Function.identity(), START));
  }

  @Test
  void aClockThatJumpsNeverExceedsTheBoundOrDropsTheNewest() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    CheckpointPolicy policy = CheckpointPolicy.parse("1s:10s 5s:1m");
    Instant now = START;
    for (int i = 0; i < 20_000; i++) {
      commit(policy, now);
      assertTrue(checkpoints.size() <= policy.maxCheckpoints(), "seed " + seed);
      assertFalse(checkpoints.isEmpty(), "seed " + seed);
      if (policy.isDue(now, Optional.of(checkpoints.get(checkpoints.size() - 1)))) {
        throw new AssertionError("the newest went with seed " + seed);
      }
      now = now.plusMillis(random.nextInt(3_000));
      if (random.nextInt(100) == 0) {
        now = now.plusSeconds(random.nextInt(2_000) - 1_000);
      }
    }
  }

  @Test
  void namesAreValidAndUnique() throws DatasetException {
    assertEquals(
        "checkpoint-20261124-101530.500", CheckpointPolicy.checkpointName(START, name -> false));
    Set<String> taken = Set.of("checkpoint-20261124-101530.500");
    assertEquals(
        "checkpoint-20261124-101530.500-2",
        CheckpointPolicy.checkpointName(START, taken::contains));
    for (String time : new String[] {"1969-12-31T23:59:59.999Z", "+12026-01-01T00:00:00Z"}) {
      Names.requireSnapshot(CheckpointPolicy.checkpointName(Instant.parse(time), name -> false));
    }
  }

  /** What a txg does; gives what it dropped. */
  private List<Instant> commit(CheckpointPolicy policy, Instant now) {
    Optional<Instant> newest =
        checkpoints.isEmpty()
            ? Optional.empty()
            : Optional.of(checkpoints.get(checkpoints.size() - 1));
    if (policy.isDue(now, newest)) {
      checkpoints.add(now);
    }
    List<Instant> surplus = surplus(policy, now);
    checkpoints.removeAll(new HashSet<>(surplus));
    return surplus;
  }

  private List<Instant> surplus(CheckpointPolicy policy, Instant now) {
    return policy.surplus(checkpoints, Function.identity(), now);
  }
}
