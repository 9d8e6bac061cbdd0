package io.cowfs.tools.differential;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.cowfs.tools.e2e.MountedPool;
import io.cowfs.tools.e2e.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * System calls come out on a mount as they do on the host. The suite always makes the same hundred
 * thousand, half of them with the writeback cache; {@code -Dcowfs.seed=N} makes others, {@code
 * -Dcowfs.calls=N} sets how many calls a mount gets, and {@code -Dcowfs.soak=true} makes a thousand
 * times as many, from a seed that it prints.
 */
@Timeout(value = 1, unit = TimeUnit.DAYS)
final class DifferentialTest {
  private static final int CALLS = 50_000;
  private static final long SEED = 20261128;
  private static final int SEQUENCE_CALLS = 100;

  /** Sequences after which the mount is unmounted and mounted again. */
  private static final int ROUND_SEQUENCES = 500;

  private static final int SOAK_FACTOR = 1_000;
  private static final int KEPT_MAX = 12;
  private static final int THREADS = 3;

  @ParameterizedTest
  @ValueSource(strings = {"writeback=on", "writeback=off"})
  void callsDoOnTheMountWhatTheyDoOnTheHost(String option) throws Exception {
    assumeTrue(System.getProperty("user.name").equals("root"), "needs three users");
    assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "needs /dev/fuse");
    long seed =
        Long.getLong("cowfs.seed", Boolean.getBoolean("cowfs.soak") ? System.nanoTime() : SEED);
    System.out.println("differential, " + option + ": seed " + seed);
    int calls = Integer.getInteger("cowfs.calls", CALLS);
    int sequencesOfAll = (calls + SEQUENCE_CALLS - 1) / SEQUENCE_CALLS;
    int sequences = Math.min(ROUND_SEQUENCES, sequencesOfAll);
    int rounds =
        (Boolean.getBoolean("cowfs.soak") ? SOAK_FACTOR : 1)
            * ((sequencesOfAll + sequences - 1) / sequences);
    Path top = Files.createTempDirectory("differential");
    Files.setPosixFilePermissions(top, PosixFilePermissions.fromString("rwxr-xr-x"));
    try (MountedPool pool = MountedPool.create(top, "-o", option)) {
      Differential differential =
          new Differential(Files.createDirectory(top.resolve("host")), pool.root());
      SplittableRandom seeds = new SplittableRandom(seed);
      for (int round = 0; round < rounds; round++) {
        List<String> kept = round(differential, seeds, sequences);
        pool.remount();
        String found = differential.differenceOfKept(kept);
        assertTrue(found == null, () -> "seed " + seed + ", after a remount: " + found);
        if (round < rounds - 1) {
          differential.remove(kept);
          differential.removeFinished();
        }
      }
      pool.unmount();
      pool.succeed("check", pool.pool().toString());
    } catch (Throwable e) {
      throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
    } finally {
      Program.succeed(Path.of("/"), "rm", "-rf", top.toString());
    }
  }

  /** Runs sequences, some side by side; the directories of the first ones stay. */
  private static List<String> round(Differential differential, SplittableRandom seeds, int count)
      throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    List<String> kept = new ArrayList<>();
    try {
      List<Future<String>> work = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        long seed = seeds.nextLong();
        List<String> keptHere = i < KEPT_MAX ? kept : null;
        work.add(
            threads.submit(
                () -> {
                  List<String> mine = keptHere == null ? null : new ArrayList<>();
                  Sequence sequence = new CallGenerator(seed).sequence(SEQUENCE_CALLS);
                  String found = differential.difference(sequence, mine);
                  if (found != null) {
                    return new Shrinking(differential, sequence, found).report();
                  }
                  if (mine != null) {
                    synchronized (kept) {
                      kept.addAll(mine);
                    }
                  }
                  return null;
                }));
      }
      String report = null;
      for (Future<String> one : work) {
        report = report == null ? one.get() : report;
        if (report != null) {
          threads.shutdownNow();
          break;
        }
      }
      String found = report;
      assertTrue(found == null, () -> "a difference at " + found);
    } finally {
      threads.shutdownNow();
      threads.awaitTermination(2, TimeUnit.MINUTES);
    }
    return kept;
  }

  @Test
  void allKindsOfCallsAreGenerated() {
    TreeMap<String, Integer> counts = new TreeMap<>();
    for (int seed = 0; seed < 40; seed++) {
      new CallGenerator(seed)
          .sequence(SEQUENCE_CALLS)
          .calls()
          .forEach(call -> CallGenerator.count(counts, call));
    }
    assertTrue(counts.size() > 40, counts::toString);
  }
}
