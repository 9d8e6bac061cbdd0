package io.cowfs.core.dataset;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.cowfs.core.dataset.DatasetException.Reason;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What one dataset or snapshot itself says: values that it inherits are not in here. Immutable;
 * each change gives another set, and one that fails leaves this one as it is.
 *
 * <p>Three kinds of names: those of {@link DatasetProperty}; {@code user:KEY}, to which users give
 * a meaning; and internal ones, which only the methods here for holds and schedules change: {@code
 * hold:TAG} with the time of the hold, and {@code cowfs:schedule} with the period of an automatic
 * snapshot. All values are in their normal form.
 */
public final class PropertySet {
  public static final PropertySet EMPTY = new PropertySet(new TreeMap<>());

  static final int MAX_ENTRIES = 1_024;

  /** Of the encoded form, see {@link PropertySetFormat}. */
  static final int MAX_BYTES = 64 << 10;

  private static final String HOLD = "hold:";
  private static final String SCHEDULE = "cowfs:schedule";

  private final SortedMap<String, String> values;

  private PropertySet(SortedMap<String, String> values) {
    this.values = Collections.unmodifiableSortedMap(values);
  }

  /**
   * A set with these values, as they were stored. Names that this version does not know are kept if
   * their form is right.
   *
   * @throws DatasetException when a name or value is not as it should be, or there are too many
   */
  static PropertySet of(SortedMap<String, String> values) throws DatasetException {
    for (Map.Entry<String, String> entry : values.entrySet()) {
      requireStored(entry.getKey(), entry.getValue());
    }
    return bounded(new TreeMap<>(values));
  }

  private static void requireStored(String name, String value) throws DatasetException {
    PropertyText.requireName(name);
    PropertyText.requireValue(name, value);
    Optional<DatasetProperty> known = DatasetProperty.find(name);
    if (known.isPresent()) {
      known.get().normalise(value);
    }
    boolean valid =
        (!name.equals(SCHEDULE) || SchedulePeriod.find(value).isPresent())
            && (!name.startsWith(HOLD) || isHold(name, value));
    if (!valid) {
      throw new DatasetException(Reason.INVALID_VALUE, "'%s' has a wrong value".formatted(name));
    }
  }

  private static boolean isHold(String name, String value) throws DatasetException {
    requireTag(name.substring(HOLD.length()));
    try {
      Instant.parse(value);
      return true;
    } catch (DateTimeException e) {
      return false;
    }
  }

  // ---- what users set

  /**
   * The set after {@code cowfs set}.
   *
   * @param kind of the node that the set belongs to
   * @throws DatasetException INVALID_NAME, NAME_TOO_LONG for a name that cannot be set there;
   *     INVALID_VALUE also when the set would become too large
   */
  public PropertySet set(NodeKind kind, String name, String value) throws DatasetException {
    Optional<DatasetProperty> known = requireSettable(kind, name);
    if (known.isPresent()) {
      return with(name, known.get().normalise(value));
    }
    PropertyText.requireValue(name, value);
    return with(name, value);
  }

  /**
   * The set after {@code cowfs inherit}: the node's own value goes, if it has one.
   *
   * @throws DatasetException INVALID_NAME, NAME_TOO_LONG
   */
  public PropertySet inherit(NodeKind kind, String name) throws DatasetException {
    requireSettable(kind, name);
    return without(name);
  }

  private static Optional<DatasetProperty> requireSettable(NodeKind kind, String name)
      throws DatasetException {
    PropertyText.requireName(name);
    if (PropertyText.isUser(name)) {
      return Optional.empty();
    }
    DatasetProperty property = requireKnown(name);
    if (kind != NodeKind.HEAD) {
      throw new DatasetException(
          Reason.INVALID_NAME,
          "'%s' can be set on datasets only, not on snapshots".formatted(name));
    }
    return Optional.of(property);
  }

  static DatasetProperty requireKnown(String name) throws DatasetException {
    return DatasetProperty.find(name)
        .orElseThrow(
            () ->
                new DatasetException(
                    Reason.INVALID_NAME,
                    "there is no property '%s'; names of your own begin with '%s'"
                        .formatted(Names.printable(name), PropertyText.USER)));
  }

  // ---- holds

  /**
   * The set of a snapshot with one more hold.
   *
   * @throws DatasetException INVALID_NAME, NAME_TOO_LONG for the tag; EXISTS
   */
  public PropertySet withHold(String tag, Instant now) throws DatasetException {
    requireTag(tag);
    if (values.containsKey(HOLD + tag)) {
      throw new DatasetException(Reason.EXISTS, "there is a hold '%s' already".formatted(tag));
    }
    return with(HOLD + tag, now.toString());
  }

  /**
   * The set of a snapshot without a hold.
   *
   * @throws DatasetException INVALID_NAME, NAME_TOO_LONG for the tag; NOT_FOUND
   */
  public PropertySet withoutHold(String tag) throws DatasetException {
    requireTag(tag);
    if (!values.containsKey(HOLD + tag)) {
      throw new DatasetException(Reason.NOT_FOUND, "there is no hold '%s'".formatted(tag));
    }
    return without(HOLD + tag);
  }

  /** The time of each hold by its tag, in the order of tags. */
  public SortedMap<String, Instant> holds() {
    SortedMap<String, Instant> holds = new TreeMap<>();
    for (Map.Entry<String, String> entry : values.tailMap(HOLD).entrySet()) {
      if (!entry.getKey().startsWith(HOLD)) {
        break;
      }
      holds.put(entry.getKey().substring(HOLD.length()), Instant.parse(entry.getValue()));
    }
    return holds;
  }

  private static void requireTag(String tag) throws DatasetException {
    Names.requireComponent("hold", tag);
    if (tag.length() > Names.MAX_LENGTH - HOLD.length()) {
      throw new DatasetException(
          Reason.NAME_TOO_LONG,
          "the tag is %d characters long; at most %d are allowed"
              .formatted(tag.length(), Names.MAX_LENGTH - HOLD.length()));
    }
  }

  // ---- automatic snapshots

  /** The set of a snapshot that a schedule takes. */
  public PropertySet withSchedulePeriod(SchedulePeriod period) throws DatasetException {
    return with(SCHEDULE, period.text());
  }

  /** The set of a snapshot that is to stay as if the user had taken it, as after a rename. */
  public PropertySet withoutSchedulePeriod() {
    return without(SCHEDULE);
  }

  /** Of a snapshot that a schedule took. */
  public Optional<SchedulePeriod> schedulePeriod() {
    return get(SCHEDULE).flatMap(SchedulePeriod::find);
  }

  // ---- the map

  /** The node's own value. */
  public Optional<String> get(String name) {
    return Optional.ofNullable(values.get(name));
  }

  public boolean isEmpty() {
    return values.isEmpty();
  }

  /** The names that users gave, ascending. */
  public List<String> userNames() {
    return values.keySet().stream().filter(PropertyText::isUser).toList();
  }

  /** All values by name, ascending; internal ones too. */
  SortedMap<String, String> values() {
    return values;
  }

  private PropertySet with(String name, String value) throws DatasetException {
    SortedMap<String, String> changed = new TreeMap<>(values);
    changed.put(name, value);
    return bounded(changed);
  }

  private PropertySet without(String name) {
    if (!values.containsKey(name)) {
      return this;
    }
    SortedMap<String, String> changed = new TreeMap<>(values);
    changed.remove(name);
    return new PropertySet(changed);
  }

  private static PropertySet bounded(SortedMap<String, String> values) throws DatasetException {
    int bytes = 0;
    for (Map.Entry<String, String> entry : values.entrySet()) {
      int valueBytes = entry.getValue().getBytes(UTF_8).length;
      bytes += PropertySetFormat.entryBytes(entry.getKey().length(), valueBytes);
    }
    if (values.size() > MAX_ENTRIES) {
      throw new DatasetException(
          Reason.INVALID_VALUE,
          "there are more than %d properties and holds".formatted(MAX_ENTRIES));
    }
    if (bytes > MAX_BYTES) {
      throw new DatasetException(
          Reason.INVALID_VALUE,
          "the properties and holds need %d bytes; there is room for %d"
              .formatted(bytes, MAX_BYTES));
    }
    return new PropertySet(values);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PropertySet set && values.equals(set.values);
  }

  @Override
  public int hashCode() {
    return values.hashCode();
  }

  @Override
  public String toString() {
    return values.toString();
  }
}
