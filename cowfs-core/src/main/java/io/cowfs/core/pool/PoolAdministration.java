package io.cowfs.core.pool;

import io.cowfs.core.alloc.SpaceStatus;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.dataset.Condemned;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.dataset.DatasetTasks;
import io.cowfs.core.dataset.DatasetTasks.Recursion;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.dataset.EffectiveProperty;
import io.cowfs.core.dataset.Names;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.dataset.PropertySet;
import io.cowfs.core.dataset.SnapshotSelection;
import io.cowfs.core.fs.SourceTree;
import io.cowfs.core.fs.Volume;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.txg.SyncTask;
import io.cowfs.core.txg.SyncTask.TaskRefusedException;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What is done with the datasets and snapshots of an open pool. Each operation is one sync task: it
 * is durable when the method returns, and what fails has changed nothing. One at a time (the pool
 * is their lock); only what a front end is told of a dataset that went back is told beside others.
 *
 * <p>Errors are one line fit for a user. Common to all: {@link DatasetException} with NOT_FOUND for
 * a dataset or snapshot that is not there, EXISTS for a name that is taken, INVALID_NAME and
 * NAME_TOO_LONG for one that cannot be given; BUSY where something is mounted, held, or needed.
 */
public final class PoolAdministration {
  private static final DateTimeFormatter KEPT_NAME =
      DateTimeFormatter.ofPattern("'before-rollback-'yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

  private final Pool pool;
  private final Datasets datasets;
  private final TransactionGroups txgs;
  private final Clock clock;

  /**
   * Held from when a dataset goes back until its front end has been told: what is not told yet
   * counts as not settled. Taken before the pool's lock.
   */
  private final ReentrantLock goingBack = new ReentrantLock();

  /** Whether an operation is carried out, or only says what it would do. */
  public enum Mode {
    EXECUTE,
    DRY_RUN
  }

  /** How far an operation reaches. */
  public enum Scope {
    ONE,
    WITH_DESCENDANTS
  }

  PoolAdministration(Pool pool, Datasets datasets, TransactionGroups txgs, Clock clock) {
    this.pool = pool;
    this.datasets = datasets;
    this.txgs = txgs;
    this.clock = clock;
  }

  // ---- datasets

  void createRoot(Map<String, String> properties) throws IOException {
    run(tasks -> tasks.createRoot(properties));
  }

  /**
   * A new, empty dataset; the one above it exists.
   *
   * @param properties of its own
   */
  public void createDataset(String name, Map<String, String> properties) throws IOException {
    run(tasks -> tasks.createDataset(name, properties));
  }

  /** A new dataset that begins as a snapshot, and shares everything with it. */
  public void cloneSnapshot(
      String dataset, String snapshot, String newDataset, Map<String, String> properties)
      throws IOException {
    run(tasks -> tasks.cloneSnapshot(dataset, snapshot, newDataset, properties));
  }

  /** Another name for a dataset and all below it, none of which may be mounted. */
  public void renameDataset(String from, String to) throws IOException {
    synchronized (pool) {
      requireNotOpen(datasets.tasks().atAndBelow(from));
      run(tasks -> tasks.renameDataset(from, to));
    }
  }

  /**
   * Destroys a dataset with its checkpoints, which is not mounted; with its descendants also its
   * snapshots and all datasets below it. Clones of its snapshots live on.
   */
  public Destruction destroyDataset(String dataset, Scope scope, Mode mode) throws IOException {
    Recursion recursion = scope == Scope.ONE ? Recursion.NONE : Recursion.DESCENDANTS;
    synchronized (pool) {
      requireNotOpen(datasets.tasks().atAndBelow(dataset));
      List<String> names = new ArrayList<>();
      for (String name : datasets.tasks().atAndBelow(dataset)) {
        names.add(name);
        for (NodeRecord snapshot : datasets.snapshots(name)) {
          names.add(name + "@" + snapshot.name());
        }
      }
      return destroy(
          names,
          mode,
          tasks -> tasks.tryDestroyDataset(dataset, recursion),
          tasks -> tasks.destroyDataset(dataset, recursion));
    }
  }

  private void requireNotOpen(List<String> names) throws IOException {
    for (String name : names) {
      pool.takeBack(name);
      if (pool.openVolume(name).isPresent()) {
        throw new DatasetException(Reason.BUSY, "dataset '" + name + "' is mounted");
      }
    }
  }

  // ---- snapshots

  /**
   * Keeps the state of a dataset, or of it and all below it at one moment: everything that was
   * written before the call.
   */
  public void snapshot(String dataset, String name, Scope scope) throws IOException {
    run(
        tasks ->
            tasks.snapshot(
                scope == Scope.ONE ? List.of(dataset) : atAndBelow(tasks, dataset),
                name,
                PropertySet.EMPTY));
  }

  /** Everything is below the pool's own dataset, from which all others inherit. */
  private List<String> atAndBelow(DatasetTasks tasks, String dataset) {
    if (dataset.equals(Names.ROOT_DATASET)) {
      return datasets.heads().stream().map(DatasetHead::name).sorted().toList();
    }
    List<String> names = tasks.atAndBelow(dataset);
    return names.isEmpty() ? List.of(dataset) : names;
  }

  /** Another name for a snapshot. A checkpoint that is renamed becomes a snapshot. */
  public void renameSnapshot(String dataset, String from, String to) throws IOException {
    run(tasks -> tasks.renameSnapshot(dataset, from, to));
  }

  /**
   * Destroys snapshots of a dataset, or of it and all below it: there, of those that have them.
   * Their names go at once, their space follows in the background. All are destroyed, or none.
   *
   * @param selection as {@link SnapshotSelection} has it; a checkpoint is destroyed by its name
   */
  public Destruction destroySnapshots(String dataset, String selection, Scope scope, Mode mode)
      throws IOException {
    synchronized (pool) {
      Map<String, List<String>> chosen =
          scope == Scope.ONE
              ? Map.of(dataset, select(dataset, SnapshotSelection.parse(selection)))
              : selectBelow(dataset, SnapshotSelection.parse(selection));
      List<String> names = new ArrayList<>();
      chosen.forEach((of, each) -> each.forEach(name -> names.add(of + "@" + name)));
      return destroy(
          names,
          mode,
          tasks -> {
            List<Condemned> freed = new ArrayList<>();
            for (Map.Entry<String, List<String>> each : chosen.entrySet()) {
              freed.addAll(tasks.tryDestroySnapshots(each.getKey(), each.getValue()));
            }
            return freed;
          },
          tasks -> {
            for (Map.Entry<String, List<String>> each : chosen.entrySet()) {
              tasks.destroySnapshots(each.getKey(), each.getValue());
            }
          });
    }
  }

  /** What is selected of a dataset and those below it, by dataset; not empty. */
  private Map<String, List<String>> selectBelow(String dataset, SnapshotSelection selection)
      throws IOException {
    Map<String, List<String>> chosen = new LinkedHashMap<>();
    DatasetException none = null;
    for (String each : atAndBelow(datasets.tasks(), dataset)) {
      try {
        chosen.put(each, select(each, selection));
      } catch (DatasetException e) {
        if (e.reason() != Reason.NOT_FOUND) {
          throw e;
        }
        none = none == null ? e : none;
      }
    }
    if (chosen.isEmpty() && none != null) {
      throw none;
    }
    return chosen;
  }

  private List<String> select(String dataset, SnapshotSelection selection) throws IOException {
    return selection.select(
        datasets.snapshots(dataset).stream()
            .filter(node -> node.kind() == NodeKind.SNAPSHOT || selection.isOneName())
            .map(NodeRecord::name)
            .toList());
  }

  /** Tries the destruction, for what it would free, and carries it out where that is wanted. */
  @SuppressWarnings("try") // The hold is for what was tried.
  private Destruction destroy(List<String> names, Mode mode, Trial trial, Body body)
      throws IOException {
    try (ReadPins.Pin pin = txgs.readPins().pin()) {
      List<Condemned> tried = new ArrayList<>();
      run(
          tasks -> {
            tried.addAll(trial.run(tasks));
            if (mode == Mode.EXECUTE) {
              body.run(tasks);
            }
          });
      return new Destruction(
          names,
          mode == Mode.EXECUTE
              ? tried.stream().mapToLong(Condemned::sectors).sum() * BlockPointer.SECTOR_BYTES
              : datasets.bytesFreedBy(tried));
    }
  }

  private interface Trial {
    List<Condemned> run(DatasetTasks tasks) throws IOException;
  }

  /** Keeps a snapshot from being destroyed until the tag is released. */
  public void hold(String dataset, String snapshot, String tag) throws IOException {
    run(tasks -> tasks.hold(dataset, snapshot, tag));
  }

  public void release(String dataset, String snapshot, String tag) throws IOException {
    run(tasks -> tasks.release(dataset, snapshot, tag));
  }

  /** The tags on a snapshot with the time they were put on, by tag. */
  public Map<String, Instant> holds(String dataset, String snapshot) throws IOException {
    return datasets.properties(datasets.snapshot(dataset, snapshot).id()).holds();
  }

  // ---- properties

  /**
   * All properties in force, and where each comes from.
   *
   * @param snapshot null for the dataset
   */
  public List<EffectiveProperty> properties(String dataset, String snapshot) throws IOException {
    return datasets.resolution(dataset, snapshot).all();
  }

  /** Sets properties, all or none; INVALID_VALUE for what they cannot be. */
  public void setProperties(String dataset, String snapshot, Map<String, String> values)
      throws IOException {
    run(tasks -> tasks.setProperties(dataset, snapshot, values));
    pool.rootListingsChanged();
  }

  /** Forgets a local value. */
  public void inheritProperty(String dataset, String snapshot, String name) throws IOException {
    run(tasks -> tasks.inheritProperty(dataset, snapshot, name));
    pool.rootListingsChanged();
  }

  // ---- going back

  /**
   * Makes a dataset what it was at a snapshot or checkpoint, mounted or not. Newer snapshots stay.
   *
   * @return the name of the snapshot that keeps the state from before
   */
  public String rollback(String dataset, String snapshot) throws IOException {
    String[] kept = new String[1];
    goBack(
        () -> {
          kept[0] = unusedName(dataset, KEPT_NAME.format(clock.instant()));
          return replaceTree(dataset, tasks -> tasks.rollback(dataset, snapshot, kept[0]));
        });
    return kept[0];
  }

  /** The same, without keeping the state from before. Refused for the origin of a clone. */
  public void rollbackAndDiscard(String dataset, String snapshot) throws IOException {
    goBack(() -> replaceTree(dataset, tasks -> tasks.rollbackAndDiscard(dataset, snapshot)));
  }

  /** Replaces the tree of a dataset, under the pool's lock. */
  private interface Replacement {
    /** Returns what tells the front end. */
    Runnable run() throws IOException;
  }

  /**
   * Tells the front end without the pool's lock: a kernel that is told waits for directories that
   * requests have locked, and those may wait for the pool. What was there before is compared, and
   * asked for names, also when it is being freed.
   */
  @SuppressWarnings("try") // The hold is for the tree that is replaced.
  private void goBack(Replacement replacement) throws IOException {
    goingBack.lock();
    try (ReadPins.Pin pin = txgs.readPins().pin()) {
      Runnable telling;
      synchronized (pool) {
        telling = replacement.run();
      }
      telling.run();
    } finally {
      goingBack.unlock();
    }
  }

  /**
   * Brings one path of a dataset, mounted or not, back to what it was in a snapshot or checkpoint.
   * Nothing else is touched. What the snapshot has is added or put in place of what is there now,
   * what it has not is removed, within the path only; what is the same stays as it is. Data is
   * shared with the snapshot and takes no space. Unlike a rollback it leaves open files alone: who
   * has a replaced file open goes on with the old one. It may take many commits; after a crash, or
   * an error in the middle, each file is what it was or what it is in the snapshot.
   *
   * @param path relative to the dataset's root, as bytes; {@code .} for all of it
   * @throws DatasetException also NOT_FOUND when the snapshot has no such path, INVALID_NAME when
   *     it is absolute or contains {@code ..}, EXISTS when something that is no directory stands in
   *     the way
   */
  public Restoration restorePath(String dataset, String snapshot, byte[] path) throws IOException {
    // As for a rollback: not under the pool's lock.
    ExecutorService teller =
        Executors.newSingleThreadExecutor(
            work -> {
              Thread thread = new Thread(work, "cowfs-restore-tell");
              thread.setDaemon(true);
              return thread;
            });
    goingBack.lock();
    try {
      synchronized (pool) {
        return restore(dataset, snapshot, path, teller);
      }
    } finally {
      awaitEnd(teller);
      goingBack.unlock();
    }
  }

  private static void awaitEnd(ExecutorService executor) {
    executor.shutdown();
    boolean interrupted = false;
    boolean ended = false;
    while (!ended) {
      try {
        ended = executor.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @SuppressWarnings("try") // The hold is for what is read from the snapshot.
  private Restoration restore(String dataset, String snapshot, byte[] path, Executor teller)
      throws IOException {
    try (ReadPins.Pin pin = txgs.readPins().pin()) {
      NodeRecord node = datasets.snapshot(dataset, snapshot);
      SourceTree source =
          new SourceTree(
              node.root().orElse(null),
              dataset + "@" + snapshot,
              () -> datasets.node(node.id()).isPresent());
      pool.takeBack(dataset);
      boolean wasOpen = pool.openVolume(dataset).isPresent();
      pool.fileSystem(dataset);
      try {
        Volume volume = pool.openVolume(dataset).orElseThrow();
        Volume.Restored restored = volume.restorePath(source, path, teller);
        return new Restoration(restored.changed(), restored.added(), restored.removed());
      } finally {
        if (!wasOpen) {
          pool.closeFileSystem(dataset);
        }
      }
    }
  }

  private Runnable replaceTree(String dataset, Body body) throws IOException {
    Optional<Volume> volume = pool.openVolume(dataset);
    if (volume.isPresent()) {
      return volume.get().replaceTree(task(body));
    }
    txgs.runTask(task(body));
    return () -> {};
  }

  private String unusedName(String dataset, String wished) throws IOException {
    String name = wished;
    for (int i = 2; isTaken(dataset, name); i++) {
      name = wished + "-" + i;
    }
    return name;
  }

  private boolean isTaken(String dataset, String snapshot) throws IOException {
    try {
      datasets.snapshot(dataset, snapshot);
      return true;
    } catch (DatasetException free) {
      if (free.reason() == Reason.NOT_FOUND) {
        datasets.head(dataset);
        return false;
      }
      throw free;
    }
  }

  /**
   * The checkpoint or snapshot that is closest to what the dataset was so long ago: the newest one
   * from before. That is what the first state kept since then goes on from. After a rollback, the
   * newest state by the clock may be one that the dataset had left by then. It is looked for from
   * the present back: after the clock was set back, times of long ago are ahead of it.
   */
  public String snapshotOfAge(String dataset, Duration age) throws IOException {
    Instant then = clock.instant().minus(age);
    NodeRecord next = datasets.node(datasets.head(dataset).id()).orElseThrow();
    List<NodeRecord> snapshots = datasets.snapshots(dataset);
    for (int i = snapshots.size() - 1; i >= 0 && snapshots.get(i).created().isAfter(then); i--) {
      next = snapshots.get(i);
    }
    Optional<NodeRecord> found = datasets.node(next.parent());
    while (found.isPresent() && found.get().name().isEmpty()) {
      found = datasets.node(found.get().parent());
    }
    if (found.isEmpty() || found.get().dataset() != datasets.head(dataset).id()) {
      throw new DatasetException(
          Reason.NOT_FOUND,
          "dataset '%s' has no checkpoint or snapshot from before %s"
              .formatted(dataset, then.truncatedTo(ChronoUnit.SECONDS)));
    }
    return found.get().name();
  }

  // ---- space and schedules

  /** Where the space is, as of a commit that follows the call. */
  public SpaceReport space(String dataset) throws IOException {
    SpaceReport[] report = new SpaceReport[1];
    datasets.head(dataset);
    synchronized (pool) {
      IOException[] failure = new IOException[1];
      txgs.runTask(
          txg ->
              () -> {
                try {
                  SpaceStatus now = pool.space();
                  report[0] =
                      new SpaceAccounting(datasets, now, pool.freeBytes(now)).report(dataset);
                } catch (IOException gone) {
                  failure[0] = gone;
                }
              });
      if (failure[0] != null) {
        throw failure[0];
      }
    }
    return report[0];
  }

  /** Takes the snapshots that the schedules of all datasets ask for, and destroys those beyond. */
  public Pruning prune(Mode mode) throws IOException {
    synchronized (pool) {
      return new Retention(this, datasets).run(clock.instant(), mode);
    }
  }

  // ---- tasks

  interface Body {
    void run(DatasetTasks tasks) throws IOException;
  }

  void run(Body body) throws IOException {
    synchronized (pool) {
      txgs.runTask(task(body));
    }
  }

  /**
   * A request that cannot be carried out, or meets damage before it changed anything, is refused.
   */
  private SyncTask task(Body body) {
    return txg -> {
      try {
        body.run(datasets.tasks());
        return null;
      } catch (DatasetException | CorruptBlockException refused) {
        throw new TaskRefusedException(refused);
      }
    };
  }
}
