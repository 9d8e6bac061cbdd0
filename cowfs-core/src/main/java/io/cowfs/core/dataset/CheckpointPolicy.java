package io.cowfs.core.dataset;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which past states of a dataset are kept without being asked for: "on", "off", or windows such as
 * "1s:1m 1m:1h": one for each second of the last minute, then one for each minute of the last hour.
 * Immutable.
 *
 * <p><b>Thinning.</b> The time line is cut into slots of a window's interval, counted from 1970,
 * and the first checkpoint of a slot is the one that stays. It is also the first of its slot to
 * grow older than a window, so it is chosen before those after it are judged, and no later decision
 * changes that.
 */
public final class CheckpointPolicy {
  /** No checkpoints; those that are there go. */
  public static final CheckpointPolicy OFF = new CheckpointPolicy(List.of());

  /** The commits of the last minute, then one for each minute of the last hour. */
  public static final CheckpointPolicy ON =
      new CheckpointPolicy(
          List.of(
              new Window(Duration.ofSeconds(1), Duration.ofMinutes(1)),
              new Window(Duration.ofMinutes(1), Duration.ofHours(1))));

  static final int MAX_WINDOWS = 4;
  static final int MAX_CHECKPOINTS = 1_000;
  static final Duration MAX_AGE = Duration.ofDays(366);

  private static final String SYNTAX = "use on, off, or INTERVAL:AGE pairs such as '1s:1m 1m:1h'";
  private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})([smhd])");
  private static final String UNITS = "smhd";
  private static final long[] UNIT_SECONDS = {1, 60, 3_600, 86_400};

  private final List<Window> windows;

  /**
   * One checkpoint per interval up to an age. Both in whole seconds; a window ends where the next
   * one begins.
   */
  private record Window(Duration interval, Duration age) {
    /** The number of the slot that a time is in. */
    long slot(Instant time) {
      return Math.floorDiv(time.getEpochSecond(), interval.toSeconds());
    }

    @Override
    public String toString() {
      return text(interval) + ":" + text(age);
    }
  }

  private CheckpointPolicy(List<Window> windows) {
    this.windows = List.copyOf(windows);
  }

  /**
   * Reads "on", "off", or INTERVAL:AGE one to four times, both longer each time.
   *
   * @throws IllegalArgumentException with one line for the user
   */
  public static CheckpointPolicy parse(String text) {
    String stripped = text.strip();
    if (stripped.equals("on")) {
      return ON;
    }
    if (stripped.equals("off")) {
      return OFF;
    }
    List<Window> windows = new ArrayList<>();
    for (String item : stripped.split(" +", -1)) {
      Window window = window(item);
      if (windows.size() == MAX_WINDOWS) {
        throw new IllegalArgumentException(
            "there are more than %d INTERVAL:AGE pairs".formatted(MAX_WINDOWS));
      }
      if (!windows.isEmpty()) {
        requireLonger(windows.get(windows.size() - 1), window);
      }
      windows.add(window);
    }
    CheckpointPolicy policy = new CheckpointPolicy(windows);
    if (policy.slots() > MAX_CHECKPOINTS) {
      throw new IllegalArgumentException(
          "'%s' may keep %d checkpoints; at most %d are allowed"
              .formatted(policy, policy.slots(), MAX_CHECKPOINTS));
    }
    return policy;
  }

  private static Window window(String item) {
    String[] pair = item.split(":", -1);
    if (pair.length != 2) {
      throw new IllegalArgumentException(
          "'%s' is no INTERVAL:AGE; %s".formatted(Names.printable(item), SYNTAX));
    }
    Window window = new Window(duration(pair[0]), duration(pair[1]));
    if (window.age().compareTo(window.interval()) < 0) {
      throw new IllegalArgumentException("in '%s' the age is below the interval".formatted(window));
    }
    return window;
  }

  private static Duration duration(String text) {
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'%s' is no time such as 10s, 5m, 1h or 7d".formatted(Names.printable(text)));
    }
    long unitSeconds = UNIT_SECONDS[UNITS.indexOf(matcher.group(2))];
    Duration duration = Duration.ofSeconds(Long.parseLong(matcher.group(1)) * unitSeconds);
    if (duration.isZero() || duration.compareTo(MAX_AGE) > 0) {
      throw new IllegalArgumentException(
          "'%s' is out of range: use 1s to %s".formatted(text, text(MAX_AGE)));
    }
    return duration;
  }

  private static void requireLonger(Window before, Window window) {
    if (window.interval().compareTo(before.interval()) <= 0
        || window.age().compareTo(before.age()) <= 0) {
      throw new IllegalArgumentException(
          "the interval and age of '%s' must be longer than those of '%s'"
              .formatted(window, before));
    }
  }

  /** Without checkpoints. */
  public boolean isOff() {
    return windows.isEmpty();
  }

  /** A bound on the checkpoints that are there after thinning. */
  public int maxCheckpoints() {
    return Math.toIntExact(slots());
  }

  /** In each window one more than it has intervals: it has a part of its first and last slot. */
  private long slots() {
    long slots = 0;
    Duration from = Duration.ZERO;
    for (Window window : windows) {
      long seconds = window.age().minus(from).toSeconds();
      long interval = window.interval().toSeconds();
      slots += (seconds + interval - 1) / interval + 1;
      from = window.age();
    }
    return slots;
  }

  /**
   * Whether a commit becomes a checkpoint: when it is the first of its slot. A clock set back
   * changes the slot as well.
   *
   * @param newest the checkpoint taken last; empty where there is none
   */
  public boolean isDue(Instant commit, Optional<Instant> newest) {
    if (isOff()) {
      return false;
    }
    Window window = windows.get(0);
    return newest.isEmpty() || window.slot(commit) != window.slot(newest.get());
  }

  /**
   * The checkpoints to drop: in each window all but the first of a slot, all that are older than
   * the last window, and the oldest beyond {@link #maxCheckpoints}. In time linear in their number.
   *
   * @param checkpoints from old to new, in the order of their txgs. Where the clock was set back,
   *     times go back too: those that are ahead of {@code now} are new, and leave at the latest
   *     when the bound on the number is met.
   * @param time of a checkpoint's commit
   * @return oldest first
   */
  public <T> List<T> surplus(List<T> checkpoints, Function<T, Instant> time, Instant now) {
    BitSet kept = new BitSet(checkpoints.size());
    Instant lastKept = null;
    for (int i = 0; i < checkpoints.size(); i++) {
      Instant taken = time.apply(checkpoints.get(i));
      Optional<Window> window = windowAt(Duration.between(taken, now));
      if (window.isPresent() && (lastKept == null || !isSameSlot(window.get(), lastKept, taken))) {
        kept.set(i);
        lastKept = taken;
      }
    }
    for (int over = kept.cardinality() - maxCheckpoints(); over > 0; over--) {
      kept.clear(kept.nextSetBit(0));
    }
    List<T> surplus = new ArrayList<>();
    for (int i = kept.nextClearBit(0); i < checkpoints.size(); i = kept.nextClearBit(i + 1)) {
      surplus.add(checkpoints.get(i));
    }
    return surplus;
  }

  private static boolean isSameSlot(Window window, Instant a, Instant b) {
    return window.slot(a) == window.slot(b);
  }

  /** The first window that reaches back so far; empty when none does. */
  private Optional<Window> windowAt(Duration age) {
    for (Window window : windows) {
      if (age.compareTo(window.age()) <= 0) {
        return Optional.of(window);
      }
    }
    return Optional.empty();
  }

  /**
   * The name of the checkpoint of a commit, in UTC: {@code checkpoint-20261124-101500.123}.
   *
   * @param taken tells whether a snapshot of the dataset has a name
   */
  public static String checkpointName(Instant commit, Predicate<String> taken) {
    LocalDateTime utc = LocalDateTime.ofInstant(commit, ZoneOffset.UTC);
    String name =
        "checkpoint-%04d%02d%02d-%02d%02d%02d.%03d"
            .formatted(
                utc.getYear(),
                utc.getMonthValue(),
                utc.getDayOfMonth(),
                utc.getHour(),
                utc.getMinute(),
                utc.getSecond(),
                utc.getNano() / 1_000_000);
    return Names.unique(name, taken);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CheckpointPolicy policy && windows.equals(policy.windows);
  }

  @Override
  public int hashCode() {
    return windows.hashCode();
  }

  /** The form that {@link #parse} reads. */
  @Override
  public String toString() {
    if (isOff()) {
      return "off";
    }
    return windows.equals(ON.windows)
        ? "on"
        : windows.stream().map(Window::toString).collect(Collectors.joining(" "));
  }

  /** In the longest unit that needs no fraction. */
  private static String text(Duration duration) {
    long seconds = duration.toSeconds();
    int unit = UNIT_SECONDS.length - 1;
    while (seconds % UNIT_SECONDS[unit] != 0) {
      unit--;
    }
    return seconds / UNIT_SECONDS[unit] + UNITS.substring(unit, unit + 1);
  }
}
