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
  private final Map<String, TestPool> pools = new HashMap<>();
  private final Map<String, TestPool.Saved> born = new HashMap<>();

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
    String name = "pool" + capacityBytes;
    if (!pools.containsKey(name)) {
      Path place = directory.resolve(name);
      keep(name, TestPool.createRepeatable(place, capacityBytes, clockAt(0), capacityBytes));
    }
    return open(name, clock);
  }

  /** The same on a mirror of two devices. */
  TestPool mirror(long capacityBytes, SteadyClock clock) throws IOException {
    String name = "mirror" + capacityBytes;
    if (!pools.containsKey(name)) {
      Path place = Files.createDirectory(directory.resolve(name));
      keep(name, TestPool.createRepeatableMirror(place, capacityBytes, clockAt(0), capacityBytes));
    }
    return open(name, clock);
  }

  /** The same on a device of its own, which is to become one of a mirror. */
  TestPool sole(long capacityBytes, SteadyClock clock) throws IOException {
    String name = "sole" + capacityBytes;
    if (!pools.containsKey(name)) {
      Path place = Files.createDirectory(directory.resolve(name));
      keep(name, TestPool.createRepeatableSole(place, capacityBytes, clockAt(0), capacityBytes));
    }
    return open(name, clock);
  }

  private void keep(String name, TestPool pool) throws IOException {
    pool.close();
    pools.put(name, pool);
    born.put(name, pool.save());
  }

  private TestPool open(String name, SteadyClock clock) throws IOException {
    TestPool pool = pools.get(name);
    pool.setClock(clock);
    pool.restore(born.get(name));
    pool.setMainDevice(0);
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
