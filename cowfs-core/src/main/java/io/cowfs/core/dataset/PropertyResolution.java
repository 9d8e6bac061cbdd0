package io.cowfs.core.dataset;

import io.cowfs.core.dataset.DatasetProperty.Inheritance;
import io.cowfs.core.dataset.DatasetSettings.AccessTime;
import io.cowfs.core.dataset.DatasetSettings.Snapdir;
import io.cowfs.core.dataset.EffectiveProperty.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * Which values are in force for one dataset or snapshot. A dataset {@code a/b/c} inherits from
 * {@code a/b}, then {@code a}, then {@code root}; a snapshot has user properties only, and inherits
 * them from its dataset. Immutable; it shows what the sets said when it was made.
 */
public final class PropertyResolution {
  private final NodeKind kind;

  /** The node itself first, then what it inherits from, nearest first. */
  private final List<Level> levels;

  private record Level(String dataset, PropertySet own) {}

  private PropertyResolution(NodeKind kind, List<Level> levels) {
    this.kind = kind;
    this.levels = List.copyOf(levels);
  }

  /**
   * For a dataset.
   *
   * @param sets the values of a dataset by its name; asked for this one and those above it
   */
  public static PropertyResolution ofDataset(String dataset, Function<String, PropertySet> sets) {
    return new PropertyResolution(NodeKind.HEAD, levels(dataset, sets));
  }

  /**
   * For a snapshot.
   *
   * @param dataset that it is listed under
   * @param own what is set on the snapshot itself
   * @param sets as for a dataset
   */
  public static PropertyResolution ofSnapshot(
      String dataset, PropertySet own, Function<String, PropertySet> sets) {
    List<Level> levels = new ArrayList<>();
    levels.add(new Level("", own));
    levels.addAll(levels(dataset, sets));
    return new PropertyResolution(NodeKind.SNAPSHOT, levels);
  }

  private static List<Level> levels(String dataset, Function<String, PropertySet> sets) {
    List<Level> levels = new ArrayList<>();
    String last = "";
    for (String name = dataset; !name.isEmpty(); name = Names.parentOf(name)) {
      levels.add(new Level(name, sets.apply(name)));
      last = name;
    }
    if (!last.equals(Names.ROOT_DATASET)) {
      levels.add(new Level(Names.ROOT_DATASET, sets.apply(Names.ROOT_DATASET)));
    }
    return levels;
  }

  /**
   * One property by its name.
   *
   * @return empty for a user property that is set nowhere
   * @throws DatasetException INVALID_NAME for one that does not exist or that a snapshot cannot
   *     have, NAME_TOO_LONG
   */
  public Optional<EffectiveProperty> get(String name) throws DatasetException {
    PropertyText.requireName(name);
    if (PropertyText.isUser(name)) {
      return find(name, Inheritance.FROM_ABOVE);
    }
    DatasetProperty property = PropertySet.requireKnown(name);
    if (kind != NodeKind.HEAD) {
      throw new DatasetException(
          DatasetException.Reason.INVALID_NAME,
          "'%s' is a property of datasets, not of snapshots".formatted(name));
    }
    return Optional.of(effective(property));
  }

  /** All that {@code cowfs get} shows: cowfs' own properties, then those of users by name. */
  public List<EffectiveProperty> all() {
    List<EffectiveProperty> all = new ArrayList<>();
    if (kind == NodeKind.HEAD) {
      for (DatasetProperty property : DatasetProperty.values()) {
        all.add(effective(property));
      }
    }
    SortedSet<String> userNames = new TreeSet<>();
    levels.forEach(level -> userNames.addAll(level.own().userNames()));
    for (String name : userNames) {
      find(name, Inheritance.FROM_ABOVE).ifPresent(all::add);
    }
    return all;
  }

  /** The properties of a dataset as values to work with. */
  public DatasetSettings settings() {
    String mountpoint = value(DatasetProperty.MOUNTPOINT);
    return new DatasetSettings(
        DatasetProperty.compression(value(DatasetProperty.COMPRESSION)),
        Integer.parseInt(value(DatasetProperty.COPIES)),
        sizeOrNone(DatasetProperty.QUOTA),
        value(DatasetProperty.READONLY).equals("on"),
        Snapdir.valueOf(value(DatasetProperty.SNAPDIR).toUpperCase(Locale.ROOT)),
        AccessTime.valueOf(value(DatasetProperty.ATIME).toUpperCase(Locale.ROOT)),
        CheckpointPolicy.parse(value(DatasetProperty.CHECKPOINTS)),
        SnapshotSchedule.parse(value(DatasetProperty.SNAPSHOT_SCHEDULE)),
        mountpoint.equals(DatasetProperty.NONE) ? Optional.empty() : Optional.of(mountpoint),
        sizeOrNone(DatasetProperty.SCRUB_RATE),
        sizeOrNone(DatasetProperty.DEFRAG_RATE),
        numberOrOff(DatasetProperty.DEFRAG_BACKGROUND));
  }

  private OptionalLong sizeOrNone(DatasetProperty property) {
    String value = value(property);
    return value.equals(DatasetProperty.NONE)
        ? OptionalLong.empty()
        : OptionalLong.of(ByteSize.parse(value));
  }

  private OptionalInt numberOrOff(DatasetProperty property) {
    String value = value(property);
    return value.equals(DatasetProperty.OFF)
        ? OptionalInt.empty()
        : OptionalInt.of(Integer.parseInt(value));
  }

  private String value(DatasetProperty property) {
    return effective(property).value();
  }

  /** A property of a dataset. */
  public EffectiveProperty effective(DatasetProperty property) {
    if (kind != NodeKind.HEAD) {
      throw new IllegalStateException("a snapshot has no " + property);
    }
    return find(property.text(), property.inheritance())
        .orElseGet(
            () -> new EffectiveProperty(property.text(), property.defaultValue(), Source.DEFAULT));
  }

  private Optional<EffectiveProperty> find(String name, Inheritance inheritance) {
    int reach = inheritance == Inheritance.NONE ? 1 : levels.size();
    for (int i = 0; i < reach; i++) {
      Level level = levels.get(i);
      Optional<String> value = level.own().get(name);
      if (value.isPresent()) {
        Source source = i == 0 ? Source.LOCAL : Source.inherited(level.dataset());
        return Optional.of(new EffectiveProperty(name, value.get(), source));
      }
    }
    return Optional.empty();
  }
}
