package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.fs.PoolState.Checkpoint;
import io.cowfs.core.pool.PoolAdministration;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.pool.Pruning;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * The part of a {@link PoolDriver} that goes by the clock, which it turns, sometimes back:
 * snapshots on a schedule, checkpoints, undo. Confined to one thread.
 */
final class PoolHousekeeping {
  /** What the names of scheduled snapshots begin with. */
  static final String AUTOMATIC = "auto-";

  /** Of the pool. */
  static final Map<String, String> PROPERTIES =
      Map.of("checkpoints", CheckpointWatch.POLICY, "snapshot.schedule", "minutely:2 hourly:1");

  private static final List<Period> SCHEDULE =
      List.of(new Period("minutely", 60, 2), new Period("hourly", 3_600, 1));

  private static final int MINUTE_SECONDS = 60;

  /** What is done within a minute takes less; in seconds of the clock. */
  private static final int MARGIN_SECONDS = 2;

  /** A part of the schedule. */
  private record Period(String name, long seconds, int kept) {
    String prefix() {
      return AUTOMATIC + name + "-";
    }

    /** One of this period, or of the next one: then the clock was set back a moment ago. */
    boolean covers(Instant created, Instant now) {
      long begin = Math.floorDiv(now.getEpochSecond(), seconds) * seconds;
      return created.getEpochSecond() >= begin && created.getEpochSecond() < begin + 2 * seconds;
    }
  }

  private final TestPool pool;
  private final PoolDriver driver;
  private final SteadyClock clock;
  private final CheckpointWatch watch;

  PoolHousekeeping(TestPool pool, PoolDriver driver, SteadyClock clock) {
    this.pool = pool;
    this.driver = driver;
    this.clock = clock;
    this.watch = new CheckpointWatch(pool, clock, driver.holds()::has);
  }

  CheckpointWatch watch() {
    return watch;
  }

  void turnClock(Random choice) {
    watch.turn(
        switch (choice.nextInt(16)) {
          case 0 -> Duration.ofMinutes(-choice.nextInt(3 * 60)).minusMillis(choice.nextInt(999));
          case 1 -> Duration.ofMillis(-choice.nextInt(60_000));
          case 2 -> Duration.ofMinutes(choice.nextInt(3 * 60)).plusMillis(choice.nextInt(999));
          case 3, 4, 5 -> Duration.ofMillis(choice.nextInt(90_000));
          default -> Duration.ofMillis(choice.nextInt(9_000));
        });
  }

  /** Something that the clock has to do with. */
  void step(String dataset, Random choice) throws FsException, IOException {
    switch (choice.nextInt(6)) {
      case 0, 1 -> prune(choice);
      case 2, 3, 4 -> undo(dataset, choice);
      default -> useCheckpoint(dataset, choice);
    }
  }

  // ---- snapshots on a schedule

  /** By a command, or by the housekeeper, which may have nothing to do. */
  private void prune(Random choice) throws FsException, IOException {
    if (clock.now().getEpochSecond() % MINUTE_SECONDS >= MINUTE_SECONDS - MARGIN_SECONDS) {
      return; // What is due would depend on how often the clock is looked at.
    }
    PoolAdministration administration = pool.pool().administration();
    driver.beQuiet();
    Pruning planned = administration.prune(Mode.DRY_RUN);
    List<PoolState> states = new ArrayList<>(List.of(driver.now()));
    for (String dataset : driver.datasets()) {
      plan(dataset, planned, states);
    }
    boolean byCommand = choice.nextBoolean();
    driver.note("prune: " + planned);
    long txg = pool.pool().status().txg();
    driver.commits(
        states,
        () -> {
          if (byCommand) {
            assertEquals(planned, administration.prune(Mode.EXECUTE));
          } else {
            pool.housekeep();
            if (!driver.isActive()) {
              throw new IOException("the housekeeper could not do all");
            }
          }
          if (pool.pool().status().txg() == txg) {
            pool.commit();
          }
        });
    driver.haveSnapshots(states.get(states.size() - 1));
  }

  /** Adds the states that follow when a dataset gets, and loses, what the schedule says. */
  private void plan(String dataset, Pruning planned, List<PoolState> states) {
    List<DatasetInfo> scheduled =
        pool.pool().list().stream()
            .filter(info -> info.dataset().equals(dataset) && info.kind() == NodeKind.SNAPSHOT)
            .filter(info -> info.snapshot().startsWith(AUTOMATIC))
            .toList();
    Set<String> surplus = new HashSet<>();
    for (Period period : SCHEDULE) {
      List<DatasetInfo> existing =
          scheduled.stream().filter(info -> info.snapshot().startsWith(period.prefix())).toList();
      String prefix = dataset + "@" + period.prefix();
      List<String> taken =
          planned.taken().stream().filter(name -> name.startsWith(prefix)).toList();
      boolean isDue =
          existing.stream().noneMatch(info -> period.covers(info.created(), clock.now()));
      assertEquals(isDue ? 1 : 0, taken.size(), () -> prefix + " of " + existing + ": " + planned);
      for (String name : taken) {
        PoolState next = states.get(states.size() - 1).copy();
        next.snapshots().put(name, next.datasets().get(dataset).copy());
        states.add(next);
      }
      List<DatasetInfo> counted =
          existing.stream().filter(info -> !driver.holds().has(info.fullName())).toList();
      int beyond = counted.size() + taken.size() - period.kept();
      for (int i = 0; i < beyond; i++) {
        surplus.add(counted.get(i).fullName());
      }
    }
    String prefix = dataset + "@";
    Set<String> destroyed =
        new HashSet<>(
            planned.destroyed().stream().filter(name -> name.startsWith(prefix)).toList());
    assertEquals(surplus, destroyed, () -> "beyond the schedule, of " + scheduled);
    if (!surplus.isEmpty()) {
      PoolState next = states.get(states.size() - 1).copy();
      next.snapshots().keySet().removeAll(surplus);
      states.add(next);
    }
  }

  // ---- undo

  /** Goes back to what a dataset was some time ago. */
  private void undo(String dataset, Random choice) throws FsException, IOException {
    driver.commit();
    List<DatasetInfo> kept =
        pool.pool().list().stream()
            .filter(info -> info.dataset().equals(dataset) && info.kind() != NodeKind.HEAD)
            .toList();
    Duration age = Duration.ofMillis(choice.nextInt(200_000));
    if (!kept.isEmpty() && choice.nextBoolean()) {
      Duration exact =
          Duration.between(PoolDriver.anyOf(kept, choice).created(), clock.now())
              .minusMillis(choice.nextInt(2_000));
      age = exact.isNegative() ? age : exact;
    }
    driver.note("undo " + dataset + " for " + age);
    String earliest = stateOfAge(dataset, kept, clock.now().minus(age));
    String found;
    try {
      found = pool.pool().administration().snapshotOfAge(dataset, age);
    } catch (DatasetException none) {
      assertEquals(DatasetException.Reason.NOT_FOUND, none.reason());
      found = "";
    }
    String latest = stateOfAge(dataset, kept, clock.now().minus(age));
    if (earliest == null || !earliest.equals(latest)) {
      return;
    }
    assertEquals(earliest, found, () -> "of " + kept);
    String fullName = dataset + "@" + found;
    Checkpoint checkpoint = watch.known().get(fullName);
    Model target = driver.now().snapshots().get(fullName);
    if (checkpoint != null && checkpoint.contents().size() == 1) {
      target = checkpoint.contents().get(0);
    }
    if (target != null) {
      driver.rollBack(dataset, found, target, choice.nextBoolean());
    }
  }

  /**
   * From the present back to the first state that was kept after a moment: it goes on from the one
   * that is looked for.
   *
   * @return empty when there is none; null when that cannot be told
   */
  private String stateOfAge(String dataset, List<DatasetInfo> kept, Instant then) {
    DatasetInfo next =
        pool.pool().list().stream()
            .filter(info -> info.dataset().equals(dataset) && info.kind() == NodeKind.HEAD)
            .findAny()
            .orElseThrow();
    for (int i = kept.size() - 1; i >= 0 && kept.get(i).created().isAfter(then); i--) {
      next = kept.get(i);
    }
    // What a clone goes on from may have the name of one of its own snapshots, which is younger.
    String name = next.parentSnapshot();
    long txg = next.txg();
    boolean isOwn =
        kept.stream().anyMatch(info -> info.snapshot().equals(name) && info.txg() < txg);
    return isOwn ? name : null;
  }

  // ---- checkpoints

  /** One becomes a snapshot, is held or let go of, or goes. */
  private void useCheckpoint(String dataset, Random choice) throws FsException, IOException {
    driver.commit();
    Checkpoint checkpoint = any(dataset + "@", choice.nextBoolean(), choice);
    if (checkpoint == null) {
      return;
    }
    PoolAdministration administration = pool.pool().administration();
    String name = checkpoint.info().snapshot();
    PoolState after = driver.now();
    try {
      int kind = choice.nextInt(4);
      if (kind < 2) {
        driver.holds().change(dataset, name, choice);
      } else if (kind == 2) {
        String renamed = driver.freshName();
        driver.note("rename " + name + " to " + renamed);
        after.snapshots().put(dataset + "@" + renamed, checkpoint.contents().get(0));
        after.renamed(dataset + "@" + name, dataset + "@" + renamed);
        watch.mayGo(checkpoint.info().fullName());
        driver.commits(
            after,
            () -> {
              administration.renameSnapshot(dataset, name, renamed);
              driver.holds().have(after);
            });
        driver.haveSnapshots(after);
      } else {
        driver.note("destroy " + name);
        PoolDriver.Action destroy =
            () -> administration.destroySnapshots(dataset, name, Scope.ONE, Mode.EXECUTE);
        if (driver.holds().has(dataset + "@" + name)) {
          driver.holds().requireRefused(destroy);
          return;
        }
        watch.mayGo(checkpoint.info().fullName());
        driver.commits(after, destroy);
      }
    } catch (DatasetException gone) {
      assertEquals(DatasetException.Reason.NOT_FOUND, gone.reason(), gone.getMessage());
      driver.commit();
    }
  }

  /**
   * Null when there is none of which the content is known.
   *
   * @param prefersHeld takes one that is held, if there is any
   */
  private Checkpoint any(String prefix, boolean prefersHeld, Random choice) {
    List<Checkpoint> all =
        watch.known().values().stream()
            .filter(each -> each.info().fullName().startsWith(prefix))
            .filter(each -> each.contents().size() == 1)
            .toList();
    List<Checkpoint> held =
        all.stream().filter(each -> driver.holds().has(each.info().fullName())).toList();
    return PoolDriver.anyOfOrNull(prefersHeld && !held.isEmpty() ? held : all, choice);
  }

  /** Looks at one through a clone of it. */
  void checkCheckpoint(Random choice) throws FsException, IOException {
    pool.commit();
    watch.look(List.of());
    List<Checkpoint> known =
        watch.known().values().stream().filter(each -> !each.contents().isEmpty()).toList();
    Checkpoint checkpoint = PoolDriver.anyOfOrNull(known, choice);
    if (checkpoint == null) {
      return;
    }
    PoolAdministration administration = pool.pool().administration();
    DatasetInfo info = checkpoint.info();
    String clone = driver.freshName();
    try {
      administration.cloneSnapshot(info.dataset(), info.snapshot(), clone, Map.of());
    } catch (DatasetException gone) {
      assertEquals(DatasetException.Reason.NOT_FOUND, gone.reason(), gone.getMessage());
      return;
    }
    compareAny(checkpoint, clone, choice);
    pool.pool().closeFileSystem(clone);
    administration.destroyDataset(clone, Scope.WITH_DESCENDANTS, Mode.EXECUTE);
    watch.look(List.of());
  }

  private void compareAny(Checkpoint checkpoint, String clone, Random choice)
      throws FsException, IOException {
    AssertionError first = null;
    for (Model content : checkpoint.contents()) {
      try {
        content.copy().compare(pool.pool().fileSystem(clone), choice);
        return;
      } catch (AssertionError different) {
        first = first == null ? different : first;
      }
    }
    throw new AssertionError("content of " + checkpoint.info().fullName(), first);
  }
}
