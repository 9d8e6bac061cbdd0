package io.cowfs.core.dataset;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException.Reason;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The properties that cowfs itself knows. They are set on datasets, not on snapshots. What each
 * means for a dataset is said at {@link DatasetSettings}.
 */
public enum DatasetProperty {
  COMPRESSION("compression", Inheritance.FROM_ABOVE, "lz4", "none, lz4, zstd, zstd-1 to zstd-19"),
  COPIES("copies", Inheritance.FROM_ABOVE, "1", "1, 2, 3: how often new data is stored"),
  QUOTA("quota", Inheritance.NONE, "none", "none, or a size such as 10G"),
  READONLY("readonly", Inheritance.FROM_ABOVE, "off", "on, off"),
  SNAPDIR("snapdir", Inheritance.FROM_ABOVE, "hidden", "hidden, visible"),
  ATIME("atime", Inheritance.FROM_ABOVE, "relatime", "relatime, on, off"),
  CHECKPOINTS(
      "checkpoints", Inheritance.FROM_ABOVE, "on", "on, off, or INTERVAL:AGE such as 5s:1m"),
  SNAPSHOT_SCHEDULE(
      "snapshot.schedule",
      Inheritance.FROM_ABOVE,
      "none",
      "none, or such as \"hourly:24 daily:30\""),
  MOUNTPOINT("mountpoint", Inheritance.NONE, "none", "none, or an absolute path"),
  SCRUB_RATE("scrub.rate", Inheritance.POOL, "none", "none, or bytes per second such as 50M"),
  DEFRAG_RATE("defrag.rate", Inheritance.POOL, "none", "none, or bytes per second such as 50M"),
  DEFRAG_BACKGROUND(
      "defrag.background", Inheritance.POOL, "off", "off, or surplus runs per MiB such as 4");

  static final String NONE = "none";
  static final String OFF = "off";

  /** One run for each sector of a mebibyte. */
  private static final int SURPLUS_RUNS_MAX = 256;

  /** Whether a dataset that does not say otherwise has the value of the one above it. */
  public enum Inheritance {
    FROM_ABOVE,
    NONE,
    /** Only the pool's own dataset has one, and it holds for all. */
    POOL
  }

  private final String text;
  private final Inheritance inheritance;
  private final String defaultValue;
  private final String choices;

  DatasetProperty(String text, Inheritance inheritance, String defaultValue, String choices) {
    this.text = text;
    this.inheritance = inheritance;
    this.defaultValue = defaultValue;
    this.choices = choices;
  }

  /** The property of this name. */
  public static Optional<DatasetProperty> find(String text) {
    return Arrays.stream(values()).filter(property -> property.text.equals(text)).findFirst();
  }

  /** The name that users write. */
  public String text() {
    return text;
  }

  public Inheritance inheritance() {
    return inheritance;
  }

  /** In its normal form. */
  public String defaultValue() {
    return defaultValue;
  }

  /** What it can be set to, in a few words for users. */
  public String choices() {
    return choices;
  }

  /**
   * The one form of a value: sizes in the largest unit that is exact, schedules in order, paths
   * without needless slashes. Normalising it again changes nothing.
   *
   * @throws DatasetException INVALID_VALUE with one line that says what to write instead
   */
  public String normalise(String value) throws DatasetException {
    PropertyText.requireValue(text, value);
    String normal;
    try {
      normal = normalForm(value);
    } catch (IllegalArgumentException e) {
      throw new DatasetException(Reason.INVALID_VALUE, text + ": " + e.getMessage());
    }
    PropertyText.requireValue(text, normal);
    return normal;
  }

  /** IllegalArgumentException has a line for the user. */
  private String normalForm(String value) {
    return switch (this) {
      case COMPRESSION -> compression(value).toString();
      case COPIES -> requireOneOf(value, "1", "2", "3");
      case QUOTA -> value.equals(NONE) ? NONE : ByteSize.exact(ByteSize.parse(value));
      case READONLY -> requireOneOf(value, "on", "off");
      case SNAPDIR -> requireOneOf(value, "hidden", "visible");
      case ATIME -> requireOneOf(value, "relatime", "on", "off");
      case CHECKPOINTS -> CheckpointPolicy.parse(value).toString();
      case SNAPSHOT_SCHEDULE -> SnapshotSchedule.parse(value).toString();
      case MOUNTPOINT -> mountpointText(value);
      case DEFRAG_BACKGROUND -> value.equals(OFF) ? OFF : Integer.toString(surplusRuns(value));
      case SCRUB_RATE, DEFRAG_RATE ->
          value.equals(NONE) ? NONE : ByteSize.exact(ByteSize.parse(value));
    };
  }

  private static int surplusRuns(String value) {
    boolean isNumber = value.matches("[0-9]{1,4}");
    int runs = isNumber ? Integer.parseInt(value) : 0;
    if (runs < 1 || runs > SURPLUS_RUNS_MAX) {
      throw new IllegalArgumentException(
          "use off or a number from 1 to %d, not '%s'"
              .formatted(SURPLUS_RUNS_MAX, Names.printable(value)));
    }
    return runs;
  }

  private static String requireOneOf(String value, String... choices) {
    List<String> allowed = List.of(choices);
    if (!allowed.contains(value)) {
      int last = allowed.size() - 1;
      throw new IllegalArgumentException(
          "use %s or %s, not '%s'"
              .formatted(
                  String.join(", ", allowed.subList(0, last)),
                  allowed.get(last),
                  Names.printable(value)));
    }
    return value;
  }

  private static String mountpointText(String text) {
    if (text.equals(NONE)) {
      return NONE;
    }
    if (!text.startsWith("/")) {
      throw new IllegalArgumentException(
          "use none or an absolute path, not '%s'".formatted(Names.printable(text)));
    }
    StringBuilder path = new StringBuilder();
    for (String component : text.split("/", -1)) {
      if (component.equals(".") || component.equals("..")) {
        throw new IllegalArgumentException("the path may not contain '%s'".formatted(component));
      }
      if (!component.isEmpty()) {
        path.append('/').append(component);
      }
    }
    if (path.isEmpty()) {
      throw new IllegalArgumentException("nothing can be mounted on '/'");
    }
    return path.toString();
  }

  /** Like {@link CompressionSetting#parse}, but knows that "off" is what others call "none". */
  static CompressionSetting compression(String text) {
    return text.equals("off") ? CompressionSetting.NONE : CompressionSetting.parse(text);
  }
}
