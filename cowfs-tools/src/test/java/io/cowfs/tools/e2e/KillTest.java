package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.pool.Pool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * SIGKILL to the daemon at random moments under load. After the next mount, by the same command and
 * nothing else, everything is there that was acknowledged, nothing is there in half, and the whole
 * tree can be read. Now and then, the books of the pool's space are compared with what a kill left.
 *
 * <p>{@code -Dcowfs.kills=N} sets the number of kills, {@code -Dcowfs.soak=true} is thousands;
 * {@code -Dcowfs.seed=N} repeats the random choices of a run (not the scheduling of its threads).
 */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class KillTest {
  private static final int KILLS = 170;
  private static final int SOAK_KILLS = 4000;
  private static final int KILLS_PER_AUDIT = 10;

  /** At the same time: each waits for its daemon and its disk most of the time. */
  private static final int POOLS = 2;

  private static final int LOAD_MS_MAX = 400;

  @TempDir private Path directory;

  @Test
  void acknowledgedWorkSurvivesKills() throws Exception {
    long seed = Long.getLong("cowfs.seed", System.nanoTime());
    int kills =
        Integer.getInteger("cowfs.kills", Boolean.getBoolean("cowfs.soak") ? SOAK_KILLS : KILLS);
    System.out.println("KillTest: seed " + seed);
    ExecutorService executor = Executors.newFixedThreadPool(POOLS);
    List<Future<Void>> pools = new ArrayList<>();
    for (int i = 0; i < POOLS; i++) {
      Path own = Files.createDirectory(directory.resolve("pool-" + i));
      Random random = new Random(seed + i);
      int share = (kills + i) / POOLS;
      pools.add(
          executor.submit(
              () -> {
                killAgainAndAgain(own, share, random, ", seed " + seed);
                return null;
              }));
    }
    executor.shutdown();
    for (Future<Void> pool : pools) {
      pool.get();
    }
  }

  private static void killAgainAndAgain(Path directory, int kills, Random random, String seed)
      throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      List<CrashLoad> loads = loads(mounted.root(), random);
      for (int kill = 1; kill <= kills; kill++) {
        String where = "kill " + kill + " in " + directory.getFileName() + seed;
        killUnderLoad(mounted, loads, random);
        if (kill % KILLS_PER_AUDIT == 0) {
          assertEquals(List.of(), Pool.audit(mounted.pool()), where);
        }
        mounted.mount();
        for (CrashLoad load : loads) {
          load.verify(where);
        }
        readEverything(mounted.root());
      }
      mounted.succeed("status", mounted.pool().toString());
      mounted.remount();
      for (CrashLoad load : loads) {
        load.verify("after the last kill" + seed);
      }
    }
    assertEquals(List.of(), Pool.audit(directory.resolve("pool")), "at the end" + seed);
  }

  private static List<CrashLoad> loads(Path root, Random random) throws IOException {
    List<CrashLoad> loads = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      loads.add(new OverwriteLoad(directory(root, "overwrite-" + i), random.nextLong()));
      loads.add(new CreateLoad(directory(root, "create-" + i), random.nextLong()));
    }
    loads.add(new RenameLoad(directory(root, "rename"), random.nextLong()));
    loads.add(new ReplaceLoad(directory(root, "replace"), random.nextLong()));
    loads.add(new UnsyncedLoad(directory(root, "unsynced"), random.nextLong()));
    return loads;
  }

  private static Path directory(Path root, String name) throws IOException {
    Path made = Files.createDirectory(root.resolve(name));
    CrashLoad.syncDirectory(root);
    return made;
  }

  /** Most kills come in the middle of the load, some while the pool is being unmounted. */
  private static void killUnderLoad(MountedPool mounted, List<CrashLoad> loads, Random random)
      throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(loads.size());
    List<Future<Void>> running = new ArrayList<>();
    for (CrashLoad load : loads) {
      running.add(executor.submit(load));
    }
    executor.shutdown();
    MountedPool.pause(random.nextInt(LOAD_MS_MAX));
    loads.forEach(CrashLoad::expectEnd);
    if (random.nextInt(5) == 0) {
      mounted.terminateDaemon();
      MountedPool.pause(random.nextInt(100));
    }
    mounted.killDaemon();
    for (Future<Void> load : running) {
      load.get(1, TimeUnit.MINUTES);
    }
  }

  private static void readEverything(Path root) throws IOException {
    try (var paths = Files.walk(root)) {
      for (Path path : (Iterable<Path>) paths::iterator) {
        if (Files.isRegularFile(path)) {
          Files.readAllBytes(path);
        }
      }
    }
  }
}
