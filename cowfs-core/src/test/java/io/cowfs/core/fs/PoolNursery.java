package io.cowfs.core.fs;

import io.cowfs.core.pool.TestPool;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/** Pools that were just made, for one life after another. For one thread. */
final class PoolNursery implements Closeable {
  private final Path directory;
  private final Map<Long, TestPool> pools = new HashMap<>();
  private final Map<Long, TestPool.Saved> born = new HashMap<>();

  /**
   * @param directory that exists
   */
  PoolNursery(Path directory) {
    this.directory = directory;
  }

  /** A clock for a life: it shows the day after pools were made. */
  static SteadyClock clock() {
    return clockAt(1);
  }

  /**
   * An open pool, which is the same each time.
   *
   * @param clock that it goes by from now on
   */
  TestPool pool(long capacityBytes, SteadyClock clock) throws IOException {
    TestPool pool = pools.get(capacityBytes);
    if (pool == null) {
      Path place = directory.resolve("pool" + capacityBytes);
      pool = TestPool.createRepeatable(place, capacityBytes, clockAt(0), capacityBytes);
      pool.close();
      pools.put(capacityBytes, pool);
      born.put(capacityBytes, pool.save());
    }
    pool.setClock(clock);
    pool.restore(born.get(capacityBytes));
    pool.open();
    return pool;
  }

  private static SteadyClock clockAt(int day) {
    return new SteadyClock(Duration.ofDays(10_000 + day));
  }

  /** Removes everything. No pool may be in use. */
  @Override
  public void close() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    }
  }
}
