package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.core.dataset.DatasetException.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.function.Executable;

/** What is done with datasets and snapshots, at random. */
final class RandomTasks {
  private static final int MAX_DATASETS = 6;

  private final SimulatedPool pool;
  private final Random random;
  private final int maxNodes;
  private int names;
  private long steps;

  RandomTasks(SimulatedPool pool, Random random, int maxNodes) {
    this.pool = pool;
    this.random = random;
    this.maxNodes = maxNodes;
  }

  long steps() {
    return steps;
  }

  void run(int count) throws IOException {
    for (int i = 0; i < count; i++) {
      runOne();
      steps++;
    }
  }

  private void runOne() throws IOException {
    String dataset = anyDataset();
    boolean crowded =
        pool.model.keySet().stream().filter(name -> !SimulatedPool.isCheckpointName(name)).count()
            >= maxNodes;
    int kind = random.nextInt(20);
    if (kind < 8 && crowded) {
      kind = 10 + random.nextInt(7);
    }
    switch (kind) {
      case 0, 1, 2 -> snapshot(dataset);
      case 3, 4 -> rollback(dataset);
      case 5, 6 -> cloneSnapshot(dataset);
      case 7 -> create();
      case 8, 9 -> rollbackAndDiscard(dataset);
      case 10, 11, 12, 13 -> destroySnapshots(dataset);
      case 14, 15 -> destroyDataset(dataset);
      case 16 -> renameSnapshot(dataset);
      case 17 -> renameDataset(dataset);
      case 18 -> toggleHold(dataset);
      default -> setProperty(dataset);
    }
  }

  private String newName(String prefix) {
    return prefix + names++;
  }

  String anyDataset() {
    return any(pool.datasets.heads().stream().map(DatasetHead::name).sorted().toList());
  }

  private String any(List<String> choices) {
    return choices.get(random.nextInt(choices.size()));
  }

  private List<String> snapshots(String dataset) {
    List<String> snapshots = new ArrayList<>();
    for (String name : pool.model.keySet()) {
      if (name.startsWith(dataset + "@")) {
        snapshots.add(name.substring(dataset.length() + 1));
      }
    }
    return snapshots;
  }

  /** One more often than several, in no order; none where there are none. */
  List<String> someSnapshots(String dataset) {
    List<String> snapshots = snapshots(dataset);
    Collections.shuffle(snapshots, random);
    int count = random.nextInt(3) > 0 ? 1 : 1 + random.nextInt(4);
    return List.copyOf(snapshots.subList(0, Math.min(count, snapshots.size())));
  }

  boolean isHeld(String dataset, List<String> snapshots) {
    return snapshots.stream().anyMatch(name -> pool.held.contains(dataset + "@" + name));
  }

  /** It, or one below it, has a held snapshot. */
  boolean isDatasetHeld(String dataset) {
    return pool.held.stream()
        .anyMatch(name -> name.startsWith(dataset + "@") || name.startsWith(dataset + "/"));
  }

  private void snapshot(String dataset) throws IOException {
    TreeSet<String> datasets = new TreeSet<>(List.of(dataset));
    if (random.nextInt(3) == 0) {
      datasets.add(anyDataset());
    }
    pool.snapshot(List.copyOf(datasets), newName("s"));
    if (random.nextInt(4) == 0) {
      pool.snapshot(dataset, newName("twin"));
    }
  }

  private void rollback(String dataset) throws IOException {
    List<String> snapshots = snapshots(dataset);
    if (!snapshots.isEmpty()) {
      pool.rollback(dataset, any(snapshots), newName("old"));
    }
  }

  private void rollbackAndDiscard(String dataset) throws IOException {
    List<String> snapshots = snapshots(dataset);
    if (snapshots.isEmpty()) {
      return;
    }
    String snapshot = any(snapshots);
    if (isOrigin(dataset)) {
      assertBusy(() -> pool.rollbackAndDiscard(dataset, snapshot));
    } else {
      pool.rollbackAndDiscard(dataset, snapshot);
    }
  }

  /** A node of another dataset continues one of its snapshots. */
  private boolean isOrigin(String dataset) throws IOException {
    int id = pool.datasets.head(dataset).id();
    return pool.datasets.liveNodes().stream()
        .anyMatch(
            node ->
                node.parent != null
                    && node.parent.dataset == id
                    && !node.parent.name.isEmpty()
                    && node.dataset != id);
  }

  private void cloneSnapshot(String dataset) throws IOException {
    List<String> snapshots = snapshots(dataset);
    if (snapshots.isEmpty()) {
      return;
    }
    String snapshot = any(snapshots);
    for (int i = random.nextInt(3); i >= 0; i--) {
      if (pool.datasets.heads().size() < MAX_DATASETS) {
        pool.cloneSnapshot(dataset, snapshot, newDatasetName());
      }
    }
  }

  private void create() throws IOException {
    if (pool.datasets.heads().size() < MAX_DATASETS) {
      pool.create(newDatasetName());
    }
  }

  private String newDatasetName() {
    String above = anyDataset();
    return above.equals(Names.ROOT_DATASET) ? newName("d") : above + "/" + newName("d");
  }

  private void destroySnapshots(String dataset) throws IOException {
    List<String> victims = someSnapshots(dataset);
    if (isHeld(dataset, victims)) {
      assertBusy(() -> pool.destroySnapshots(dataset, victims));
    } else {
      pool.destroySnapshots(dataset, victims);
    }
  }

  private void destroyDataset(String dataset) throws IOException {
    if (dataset.equals(Names.ROOT_DATASET) || isDatasetHeld(dataset)) {
      assertBusy(() -> pool.destroyDataset(dataset));
    } else {
      pool.destroyDataset(dataset);
    }
  }

  private void renameSnapshot(String dataset) throws IOException {
    List<String> snapshots = snapshots(dataset);
    if (!snapshots.isEmpty()) {
      pool.renameSnapshot(dataset, any(snapshots), newName("renamed"));
    }
  }

  private void renameDataset(String dataset) throws IOException {
    if (!dataset.equals(Names.ROOT_DATASET)) {
      pool.renameDataset(dataset, newName("d"));
    }
  }

  private void toggleHold(String dataset) throws IOException {
    List<String> snapshots = snapshots(dataset);
    if (!snapshots.isEmpty()) {
      pool.toggleHold(dataset, any(snapshots));
    }
  }

  private void setProperty(String dataset) throws IOException {
    List<String> victims = someSnapshots(dataset);
    String snapshot = victims.isEmpty() || random.nextBoolean() ? null : victims.get(0);
    String name = "user:key" + random.nextInt(4);
    if (random.nextInt(3) > 0) {
      pool.setProperty(dataset, snapshot, name, "v".repeat(1 + random.nextInt(1_000)));
    } else {
      pool.datasets.tasks().inheritProperty(dataset, snapshot, name);
    }
  }

  private static void assertBusy(Executable task) {
    DatasetException refused = assertThrows(DatasetException.class, task);
    assertEquals(Reason.BUSY, refused.reason(), refused.getMessage());
  }
}
