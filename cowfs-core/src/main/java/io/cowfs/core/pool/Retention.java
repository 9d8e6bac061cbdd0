package io.cowfs.core.pool;

import io.cowfs.core.dataset.AutomaticSnapshot;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.dataset.DatasetTasks;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.dataset.PropertySet;
import io.cowfs.core.dataset.SchedulePeriod;
import io.cowfs.core.dataset.SnapshotSchedule;
import io.cowfs.core.pool.PoolAdministration.Mode;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Carries the schedules of snapshots out: takes what is due, and destroys what is beyond the number
 * to keep. What a user named, or holds, is not its affair.
 */
final class Retention {
  private final PoolAdministration administration;
  private final Datasets datasets;

  Retention(PoolAdministration administration, Datasets datasets) {
    this.administration = administration;
    this.datasets = datasets;
  }

  /** When something becomes due next; empty when no dataset has a schedule. */
  Optional<Instant> nextBoundary(Instant now) {
    return datasets.heads().stream()
        .flatMap(head -> head.settings().schedule().nextBoundary(now).stream())
        .min(Comparator.naturalOrder());
  }

  /** Whether there is anything to take or to destroy. */
  boolean isDue(Instant now) throws IOException {
    Pruning pruning = run(now, Mode.DRY_RUN);
    return !pruning.taken().isEmpty() || !pruning.destroyed().isEmpty();
  }

  Pruning run(Instant now, Mode mode) throws IOException {
    Pruning all = new Pruning(new ArrayList<>(), new ArrayList<>());
    List<DatasetHead> heads = new ArrayList<>(datasets.heads());
    heads.sort(Comparator.comparing(DatasetHead::name));
    for (DatasetHead head : heads) {
      if (!head.settings().schedule().isNone()) {
        run(head.name(), head.settings().schedule(), now, mode, all);
      }
    }
    return all;
  }

  private void run(String dataset, SnapshotSchedule schedule, Instant now, Mode mode, Pruning all)
      throws IOException {
    List<AutomaticSnapshot> existing = automatic(dataset);
    Set<String> names =
        datasets.snapshots(dataset).stream().map(NodeRecord::name).collect(Collectors.toSet());
    List<String> toTake = new ArrayList<>();
    for (SchedulePeriod period : schedule.due(now, existing)) {
      String name = SnapshotSchedule.snapshotName(period, now, names::contains);
      names.add(name);
      toTake.add(name);
      existing.add(new AutomaticSnapshot(name, period, now, Long.MAX_VALUE, false));
      if (mode == Mode.EXECUTE) {
        PropertySet properties = PropertySet.EMPTY.withSchedulePeriod(period);
        administration.run(tasks -> take(tasks, dataset, name, properties));
      }
    }
    Set<String> taken = new HashSet<>(toTake);
    List<String> surplus =
        schedule.surplus(existing).stream()
            .map(AutomaticSnapshot::name)
            .filter(name -> !taken.contains(name))
            .toList();
    if (mode == Mode.EXECUTE && !surplus.isEmpty()) {
      administration.run(tasks -> tasks.destroySnapshots(dataset, surplus));
    }
    toTake.forEach(name -> all.taken().add(dataset + "@" + name));
    surplus.forEach(name -> all.destroyed().add(dataset + "@" + name));
  }

  private static void take(DatasetTasks tasks, String dataset, String name, PropertySet properties)
      throws DatasetException {
    tasks.snapshot(List.of(dataset), name, properties);
  }

  private List<AutomaticSnapshot> automatic(String dataset) throws IOException {
    List<AutomaticSnapshot> automatic = new ArrayList<>();
    for (NodeRecord node : datasets.snapshots(dataset)) {
      if (node.kind() == NodeKind.SNAPSHOT) {
        AutomaticSnapshot.of(
                node.name(), node.created(), node.txg(), datasets.properties(node.id()))
            .ifPresent(automatic::add);
      }
    }
    return automatic;
  }
}
