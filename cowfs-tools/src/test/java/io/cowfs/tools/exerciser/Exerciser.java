package io.cowfs.tools.exerciser;

import io.cowfs.tools.e2e.MountedPool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Runs pairs of files side by side, in rounds. Each round ends with a snapshot whose content is
 * known; later ones look at it, or go back to it. Remounts change the compression. Used by one
 * thread.
 */
final class Exerciser implements AutoCloseable {
  private static final int PAIRS = 4;
  private static final int ROUND_OPERATIONS = 25_000;
  private static final int REMOUNT_ROUNDS = 3;
  private static final int ROLLBACK_ROUNDS = 2;
  private static final int SNAPSHOTS_KEPT = 6;
  private static final long DISTURBANCE_MS = 500;

  private final MountedPool pool;
  private final SplittableRandom random;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<ExercisedPair> pairs = new ArrayList<>();
  private final List<Snapshot> snapshots = new ArrayList<>();
  private int round;
  private boolean compressed;

  /** What the files of all pairs contain in a snapshot. */
  private record Snapshot(String name, List<List<ExercisedFile.State>> states) {}

  Exerciser(MountedPool pool, long seed) throws IOException {
    this.pool = pool;
    random = new SplittableRandom(seed);
    compressed = random.nextBoolean();
    setCompression();
    Files.createDirectory(files());
    for (int i = 0; i < PAIRS; i++) {
      pairs.add(new ExercisedPair(files(), "pair" + i, random.nextLong()));
    }
  }

  /** For what is written from now on: with it after one remount, without it after the next. */
  private void setCompression() throws IOException {
    compressed = !compressed;
    pool.succeed("set", pool.pool().toString(), "compression=" + (compressed ? "lz4" : "none"));
  }

  private Path files() {
    return pool.path("files");
  }

  private Path snapshotDirectory(String name) {
    return pool.path(".cowfs/snapshot/" + name);
  }

  void run(long operations) throws Exception {
    int rounds = (int) Math.max(1, operations / ((long) PAIRS * ROUND_OPERATIONS) + 1);
    for (round = 1; round <= rounds; round++) {
      runPairs((int) (operations / ((long) rounds * PAIRS)) + 1);
      takeSnapshot();
      verifyOneSnapshot();
      if (round % REMOUNT_ROUNDS == 0) {
        remount();
      } else if (round % ROLLBACK_ROUNDS == 0) {
        rollback();
      }
    }
  }

  private void runPairs(int operations) throws Exception {
    CountDownLatch running = new CountDownLatch(PAIRS);
    List<Future<?>> work = new ArrayList<>();
    for (ExercisedPair pair : pairs) {
      work.add(
          threads.submit(
              () -> {
                try {
                  pair.run(operations);
                } finally {
                  running.countDown();
                }
              }));
    }
    Future<?> disturbance =
        threads.submit(
            () -> {
              disturb(running);
              return null;
            });
    Throwable failure = null;
    for (Future<?> one : work) {
      failure = outcome(one, failure);
    }
    failure = outcome(disturbance, failure);
    if (failure != null) {
      throw new AssertionError("round " + round + ": " + failure.getMessage(), failure);
    }
  }

  private static Throwable outcome(Future<?> work, Throwable before) throws InterruptedException {
    try {
      work.get();
      return before;
    } catch (ExecutionException e) {
      if (before == null) {
        return e.getCause();
      }
      before.addSuppressed(e.getCause());
      return before;
    }
  }

  /** Takes and destroys snapshots while the pairs are at work. */
  private void disturb(CountDownLatch running) throws Exception {
    for (int i = 0; !running.await(DISTURBANCE_MS, TimeUnit.MILLISECONDS); i++) {
      Path snapshot = snapshotDirectory("passing" + round + "-" + i);
      Files.createDirectory(snapshot);
      if (i % 2 == 0) {
        Files.delete(snapshot);
      }
    }
  }

  private void takeSnapshot() throws IOException {
    String name = "round" + round;
    Files.createDirectory(snapshotDirectory(name));
    snapshots.add(new Snapshot(name, pairs.stream().map(ExercisedPair::states).toList()));
    if (snapshots.size() > SNAPSHOTS_KEPT) {
      Snapshot old = snapshots.remove(random.nextInt(snapshots.size() - 1));
      Files.delete(snapshotDirectory(old.name));
    }
  }

  private Snapshot anySnapshot() {
    return snapshots.get(random.nextInt(snapshots.size()));
  }

  private void verifyOneSnapshot() {
    Snapshot snapshot = anySnapshot();
    Path directory = snapshotDirectory(snapshot.name).resolve("files");
    for (int i = 0; i < PAIRS; i++) {
      pairs.get(i).verifyCopies(directory, snapshot.states.get(i));
    }
  }

  private void remount() throws IOException {
    pairs.forEach(ExercisedPair::letGo);
    pool.remount();
    setCompression();
    pairs.forEach(ExercisedPair::takeUp);
    verifyAll();
  }

  /** While the files are open and mapped. */
  private void rollback() throws IOException {
    Snapshot snapshot = anySnapshot();
    pool.succeed("rollback", pool.root() + "@" + snapshot.name);
    for (int i = 0; i < PAIRS; i++) {
      pairs.get(i).restored(snapshot.states.get(i));
    }
    verifyAll();
  }

  private void verifyAll() {
    for (ExercisedPair pair : pairs) {
      pair.files().forEach(ExercisedFile::verify);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
    pairs.forEach(ExercisedPair::close);
  }
}
