package io.cowfs.tools.exerciser;

import io.cowfs.tools.e2e.MountedPool;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A million operations on files whose content is known. {@code -Dcowfs.soak=true} goes on for a
 * hundred times as many; {@code -Dcowfs.seed=N} repeats the operations of a run, though not how
 * those of several threads meet; {@code -Dcowfs.operations=N} sets their number.
 */
final class ExerciserTest {
  private static final int CONFIGURATIONS = 2;
  private static final long OPERATIONS = 1_000_000;
  private static final long SOAK_OPERATIONS = 100 * OPERATIONS;

  @ParameterizedTest
  @ValueSource(strings = {"writeback=on", "writeback=off"})
  @Timeout(value = 1, unit = TimeUnit.DAYS)
  void everyReadGivesWhatWasWritten(String option, @TempDir Path directory) throws Exception {
    long seed = Long.getLong("cowfs.seed", System.nanoTime());
    long operations =
        Long.getLong(
            "cowfs.operations", Boolean.getBoolean("cowfs.soak") ? SOAK_OPERATIONS : OPERATIONS);
    try (MountedPool pool = MountedPool.create(directory, "-o", option)) {
      try (Exerciser exerciser = new Exerciser(pool, seed)) {
        exerciser.run(operations / CONFIGURATIONS);
      } catch (Throwable e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
      }
      pool.unmount();
      pool.succeed("check", pool.pool().toString());
    }
  }
}
