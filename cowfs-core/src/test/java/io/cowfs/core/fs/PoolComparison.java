package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.dataset.ByteSize;
import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.EffectiveProperty;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/** Compares what a pool contains with what it should. Confined to one thread. */
final class PoolComparison {
  private final TestPool pool;
  private final Random random;

  /**
   * @param random what is left to chance in a comparison
   */
  PoolComparison(TestPool pool, Random random) {
    this.pool = pool;
    this.random = random;
  }

  /**
   * The state that the pool is in; with the names that snapshots have.
   *
   * @param candidates the most probable last
   */
  PoolState whatIsThere(List<PoolState> candidates) throws IOException, FsException {
    AssertionError first = null;
    for (int i = candidates.size() - 1; i >= 0; i--) {
      try {
        return with(candidates.get(i));
      } catch (AssertionError different) {
        if (first == null) {
          first = different;
        } else {
          first.addSuppressed(different);
        }
      }
    }
    throw first;
  }

  /** Compares everything but the content of snapshots; returns the state with their names. */
  PoolState with(PoolState state) throws IOException, FsException {
    List<DatasetInfo> list = pool.pool().list();
    PoolState named = state.named(list);
    assertEquals(named.holds(), holds(list));
    for (Map.Entry<String, Model> each : named.datasets().entrySet()) {
      assertEquals(named.quotas().get(each.getKey()), quotaOf(each.getKey()), each.getKey());
      each.getValue().copy().compare(pool.pool().fileSystem(each.getKey()), random);
    }
    return named;
  }

  private Map<String, Set<String>> holds(List<DatasetInfo> list) throws IOException {
    Map<String, Set<String>> holds = new TreeMap<>();
    for (DatasetInfo info : list) {
      if (!info.snapshot().isEmpty()) {
        Set<String> tags =
            pool.pool().administration().holds(info.dataset(), info.snapshot()).keySet();
        if (!tags.isEmpty()) {
          holds.put(info.fullName(), tags);
        }
      }
    }
    return holds;
  }

  /** In bytes; null when there is none. */
  private Long quotaOf(String dataset) throws IOException {
    for (EffectiveProperty property : pool.pool().administration().properties(dataset, null)) {
      if (property.name().equals("quota") && !property.value().equals("none")) {
        return ByteSize.parse(property.value());
      }
    }
    return null;
  }
}
