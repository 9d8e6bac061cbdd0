package io.cowfs.core.dataset;

import io.cowfs.core.btree.Key;
import io.cowfs.core.dataset.MemoryBlocks.Extent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** What happens in a txg before its tasks: datasets change, and something destroyed is freed. */
final class RandomChanges {
  private static final int KEYS = 160;
  private static final int MAX_SECTORS = 6;

  private final SimulatedPool pool;
  private final Random random;

  /** Of the items' values: the more, the more leaves there are. */
  private final int maxPadding;

  private long steps;

  RandomChanges(SimulatedPool pool, Random random) {
    this.pool = pool;
    this.random = random;
    this.maxPadding = random.nextBoolean() ? 400 : 2_500;
  }

  /** One for each extent that was changed or cloned, and for each piece that was freed. */
  long steps() {
    return steps;
  }

  /**
   * In any order.
   *
   * @param mayFree whether a piece of what was destroyed may be freed
   */
  void run(boolean mayFree) throws IOException {
    boolean free = mayFree && random.nextBoolean();
    List<DatasetHead> heads = new ArrayList<>(pool.datasets.heads());
    heads.sort((a, b) -> a.name().compareTo(b.name()));
    for (int i = random.nextInt(6); i > 0; i--) {
      if (free && random.nextInt(3) == 0) {
        pool.free();
        steps++;
        free = false;
      }
      String dataset = heads.get(random.nextInt(heads.size())).name();
      if (random.nextInt(3) == 0) {
        cloneSome(dataset);
      } else {
        change(dataset);
      }
    }
    if (free) {
      pool.free();
      steps++;
    }
  }

  private void change(String dataset) throws IOException {
    Map<Key, Integer> changes = new TreeMap<>();
    int first = random.nextInt(KEYS);
    boolean clustered = random.nextBoolean();
    int deletes = random.nextInt(8) == 0 ? 9 : 2;
    for (int i = random.nextInt(20); i > 0; i--) {
      int sectors = random.nextInt(10) < deletes ? 0 : 1 + random.nextInt(MAX_SECTORS);
      if (random.nextInt(5) == 0) {
        sectors = -sectors;
      }
      changes.put(clustered ? key((first + i) % KEYS) : anyKey(), sectors);
    }
    steps += changes.size();
    pool.change(dataset, changes, random.nextInt(maxPadding));
  }

  private static Key key(int inode) {
    return new Key(inode, 1, 0);
  }

  private Key anyKey() {
    return key(random.nextInt(KEYS));
  }

  /** Parts of what the dataset itself, another one or a snapshot has. */
  private void cloneSome(String dataset) throws IOException {
    List<String> names = List.copyOf(pool.model.keySet());
    String source = random.nextBoolean() ? dataset : names.get(random.nextInt(names.size()));
    for (int i = random.nextInt(6); i > 0; i--) {
      byte[] value = pool.model.get(source).get(anyKey());
      if (value != null) {
        Extent extent = Extent.decode(value);
        int from = random.nextInt(extent.sectors());
        int sectors = 1 + random.nextInt(extent.sectors() - from);
        pool.cloneRange(extent, from, sectors, dataset, anyKey(), random.nextInt(maxPadding));
        steps++;
      }
    }
  }
}
