package io.cowfs.core.dataset;

import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.dataset.DatasetProperty.Inheritance;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * What sync tasks do with datasets and snapshots. Each method validates everything before it
 * changes anything; a {@link DatasetException} means that nothing was changed. Owned by the sync
 * thread.
 *
 * <p>Common to all: NOT_FOUND for a dataset or snapshot that is not there, EXISTS for a name that
 * is taken, INVALID_NAME and NAME_TOO_LONG for one that cannot be given.
 */
public final class DatasetTasks {
  private final Datasets datasets;
  private final History history;
  private final InstantSource clock;

  /** What a destruction of a dataset takes with it. */
  public enum Recursion {
    /** A dataset with snapshots, or with others below it, is not destroyed. */
    NONE,
    /** They are destroyed too. */
    DESCENDANTS
  }

  DatasetTasks(Datasets datasets, History history, InstantSource clock) {
    this.datasets = datasets;
    this.history = history;
    this.clock = clock;
  }

  /** The first dataset of a new pool. */
  public void createRoot(Map<String, String> properties) throws DatasetException {
    requireAbsent(Names.ROOT_DATASET);
    create(Names.ROOT_DATASET, properties);
  }

  /**
   * A new, empty dataset.
   *
   * @param properties of its own
   * @throws DatasetException also NOT_FOUND for the one above, INVALID_VALUE
   */
  public void createDataset(String name, Map<String, String> properties) throws DatasetException {
    requireNewDataset(name);
    create(name, properties);
  }

  private void create(String name, Map<String, String> properties) throws DatasetException {
    PropertySet own = propertySet(properties);
    requireOfPool(name, properties);
    enter(history.addHead(name, datasets.sync().txg(), clock.instant()), own);
  }

  /** Clone: a writable dataset that begins as a snapshot. Its properties are its own. */
  public void cloneSnapshot(
      String dataset, String snapshot, String name, Map<String, String> properties)
      throws DatasetException {
    DatasetNode origin = requireSnapshot(requireHead(dataset), snapshot);
    requireNewDataset(name);
    PropertySet own = propertySet(properties);
    requireOfPool(name, properties);
    enter(history.clone(origin, name, clock.instant()), own);
  }

  private void enter(DatasetNode head, PropertySet own) {
    if (!own.isEmpty()) {
      history.setProperties(head, own);
    }
    datasets.enter(head);
    datasets.refreshSettings();
  }

  private static void requireOfPool(String dataset, Map<String, String> properties)
      throws DatasetException {
    for (String name : properties.keySet()) {
      boolean ofPool =
          DatasetProperty.find(name)
              .filter(property -> property.inheritance() == Inheritance.POOL)
              .isPresent();
      if (ofPool && !dataset.equals(Names.ROOT_DATASET)) {
        throw new DatasetException(
            Reason.INVALID_NAME,
            "'%s' holds for the whole pool: set it on the pool itself".formatted(name));
      }
    }
  }

  private static PropertySet propertySet(Map<String, String> properties) throws DatasetException {
    PropertySet set = PropertySet.EMPTY;
    for (Map.Entry<String, String> each : properties.entrySet()) {
      set = set.set(NodeKind.HEAD, each.getKey(), each.getValue());
    }
    return set;
  }

  /**
   * Keeps the state of datasets as of this txg under a name, all at one moment.
   *
   * @param properties of the snapshots, such as the schedule that took them
   */
  public void snapshot(List<String> names, String snapshot, PropertySet properties)
      throws DatasetException {
    List<DatasetNode> heads = new ArrayList<>();
    for (String name : new LinkedHashSet<>(names)) {
      DatasetNode head = requireHead(name);
      requireSnapshotAbsent(head, snapshot);
      heads.add(head);
    }
    for (DatasetNode head : heads) {
      DatasetNode taken =
          history.snapshot(
              head, NodeKind.SNAPSHOT, snapshot, datasets.sync().txg(), clock.instant());
      if (!properties.isEmpty()) {
        history.setProperties(taken, properties);
      }
    }
  }

  /**
   * Makes a dataset what it was at a snapshot. What it is now becomes a snapshot too; newer
   * snapshots stay.
   */
  public void rollback(String dataset, String snapshot, String nameForOldHead)
      throws DatasetException {
    DatasetNode head = requireHead(dataset);
    DatasetNode target = requireSnapshot(head, snapshot);
    requireSnapshotAbsent(head, nameForOldHead);
    history.rollback(head, target, nameForOldHead, datasets.sync().txg(), clock.instant());
  }

  /**
   * Makes a dataset what it was at a snapshot, and forgets what it is now. Snapshots stay.
   *
   * @throws DatasetException also BUSY when the dataset is the origin of a clone
   */
  public void rollbackAndDiscard(String dataset, String snapshot) throws IOException {
    DatasetNode head = requireHead(dataset);
    DatasetNode target = requireSnapshot(head, snapshot);
    for (DatasetNode origin : history.snapshots(head.dataset)) {
      for (DatasetNode child : origin.children) {
        if (child.dataset != head.dataset) {
          throw new DatasetException(
              Reason.BUSY,
              "dataset '%s' is the origin of a clone (by its snapshot '%s'); roll back without discarding"
                  .formatted(dataset, origin.name));
        }
      }
    }
    history.rollbackAndDiscard(head, target, datasets.sync().txg(), clock.instant());
  }

  /**
   * Another name for a snapshot. A checkpoint becomes a snapshot by it, an automatic one manual.
   */
  public void renameSnapshot(String dataset, String from, String to) throws DatasetException {
    DatasetNode head = requireHead(dataset);
    DatasetNode snapshot = requireSnapshot(head, from);
    requireSnapshotAbsent(head, to);
    history.renameSnapshot(snapshot, to);
    if (snapshot.properties.schedulePeriod().isPresent()) {
      history.setProperties(snapshot, snapshot.properties.withoutSchedulePeriod());
    }
  }

  /**
   * Another name for a dataset, and with it for all below it.
   *
   * @return the old names of all that were renamed
   * @throws DatasetException also BUSY for the pool's own dataset, INVALID_NAME for a place below
   *     itself
   */
  public List<String> renameDataset(String from, String to) throws DatasetException {
    requireHead(from);
    requireNotRoot(from);
    if (to.startsWith(from + "/")) {
      throw new DatasetException(
          Reason.INVALID_NAME, "dataset '%s' cannot be moved below itself".formatted(from));
    }
    requireNewDataset(to);
    List<String> names = atAndBelow(from);
    for (String name : names) {
      Names.requireDataset(to + name.substring(from.length()));
    }
    for (String name : names) {
      String renamed = to + name.substring(from.length());
      history.renameHead(requireHead(name), renamed);
      datasets.rename(name, renamed);
    }
    datasets.refreshSettings();
    return names;
  }

  /**
   * Destroys snapshots or checkpoints: their names go at once, their space follows.
   *
   * @throws DatasetException also BUSY when one is held
   */
  public void destroySnapshots(String dataset, List<String> names) throws IOException {
    for (DatasetNode snapshot : requireUnheld(dataset, names)) {
      history.destroySnapshot(snapshot);
    }
  }

  /**
   * What the destruction of snapshots would free. Changes nothing.
   *
   * @throws DatasetException as {@link #destroySnapshots}
   */
  public List<Condemned> tryDestroySnapshots(String dataset, List<String> names)
      throws IOException {
    List<Condemned> freed = new ArrayList<>();
    History trial = history.trial(freed::add);
    for (DatasetNode snapshot : requireUnheld(dataset, names)) {
      trial.destroySnapshot(trial.node(snapshot.id));
    }
    return freed;
  }

  private List<DatasetNode> requireUnheld(String dataset, List<String> names)
      throws DatasetException {
    DatasetNode head = requireHead(dataset);
    List<DatasetNode> snapshots = new ArrayList<>();
    for (String name : new LinkedHashSet<>(names)) {
      DatasetNode snapshot = requireSnapshot(head, name);
      requireUnheld(head, snapshot);
      snapshots.add(snapshot);
    }
    return snapshots;
  }

  private static void requireUnheld(DatasetNode head, DatasetNode snapshot)
      throws DatasetException {
    if (!snapshot.properties.holds().isEmpty()) {
      throw new DatasetException(
          Reason.BUSY,
          "snapshot '%s@%s' is held (tag '%s')"
              .formatted(head.name, snapshot.name, snapshot.properties.holds().firstKey()));
    }
  }

  /**
   * Destroys a dataset, which must not be mounted, nor any that goes with it. Clones of its
   * snapshots live on.
   *
   * @return the names of the datasets that went
   * @throws DatasetException also BUSY when it has datasets below it or snapshots that are to stay,
   *     when a snapshot is held, or for the pool's own dataset
   */
  public List<String> destroyDataset(String dataset, Recursion recursion) throws IOException {
    List<DatasetNode> heads = requireDestroyable(dataset, recursion);
    List<String> names = new ArrayList<>();
    for (DatasetNode head : heads) {
      names.add(head.name);
      history.destroyDataset(head);
      datasets.leave(head.name);
    }
    datasets.refreshSettings();
    return names;
  }

  /**
   * What the destruction of a dataset would free. Changes nothing.
   *
   * @throws DatasetException as {@link #destroyDataset}
   */
  public List<Condemned> tryDestroyDataset(String dataset, Recursion recursion) throws IOException {
    List<Condemned> freed = new ArrayList<>();
    History trial = history.trial(freed::add);
    for (DatasetNode head : requireDestroyable(dataset, recursion)) {
      trial.destroyDataset(trial.node(head.id));
    }
    return freed;
  }

  /** The heads that go, those below before those above. */
  private List<DatasetNode> requireDestroyable(String dataset, Recursion recursion)
      throws DatasetException {
    requireHead(dataset);
    requireNotRoot(dataset);
    List<String> names = new ArrayList<>(atAndBelow(dataset));
    names.sort(Comparator.reverseOrder());
    if (recursion == Recursion.NONE && names.size() > 1) {
      throw new DatasetException(
          Reason.BUSY,
          "dataset '%s' has datasets below it, such as '%s'".formatted(dataset, names.get(0)));
    }
    List<DatasetNode> heads = new ArrayList<>();
    for (String name : names) {
      DatasetNode head = requireHead(name);
      heads.add(head);
      for (DatasetNode snapshot : history.snapshots(head.dataset)) {
        if (recursion == Recursion.NONE && snapshot.kind == NodeKind.SNAPSHOT) {
          throw new DatasetException(Reason.BUSY, "dataset '%s' has snapshots".formatted(dataset));
        }
        requireUnheld(head, snapshot);
      }
    }
    return heads;
  }

  /** Keeps a snapshot from being destroyed, until the tag is released. Also EXISTS for the tag. */
  public void hold(String dataset, String snapshot, String tag) throws DatasetException {
    DatasetNode node = requireSnapshot(requireHead(dataset), snapshot);
    history.setProperties(node, node.properties.withHold(tag, clock.instant()));
  }

  /** Releases a tag. Also NOT_FOUND for the tag. */
  public void release(String dataset, String snapshot, String tag) throws DatasetException {
    DatasetNode node = requireSnapshot(requireHead(dataset), snapshot);
    history.setProperties(node, node.properties.withoutHold(tag));
  }

  /**
   * Sets properties of a dataset or a snapshot, all or none.
   *
   * @param snapshot null for the dataset
   * @throws DatasetException also INVALID_VALUE
   */
  public void setProperties(String dataset, String snapshot, Map<String, String> values)
      throws DatasetException {
    DatasetNode node = requireNode(dataset, snapshot);
    PropertySet changed = node.properties;
    for (Map.Entry<String, String> each : values.entrySet()) {
      changed = changed.set(node.kind, each.getKey(), each.getValue());
    }
    requireOfPool(dataset, values);
    history.setProperties(node, changed);
    datasets.refreshSettings();
  }

  /** Forgets a local value, if there is one. */
  public void inheritProperty(String dataset, String snapshot, String name)
      throws DatasetException {
    DatasetNode node = requireNode(dataset, snapshot);
    history.setProperties(node, node.properties.inherit(node.kind, name));
    datasets.refreshSettings();
  }

  private DatasetNode requireNode(String dataset, String snapshot) throws DatasetException {
    DatasetNode head = requireHead(dataset);
    return snapshot == null ? head : requireSnapshot(head, snapshot);
  }

  /** The names of a dataset and all below it, ascending. */
  public List<String> atAndBelow(String dataset) {
    return datasets.heads().stream()
        .map(DatasetHead::name)
        .filter(name -> name.equals(dataset) || name.startsWith(dataset + "/"))
        .sorted()
        .toList();
  }

  private DatasetNode requireHead(String dataset) throws DatasetException {
    return datasets.head(dataset).node();
  }

  private void requireNewDataset(String name) throws DatasetException {
    Names.requireDataset(name);
    requireAbsent(name);
    String above = Names.parentOf(name);
    if (!above.isEmpty()) {
      requireHead(above);
    }
  }

  private void requireAbsent(String dataset) throws DatasetException {
    if (datasets.heads().stream().anyMatch(head -> head.name().equals(dataset))) {
      throw new DatasetException(Reason.EXISTS, "dataset '%s' exists already".formatted(dataset));
    }
  }

  private static void requireNotRoot(String dataset) throws DatasetException {
    if (dataset.equals(Names.ROOT_DATASET)) {
      throw new DatasetException(
          Reason.BUSY, "dataset '%s' is the pool's own and stays".formatted(dataset));
    }
  }

  private void requireSnapshotAbsent(DatasetNode head, String name) throws DatasetException {
    Names.requireNewSnapshot(name);
    if (history.snapshot(head.dataset, name) != null) {
      throw new DatasetException(
          Reason.EXISTS, "snapshot '%s@%s' exists already".formatted(head.name, name));
    }
  }

  private DatasetNode requireSnapshot(DatasetNode head, String name) throws DatasetException {
    Names.requireSnapshot(name);
    DatasetNode snapshot = history.snapshot(head.dataset, name);
    if (snapshot == null) {
      throw Datasets.notFound("snapshot", head.name + "@" + name);
    }
    return snapshot;
  }
}
