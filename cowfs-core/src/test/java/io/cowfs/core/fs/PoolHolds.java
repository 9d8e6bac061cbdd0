package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.pool.PoolAdministration;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/**
 * The tags by which snapshots and checkpoints of a pool are held: these have to stay. Confined to
 * one thread.
 */
final class PoolHolds {
  private static final List<String> TAGS = List.of("keep", "more");

  private final TestPool pool;
  private final PoolDriver driver;

  /** By full name; the sets are never changed. */
  private final TreeMap<String, Set<String>> tags = new TreeMap<>();

  PoolHolds(TestPool pool, PoolDriver driver) {
    this.pool = pool;
    this.driver = driver;
  }

  /** A copy. */
  TreeMap<String, Set<String>> all() {
    return new TreeMap<>(tags);
  }

  boolean has(String fullName) {
    return tags.containsKey(fullName);
  }

  boolean hasAnyOf(String dataset) {
    return tags.keySet().stream().anyMatch(name -> name.startsWith(dataset + "@"));
  }

  /** These are the holds from now on. */
  void have(PoolState state) {
    tags.clear();
    tags.putAll(state.holds());
  }

  /** Puts a tag on a snapshot or checkpoint, or takes it off. */
  void change(String dataset, String snapshot, Random choice) throws FsException, IOException {
    PoolAdministration administration = pool.pool().administration();
    String fullName = dataset + "@" + snapshot;
    String tag = PoolDriver.anyOf(TAGS, choice);
    boolean releases = tags.getOrDefault(fullName, Set.of()).contains(tag);
    driver.note("; " + (releases ? "release " : "hold ") + fullName + ": " + tag);
    PoolState after = driver.now();
    if (releases) {
      after.release(fullName, tag);
    } else {
      after.hold(fullName, tag);
    }
    driver.commits(
        after,
        () -> {
          if (releases) {
            administration.release(dataset, snapshot, tag);
          } else {
            administration.hold(dataset, snapshot, tag);
          }
          have(after);
        });
  }

  /** What is held is not destroyed, nor anything with it. */
  void requireRefused(PoolDriver.Action destruction) throws FsException, IOException {
    driver.note(", which is held");
    // Who is refused is told so while the commit goes on; another one follows.
    driver.beQuiet();
    driver.commits(
        driver.now(),
        () -> {
          try {
            destruction.run();
          } catch (DatasetException refused) {
            assertEquals(DatasetException.Reason.BUSY, refused.reason(), refused.getMessage());
            assertTrue(refused.getMessage().contains("is held"), refused.getMessage());
            pool.commit();
            return;
          }
          throw new AssertionError("what is held was destroyed");
        });
  }
}
