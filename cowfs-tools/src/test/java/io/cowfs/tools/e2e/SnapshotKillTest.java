package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.pool.Pool;
import io.cowfs.tools.command.PoolVerb;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL to the daemon in the middle of operations on the history of a dataset that is being
 * written to. After each, the books of the pool's space agree with what is there, the operation was
 * done as a whole or not at all, the dataset is what it was at some moment, and each snapshot is
 * there that was acknowledged, with what was in the dataset when it was taken.
 *
 * <p>{@code -Dcowfs.kills=N} sets the number of kills, {@code -Dcowfs.soak=true} is a thousand;
 * {@code -Dcowfs.seed=N} repeats the random choices of a run (not the scheduling of its threads).
 */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class SnapshotKillTest {
  private static final int KILLS = 30;
  private static final int SOAK_KILLS = 1000;
  private static final int LOAD_MS_MAX = 300;

  @TempDir private Path directory;

  @Test
  void historySurvivesKills() throws Exception {
    long seed = Long.getLong("cowfs.seed", System.nanoTime());
    int kills =
        Integer.getInteger("cowfs.kills", Boolean.getBoolean("cowfs.soak") ? SOAK_KILLS : KILLS);
    System.out.println("SnapshotKillTest: seed " + seed);
    Random random = new Random(seed);
    Path cloneRoot = Files.createDirectory(directory.resolve("clone"));
    Map<String, SnapshotHistory.Operation> operations = operations();
    int interrupted = 0;
    int done = 0;
    try (MountedPool mounted = MountedPool.create(directory)) {
      List<HistoryLoad> loads = loads(mounted.root(), random);
      SnapshotHistory history = new SnapshotHistory(mounted, cloneRoot, loads, random);
      List<String> verbs = List.copyOf(operations.keySet());
      for (int kill = 0; kill < kills; kill++) {
        String verb = verbs.get(kill % verbs.size());
        String where = "kill " + kill + " during " + verb + ", seed " + seed;
        killDuring(verb, mounted, history, loads, List.copyOf(operations.values()), random);
        assertEquals(List.of(), Pool.audit(mounted.pool()), where);
        mounted.mount();
        interrupted += history.isInterrupted() ? 1 : 0;
        done += history.verify(where) ? 1 : 0;
      }
    }
    System.out.printf(
        "SnapshotKillTest: %d kills, %d in the middle of an operation, %d of these were done%n",
        kills, interrupted, done);
    assertEquals(List.of(), Pool.audit(directory.resolve("pool")), "at the end, seed " + seed);
    assertTrue(interrupted > 0, "no kill came in the middle of an operation");
  }

  /** What is killed, by verb. */
  private static Map<String, SnapshotHistory.Operation> operations() {
    Map<String, SnapshotHistory.Operation> operations = new LinkedHashMap<>();
    operations.put("destroy", SnapshotHistory::destroy);
    operations.put("rollback", SnapshotHistory::rollback);
    if (PoolVerb.find("clone").isPresent()) {
      operations.put("clone", SnapshotHistory::cloneSnapshot);
    }
    return operations;
  }

  private static List<HistoryLoad> loads(Path root, Random random) throws IOException {
    return List.of(
        new NamesLoad(root, "names", random.nextLong()),
        new BlocksLoad(root, "blocks-0", random.nextLong()),
        new BlocksLoad(root, "blocks-1", random.nextLong()));
  }

  private static void killDuring(
      String verb,
      MountedPool mounted,
      SnapshotHistory history,
      List<HistoryLoad> loads,
      List<SnapshotHistory.Operation> operations,
      Random random)
      throws Exception {
    ProcessHandle daemon = ProcessHandle.of(mounted.daemonPid().orElseThrow()).orElseThrow();
    List<Callable<Void>> work = new ArrayList<>(loads);
    work.add(
        () -> {
          history.runUntilEnd(operations);
          return null;
        });
    ExecutorService executor = Executors.newFixedThreadPool(work.size());
    List<Future<Void>> running = new ArrayList<>();
    work.forEach(task -> running.add(executor.submit(task)));
    executor.shutdown();
    MountedPool.pause(random.nextInt(LOAD_MS_MAX));
    CountDownLatch sent = new CountDownLatch(1);
    history.onCommand(
        sentVerb -> {
          if (sentVerb.equals(verb)) {
            sent.countDown();
          }
        });
    boolean wasSent = false;
    while (!wasSent && running.stream().noneMatch(Future::isDone)) {
      wasSent = sent.await(100, TimeUnit.MILLISECONDS);
    }
    LockSupport.parkNanos((long) (random.nextDouble() * 1.2 * history.lastNanos(verb)));
    loads.forEach(HistoryLoad::expectEnd);
    history.expectEnd();
    daemon.destroyForcibly();
    mounted.killDaemon();
    for (Future<Void> task : running) {
      task.get(1, TimeUnit.MINUTES);
    }
    history.onCommand(any -> {});
    assertTrue(wasSent, "the work ended without a failure and without " + verb);
  }
}
