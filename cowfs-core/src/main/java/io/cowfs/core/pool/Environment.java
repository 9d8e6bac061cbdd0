package io.cowfs.core.pool;

import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.CacheLimits;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.FileDevice;
import io.cowfs.core.txg.DirtyLimit;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What a pool stands on besides its directory.
 *
 * @param limit of what may be changed and not committed
 * @param caches how much of what was read is kept
 * @param clock for times that are stored, and for what is done on a schedule
 * @param execution what else makes one run differ from another
 */
record Environment(
    Devices devices, DirtyLimit limit, CacheLimits caches, Clock clock, Execution execution) {
  /** Devices in files of the host, and the ordinary limits. */
  static final Environment HOST = host(MemoryUse.NORMAL);

  /** Devices in files of the host. */
  static Environment host(MemoryUse memory) {
    return new Environment(
        new HostDevices(),
        memory.limit(),
        memory.caches(),
        Clock.systemUTC(),
        Execution.CONCURRENT);
  }

  /** Where devices come from. */
  interface Devices {
    /** A new device, which must not exist yet. */
    BlockDevice create(Path file, long capacityBytes) throws IOException;

    BlockDevice open(Path file, long capacityBytes) throws IOException;
  }

  /** Has something done again and again. */
  @FunctionalInterface
  interface Rounds {
    /**
     * Begins. One round follows the other, none at once.
     *
     * @param name of what is done
     * @param untilNext how long to wait, asked before each round
     * @param round throws nothing
     * @return to be closed at the end, which then waits for a round that is under way
     */
    Ending begin(String name, Supplier<Duration> untilNext, Runnable round);
  }

  /** Ends {@link Rounds}. */
  @FunctionalInterface
  interface Ending {
    void end();
  }

  /**
   * How a pool's own threads run, and what it takes from chance.
   *
   * @param nanoTime by which intervals are measured, as {@link System#nanoTime}
   * @param writers makes the threads that write blocks; each pool has its own, and ends them
   * @param readers makes the threads that read past caches, for one reader each time; it ends them
   * @param syncers run the syncs of the members of a mirror beside each other
   * @param uuids for new pools
   * @param rounds run what is done again and again while a pool is open
   */
  record Execution(
      LongSupplier nanoTime,
      Supplier<ExecutorService> writers,
      Supplier<ExecutorService> readers,
      Supplier<Executor> syncers,
      Supplier<UUID> uuids,
      Rounds rounds) {
    /** Of all pools: there are none while nothing is synced. */
    private static final Executor MIRROR_SYNCERS =
        Executors.newCachedThreadPool(
            sync -> {
              Thread thread = new Thread(sync, "cowfs-mirror-sync");
              thread.setDaemon(true);
              return thread;
            });

    static final Execution CONCURRENT =
        new Execution(
            System::nanoTime,
            BlockStore::writingThreads,
            BlockStore::readingThreads,
            () -> MIRROR_SYNCERS,
            UUID::randomUUID,
            ThreadOfRounds::start);
  }

  private record HostDevices() implements Devices {
    @Override
    public BlockDevice create(Path file, long capacityBytes) throws IOException {
      return FileDevice.create(file, capacityBytes);
    }

    @Override
    public BlockDevice open(Path file, long capacityBytes) throws IOException {
      return FileDevice.open(file, capacityBytes);
    }
  }
}
