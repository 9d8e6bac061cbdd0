package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a pool should contain.
 *
 * @param datasets by name
 * @param snapshots by "dataset@snapshot"; never changed
 * @param quotas in bytes, of the datasets that have one
 * @param holds the tags of each snapshot and checkpoint that is held, by its name; the sets are
 *     never changed
 * @param checkpoints by "dataset@checkpoint", as far as they are known; later commits may have
 *     taken others, and let some go
 */
record PoolState(
    TreeMap<String, Model> datasets,
    TreeMap<String, Model> snapshots,
    TreeMap<String, Long> quotas,
    TreeMap<String, Set<String>> holds,
    TreeMap<String, Checkpoint> checkpoints) {
  /**
   * A root that was kept of itself.
   *
   * @param contents what it may have; empty when that is not known
   */
  record Checkpoint(DatasetInfo info, List<Model> contents) {}

  /** Ends the name of a snapshot that is not known yet. */
  static final String UNNAMED = "@?";

  /** A copy that later changes do not touch. */
  PoolState copy() {
    PoolState copy =
        new PoolState(
            new TreeMap<>(),
            new TreeMap<>(snapshots),
            new TreeMap<>(quotas),
            new TreeMap<>(holds),
            new TreeMap<>(checkpoints));
    datasets.forEach((name, model) -> copy.datasets.put(name, model.copy()));
    return copy;
  }

  /** A tag is put on a snapshot or checkpoint. */
  void hold(String fullName, String tag) {
    Set<String> more = new TreeSet<>(holds.getOrDefault(fullName, Set.of()));
    more.add(tag);
    holds.put(fullName, more);
  }

  /** It is taken off again. */
  void release(String fullName, String tag) {
    Set<String> fewer = new TreeSet<>(holds.get(fullName));
    fewer.remove(tag);
    holds.put(fullName, fewer);
    holds.values().removeIf(Set::isEmpty);
  }

  /** A snapshot, or a checkpoint, has another name. */
  void renamed(String from, String to) {
    Set<String> tags = holds.remove(from);
    if (tags != null) {
      holds.put(to, tags);
    }
  }

  /**
   * Compares the names with those of a pool.
   *
   * @return the same with the names that the pool has given
   */
  PoolState named(List<DatasetInfo> list) {
    Set<String> heads = new TreeSet<>();
    Set<String> found = new TreeSet<>();
    for (DatasetInfo info : list) {
      if (info.kind() != NodeKind.CHECKPOINT) {
        (info.snapshot().isEmpty() ? heads : found).add(info.fullName());
      }
    }
    assertEquals(datasets.keySet(), heads);
    PoolState named = new PoolState(datasets, new TreeMap<>(snapshots), quotas, holds, checkpoints);
    for (String unnamed : snapshots.keySet()) {
      if (unnamed.endsWith(UNNAMED)) {
        Set<String> others = new TreeSet<>(found);
        others.removeAll(snapshots.keySet());
        assertEquals(1, others.size(), "snapshots that were not there before: " + others);
        named.snapshots.put(others.iterator().next(), named.snapshots.remove(unnamed));
      }
    }
    assertEquals(named.snapshots.keySet(), found);
    return named;
  }
}
