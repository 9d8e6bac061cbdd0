package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Many lives of pools, see {@link PoolSimulation} and {@link MirrorSimulation}. {@code
 * cowfs.test.seed} repeats one of them, {@code cowfs.test.first} begins elsewhere. A soak goes on
 * with further seeds for {@code cowfs.test.minutes}, a year unless told otherwise, and reports how
 * many there were.
 */
@Execution(ExecutionMode.CONCURRENT)
class PoolSimulationTest {
  private static final Long SEED = Long.getLong("cowfs.test.seed");
  private static final int SEEDS = Integer.getInteger("cowfs.test.seeds", 2_000);
  private static final boolean SOAK = Boolean.getBoolean("cowfs.soak");
  private static final long SOAK_MINUTES = Long.getLong("cowfs.test.minutes", 365 * 24 * 60);
  private static final int SEEDS_PER_REPORT = 1_000;

  /** Each pool of so many is on a mirror. */
  private static final int SEEDS_PER_MIRROR = 4;

  private static final Path MEMORY = Path.of("/dev/shm");

  /** Failures of commits are what this is about: thousands of them need not be logged. */
  private static final Logger LOG = Logger.getLogger("io.cowfs.core");

  private static final long FIRST = Long.getLong("cowfs.test.first", 1);
  private static final AtomicLong NEXT = new AtomicLong(FIRST);
  private static final AtomicLong LIVES = new AtomicLong();
  private static final AtomicLong CRASHES = new AtomicLong();
  private static final AtomicLong STEPS = new AtomicLong();
  private static final long START_NANOS = System.nanoTime();

  /** One failure is enough to look into: it ends both threads. */
  private static volatile boolean failed;

  @TempDir static Path onDisk;

  @BeforeAll
  static void beQuiet() {
    LOG.setLevel(Level.OFF);
  }

  @AfterAll
  static void report() {
    LOG.setLevel(null);
    print();
  }

  private static void print() {
    double minutes = (System.nanoTime() - START_NANOS) / 60e9;
    System.out.printf(
        "%d lives, %.0f each minute; %d steps, %d crashes and restarts%n",
        LIVES.get(), LIVES.get() / minutes, STEPS.get(), CRASHES.get());
  }

  @ParameterizedTest
  @ValueSource(strings = {"one thread", "another thread"})
  void poolIsAfterEachCrashWhatItWasAtACommit(String name) throws Exception {
    long end = START_NANOS + SOAK_MINUTES * 60_000_000_000L;
    try (PoolNursery nursery = nursery()) {
      if (SEED != null) {
        live(SEED, nursery);
        return;
      }
      for (long seed = NEXT.getAndIncrement();
          !failed && (seed < FIRST + SEEDS || (SOAK && System.nanoTime() < end));
          seed = NEXT.getAndIncrement()) {
        live(seed, nursery);
        if (LIVES.incrementAndGet() % SEEDS_PER_REPORT == 0) {
          print();
        }
      }
    }
  }

  @Test
  void sameSeedIsTheSameLife() throws Exception {
    try (PoolNursery nursery = nursery();
        PoolNursery other = nursery()) {
      for (long seed = -1; seed >= -20; seed--) {
        assertEquals(live(seed, nursery), live(seed, other), "seed " + seed);
      }
      assertTrue(live(-1, nursery) != live(-2, nursery), "another seed is another life");
    }
  }

  /** Nothing of the index is lost in a simulated crash, so it need not be on a disk. */
  private static PoolNursery nursery() throws Exception {
    Path above = Files.isWritable(MEMORY) ? MEMORY : onDisk;
    return new PoolNursery(Files.createTempDirectory(above, "cowfs-simulation"));
  }

  /** Returns a hash of all that the devices were asked for. */
  private static long live(long seed, PoolNursery nursery) throws Exception {
    boolean onMirror = seed % SEEDS_PER_MIRROR == 0;
    Life simulation =
        onMirror ? new MirrorSimulation(seed, nursery) : new PoolSimulation(seed, nursery);
    try {
      return simulation.run();
    } catch (Exception | AssertionError failure) {
      failed = true;
      throw new AssertionError(
          "-Dcowfs.test.seed=%d, step %d: %s: %s"
              .formatted(seed, simulation.steps(), simulation.where(), failure),
          failure);
    } finally {
      CRASHES.addAndGet(simulation.crashes());
      STEPS.addAndGet(simulation.steps());
    }
  }
}
