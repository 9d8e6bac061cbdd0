package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A volume does what a model in memory does, over commits, snapshots, rollbacks and restarts. */
class VolumeModelTest {
  private static final long CAPACITY_BYTES = 1L << 30;
  private static final int STEPS = Integer.getInteger("cowfs.test.steps", 9_000);
  private static final int ROUNDS = Integer.getInteger("cowfs.test.rounds", 4);
  private static final long SEED = Long.getLong("cowfs.test.seed", 20_261_123);
  private static final int SHRINK_SECONDS = Integer.getInteger("cowfs.test.shrink", 20);

  @TempDir Path directory;
  private int pools;

  @Test
  void plainFilesAreWhatTheModelSays() throws Exception {
    check(new CompressionSetting(Compression.NONE, 0), 1);
  }

  @Test
  void lz4FilesAreWhatTheModelSays() throws Exception {
    check(new CompressionSetting(Compression.LZ4, 0), 2);
  }

  @Test
  void zstdFilesAreWhatTheModelSays() throws Exception {
    check(new CompressionSetting(Compression.ZSTD, 3), 3);
  }

  private void check(CompressionSetting compression, int salt) throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      long seed = SEED * 31 + salt * 1000L + round;
      System.out.printf("%s: seed %d, %d steps%n", compression, seed, STEPS);
      Random random = new Random(seed);
      List<Long> steps = new ArrayList<>();
      for (int i = 0; i < STEPS; i++) {
        steps.add(random.nextLong());
      }
      Failure failure = run(steps, compression);
      if (failure != null) {
        throw new AssertionError(
            report(failure, shrink(steps, failure, compression)), failure.cause);
      }
    }
  }

  private record Failure(int step, String trace, Throwable cause) {}

  private static String report(Failure first, Failure shortest) {
    return "step " + first.step + ": " + first.cause + "\nshortest:\n" + shortest.trace;
  }

  /** Leaves out ever smaller parts of the steps, as long as it goes on failing and time allows. */
  private Failure shrink(List<Long> steps, Failure failure, CompressionSetting compression)
      throws IOException {
    long end = System.nanoTime() + SHRINK_SECONDS * 1_000_000_000L;
    List<Long> kept = new ArrayList<>(steps.subList(0, failure.step + 1));
    Failure shortest = failure;
    for (int part = kept.size() / 2; part > 0; part /= 2) {
      for (int at = 0; at + part <= kept.size() && System.nanoTime() < end; ) {
        List<Long> shorter = new ArrayList<>(kept.subList(0, at));
        shorter.addAll(kept.subList(at + part, kept.size()));
        Failure found = run(shorter, compression);
        if (found == null) {
          at += part;
        } else {
          kept = new ArrayList<>(shorter.subList(0, found.step + 1));
          shortest = found;
        }
      }
    }
    return shortest;
  }

  private Failure run(List<Long> steps, CompressionSetting compression) throws IOException {
    try (Run run = new Run(directory.resolve("pool" + pools++), compression)) {
      StringBuilder trace = new StringBuilder();
      for (int i = 0; i < steps.size(); i++) {
        try {
          run.step(steps.get(i));
          trace.append(i).append(": ").append(run.trace()).append('\n');
        } catch (AssertionError | FsException | RuntimeException | IOException failure) {
          trace
              .append(i)
              .append(": ")
              .append(run.trace())
              .append('\n')
              .append(failure)
              .append('\n');
          String text =
              trace.length() > 12_000 ? trace.substring(trace.length() - 12_000) : trace + "";
          return new Failure(i, text, failure);
        }
      }
      return null;
    }
  }

  /** One pool with its model, and the steps that concern the pool as a whole. */
  private static final class Run implements AutoCloseable {
    private final TestPool pool;
    private final VolumeDriver driver;
    private final Map<String, Model> snapshots = new TreeMap<>();
    private String trace = "";
    private int nextSnapshot;

    Run(Path directory, CompressionSetting compression) throws IOException {
      pool = TestPool.create(directory, CAPACITY_BYTES, compression, TestPool.ON_DEMAND);
      Model model = new Model(FileSystem.ROOT_INODE);
      try {
        var attributes = pool.fileSystem().getAttributes(FileSystem.ROOT_INODE);
        model.root.mode = attributes.mode() & 07777;
        model.root.uid = attributes.uid();
        model.root.gid = attributes.gid();
      } catch (FsException failure) {
        throw new IOException(failure);
      }
      driver = new VolumeDriver(pool.fileSystem(), model);
    }

    String trace() {
      return trace.isEmpty() ? driver.trace() : trace;
    }

    void step(long seed) throws FsException, IOException {
      Random random = new Random(~seed);
      int kind = random.nextInt(2000);
      trace = "";
      if (kind < 30) {
        trace = "sync";
        pool.fileSystem().syncAll();
      } else if (kind < 34) {
        trace = "reopen";
        pool.reopen();
        driver.reopened(pool.fileSystem(), driver.model());
        driver.model().compare(pool.fileSystem(), random);
      } else if (kind < 38) {
        trace = "snapshot s" + nextSnapshot;
        String name = "s" + nextSnapshot++;
        pool.snapshot(name);
        snapshots.put(name, driver.model().copy());
      } else if (kind < 40 && !snapshots.isEmpty()) {
        rollback(random);
      } else if (kind < 44) {
        destroy(random);
      } else if (kind < 48) {
        trace = "audit";
        pool.audit();
      } else if (kind < 52) {
        trace = "compare";
        driver.model().compare(pool.fileSystem(), random);
        driver.model().compareCount(pool.fileSystem());
      } else if (kind < 54) {
        trace = "copies " + (1 + random.nextInt(3));
        pool.pool()
            .administration()
            .setProperties(
                PoolDriver.ROOT, null, Map.of("copies", trace.substring(trace.length() - 1)));
      } else {
        driver.step(seed);
      }
    }

    private void rollback(Random random) throws FsException, IOException {
      List<String> names = List.copyOf(snapshots.keySet());
      String name = names.get(random.nextInt(names.size()));
      trace = "rollback " + name;
      String kept = pool.rollback(name);
      snapshots.put(kept, driver.model().copy());
      driver.rolledBack(snapshots.get(name).copy());
      driver.model().compareCount(pool.fileSystem());
      driver.model().compare(pool.fileSystem(), random);
    }

    private void destroy(Random random) throws IOException {
      List<DatasetInfo> all = new ArrayList<>(pool.pool().list());
      all.removeIf(info -> info.snapshot() == null || info.snapshot().isEmpty());
      if (all.size() > 2) {
        String name = all.get(random.nextInt(all.size())).snapshot();
        trace = "destroy " + name;
        pool.destroySnapshot(name);
        snapshots.remove(name);
      }
    }

    @Override
    public void close() throws IOException {
      assertTimeoutPreemptively(Duration.ofSeconds(60), pool::close);
    }
  }
}
