package io.cowfs.fuse.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.fs.SnapshotRights;
import io.cowfs.core.pool.Pool;
import io.cowfs.core.vfs.FsException;
import io.cowfs.fuse.kernel.MountedMemory;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a host may have on its disk after a crash, for every operation on a pool. A process serves a
 * pool that lies on a recording file system, with its index; what it asked the host for is replayed
 * up to every event, and, as disks and file systems may reorder what was not synced, with any part
 * of that left out or torn. Each such pool must open without repair, with its books in order, and
 * hold what was there after some step: none before the last that was acknowledged as durable.
 *
 * <p>The method is that of ALICE and CrashMonkey (Pillai et al., OSDI 2014; Mohan et al., OSDI
 * 2018). {@code -Dcowfs.test.seed=N} repeats the choices; {@code -Dcowfs.soak=true} runs random
 * sequences too, and many more reorderings.
 */
@EnabledIf("io.cowfs.fuse.kernel.MountedMemory#possible")
class CrashStatesTest {
  private static final boolean SOAK = Boolean.getBoolean("cowfs.soak");
  private static final long SEED = Long.getLong("cowfs.test.seed", System.nanoTime());
  private static final int REORDERINGS = SOAK ? 20 : 2;
  private static final int RANDOM_SEQUENCES = SOAK ? 100 : 1;
  private static final int RANDOM_LENGTH = 12;
  private static final long END_SECONDS = 60;
  private static final int CHECKS_AHEAD = 4;

  private static final String FILES =
      "append overwrite cut grow from to linked gone mode attribute allocate punch zero source";

  private static final String BASELINE =
      "for f in "
          + FILES
          + "; do head -c 100000 /dev/urandom > $f; done; : > empty; : > target;"
          + " mkdir emptied .cowfs/snapshot/baseline .cowfs/snapshot/doomed-$e";

  /** What acknowledges a step as durable. */
  private enum Ending {
    FSYNC,

    /** Of everything, by a command: the kernel keeps syncfs(2) from most FUSE file systems. */
    SYNC,
    NOTHING
  }

  /**
   * One system call that changes something, as a shell command.
   *
   * @param synced to be synced where it ends with fsync
   */
  private record Operation(String command, String synced) {}

  /** A rollback; for all else a program of the system is found. */
  private static final Operation ROLLBACK = new Operation("rollback baseline", ".");

  /** Needs the one before. */
  private static final Operation RENAME_SNAPSHOT =
      new Operation("mv .cowfs/snapshot/taken-$e .cowfs/snapshot/renamed-$e", ".");

  private static final List<Operation> OPERATIONS =
      List.of(
          new Operation(": > new", "."),
          new Operation("printf content >> empty", "empty"),
          new Operation("printf more >> append", "append"),
          new Operation(
              "printf 12345 | dd of=overwrite bs=5 seek=3 conv=notrunc status=none", "overwrite"),
          new Operation("truncate -s 5000 cut", "cut"),
          new Operation("truncate -s 200000 grow", "grow"),
          new Operation("mv -T from to", "."),
          new Operation("ln linked link", "."),
          new Operation("rm gone", "."),
          new Operation("mkdir made", "."),
          new Operation("rmdir emptied", "."),
          new Operation("ln -s anywhere symlink", "."),
          new Operation("chmod 640 mode", "mode"),
          new Operation("setfattr -n user.name -v value attribute", "attribute"),
          new Operation("fallocate -l 300000 allocate", "allocate"),
          new Operation("fallocate -p -o 5000 -l 20000 punch", "punch"),
          new Operation("fallocate -z -o 5000 -l 20000 zero", "zero"),
          new Operation("cp source target", "target"),
          new Operation("mkdir .cowfs/snapshot/taken-$e", "."),
          RENAME_SNAPSHOT,
          new Operation("rmdir .cowfs/snapshot/doomed-$e", "."));

  @TempDir Path directory;

  private final RecordingFileSystem host = new RecordingFileSystem();
  private final Random random = new Random(SEED);

  /** By step: what the mount showed after it. */
  private final List<Map<String, String>> states = new ArrayList<>();

  private final List<String> commands = new ArrayList<>();

  /** Of states that are written, on all processors; in the order of the states. */
  private final ExecutorService checkers = Executors.newFixedThreadPool(2);

  private final Queue<Future<Void>> checks = new ArrayDeque<>();
  private int opened;
  private int reordered;

  @Test
  void everyStateAfterACrashIsOneThatWasThere() throws Exception {
    System.out.println("crash states: seed " + SEED);
    record();
    try {
      replay(host.events());
      awaitChecks(0);
    } finally {
      checkers.shutdown();
      assertTrue(checkers.awaitTermination(END_SECONDS, TimeUnit.SECONDS));
    }
    System.out.printf(
        "%d steps, %d events: %d states opened, %d of them reordered%n",
        states.size(), host.events().size(), opened, reordered);
    assertTrue(reordered > 0);
  }

  /** A process that serves a pool, and what it is told to do. */
  private final class Recorded implements AutoCloseable {
    private final Path root = Files.createDirectory(directory.resolve("mnt"));
    private final Process process;
    private final BufferedReader answers;

    Recorded(Path hostRoot) throws IOException {
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "--add-opens=java.base/java.nio=ALL-UNNAMED",
                  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
                  "-cp",
                  System.getProperty("java.class.path"),
                  PoolProcess.class.getName(),
                  hostRoot.resolve("pool").toString(),
                  root.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      answers = process.inputReader(StandardCharsets.UTF_8);
      assertEquals("mounted", answers.readLine());
    }

    /** Each sequence starts from the same files; the first one finds them durable. */
    void begin(String sequence) throws Exception {
      if (states.isEmpty()) {
        shell(BASELINE, sequence);
        tell("sync");
        states.add(StateListing.ofMount(root));
        commands.add("baseline");
      } else {
        step(new Operation("mkdir .cowfs/snapshot/doomed-$e", "."), Ending.SYNC, sequence);
      }
      host.mark(states.size() - 1, true);
    }

    void step(Operation operation, Ending ending, String sequence) throws Exception {
      host.mark(states.size(), false);
      if (operation.equals(ROLLBACK)) {
        tell(operation.command());
      } else {
        shell(operation.command(), sequence);
      }
      commands.add(operation.command());
      states.add(StateListing.ofMount(root));
      switch (ending) {
        case FSYNC -> shell("sync " + operation.synced(), sequence);
        case SYNC -> tell("sync");
        case NOTHING -> {
          return;
        }
      }
      host.mark(states.size() - 1, true);
    }

    private void shell(String script, String sequence) throws Exception {
      ProcessBuilder builder =
          new ProcessBuilder("sh", "-ec", script)
              .directory(root.toFile())
              .redirectErrorStream(true);
      builder.environment().put("e", sequence);
      Process shell = builder.start();
      String output = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, shell.waitFor(), () -> script + ": " + output);
    }

    private void tell(String command) throws IOException {
      process.getOutputStream().write((command + "\n").getBytes(StandardCharsets.US_ASCII));
      process.getOutputStream().flush();
      assertEquals("done", answers.readLine(), command);
    }

    @Override
    public void close() throws IOException {
      process.getOutputStream().close();
      boolean ended = false;
      try {
        ended = process.waitFor(END_SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      if (!ended || process.exitValue() != 0) {
        process.destroyForcibly();
        new ProcessBuilder("umount", "-l", root.toString()).inheritIO().start();
        throw new IOException("the process that served the pool did not end well");
      }
    }
  }

  private void record() throws Exception {
    try (MountedMemory<RecordingFileSystem> mounted =
            MountedMemory.asHost(host, directory.resolve("host"));
        Recorded recorded = new Recorded(mounted.root)) {
      for (Ending ending : Ending.values()) {
        String sequence = ending.name();
        recorded.begin(sequence);
        for (Operation operation : OPERATIONS) {
          recorded.step(operation, ending, sequence);
        }
        recorded.step(ROLLBACK, ending, sequence);
      }
      for (int i = 0; i < RANDOM_SEQUENCES; i++) {
        randomSequence(recorded, "random-" + i);
      }
    }
  }

  private void randomSequence(Recorded recorded, String sequence) throws Exception {
    recorded.begin(sequence);
    List<Operation> left = new ArrayList<>(OPERATIONS);
    left.remove(RENAME_SNAPSHOT);
    for (int i = 0; i < RANDOM_LENGTH; i++) {
      Operation operation = left.remove(random.nextInt(left.size()));
      Ending ending = random.nextInt(3) == 0 ? Ending.FSYNC : Ending.NOTHING;
      recorded.step(operation, ending, sequence);
    }
    recorded.step(ROLLBACK, Ending.SYNC, sequence);
  }

  /** Opens each state that a crash after one of the events can leave. */
  private void replay(List<HostEvent> events) throws Exception {
    HostImage all = new HostImage();
    Durability durability = new Durability();
    int oldest = -1;
    int newest = 0;
    for (int i = 0; i < events.size(); i++) {
      HostEvent event = events.get(i);
      if (event instanceof HostEvent.Mark mark) {
        newest = Math.max(newest, mark.step());
        if (mark.durable() && oldest < 0) {
          // What came before is no matter of this test.
          durability.everything();
        }
        oldest = mark.durable() ? mark.step() : oldest;
        continue;
      }
      all.apply(event);
      boolean syncs = event instanceof HostEvent.Sync || event instanceof HostEvent.SyncAll;
      if (oldest >= 0 && syncs && durability.isPending()) {
        for (int n = 0; n < REORDERINGS; n++) {
          check(durability.afterCrash(random), oldest, newest, "reordered before event " + i);
          reordered++;
        }
      }
      durability.add(event);
      if (oldest >= 0 && !syncs) {
        check(all, oldest, newest, "after event " + i);
      }
    }
    check(all, states.size() - 1, states.size() - 1, "at the end");
  }

  /** Writes the state now; whether it is allowed is found out meanwhile. */
  private void check(HostImage image, int oldest, int newest, String where) throws Exception {
    opened++;
    Path crashed = Files.createTempDirectory(inMemory(), "cowfs-crash-state");
    image.writeTo(crashed);
    checks.add(
        checkers.submit(
            () -> {
              check(crashed, oldest, newest, where);
              return null;
            }));
    awaitChecks(CHECKS_AHEAD);
  }

  /** Waits until no more than {@code left} checks have not ended. */
  private void awaitChecks(int left) throws Exception {
    while (checks.size() > left) {
      try {
        checks.remove().get();
      } catch (ExecutionException e) {
        throw new AssertionError(e.getCause().getMessage(), e.getCause());
      }
    }
  }

  private void check(Path crashed, int oldest, int newest, String where) throws IOException {
    try {
      Map<String, String> found = open(crashed.resolve("pool"));
      for (int step = newest; step >= oldest; step--) {
        if (states.get(step).equals(found)) {
          return;
        }
      }
      Map<String, String> expected = states.get(newest);
      throw new AssertionError("no state that was there: " + difference(expected, found));
    } catch (IOException | FsException | AssertionError e) {
      throw new AssertionError(
          "seed %d, %s (steps %d to %d, the last: %s): %s"
              .formatted(SEED, where, oldest, newest, commands.get(newest), e),
          e);
    } finally {
      delete(crashed);
    }
  }

  private static String difference(Map<String, String> expected, Map<String, String> found) {
    StringBuilder text = new StringBuilder();
    expected.forEach(
        (path, words) -> {
          if (!words.equals(found.get(path))) {
            text.append("%n  %s: %s instead of %s".formatted(path, found.get(path), words));
          }
        });
    found.keySet().stream()
        .filter(path -> !expected.containsKey(path))
        .forEach(path -> text.append("%n  %s: %s".formatted(path, found.get(path))));
    return text.toString();
  }

  private static Map<String, String> open(Path crashed) throws IOException, FsException {
    try (Pool pool = Pool.open(crashed)) {
      Map<String, String> found =
          StateListing.ofPool(pool.browsableFileSystem(PoolProcess.DATASET, SnapshotRights.OWNER));
      assertEquals(List.of(), pool.audit());
      return found;
    }
  }

  /** Where files cost no disk; thousands of pools are made. */
  private Path inMemory() {
    Path memory = Path.of("/dev/shm");
    return Files.isWritable(memory) ? memory : directory;
  }

  private static void delete(Path tree) throws IOException {
    try (Stream<Path> walk = Files.walk(tree)) {
      for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
