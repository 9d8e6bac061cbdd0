package io.cowfs.core.scrub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.dataset.ScrubRecord;
import io.cowfs.core.dataset.ScrubRecord.Stage;
import io.cowfs.core.pool.PoolAdministration;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.scrub.References.Content;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Between the pieces of a scrub the pool changes at random: files, cloned ranges, snapshots,
 * datasets, rollbacks, destructions, power cuts. What was there from the beginning of the scrub to
 * its end was read from the medium; and nothing sound is ever a finding.
 *
 * <p>{@code -Dcowfs.test.rounds=N}, {@code -Dcowfs.test.seed=N}.
 */
final class ScrubModelTest {
  private static final long CAPACITY_BYTES = 1L << 30;
  private static final int ROUNDS =
      Integer.getInteger("cowfs.test.rounds", Boolean.getBoolean("cowfs.soak") ? 400 : 16);
  private static final long SEED = Long.getLong("cowfs.test.seed", System.nanoTime());
  private static final int FILES = 12;
  private static final int SMALL_FILES = 400;
  private static final int FILE_BYTES_MAX = 400_000;

  @TempDir Path directory;

  @Test
  void whatLivesFromBeginningToEndIsReadAndNothingSoundIsFound() throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      long seed = SEED + round;
      try (Run run = new Run(directory.resolve("p" + round), seed)) {
        run.scrubWhileChanging();
      } catch (AssertionError | IOException | RuntimeException | FsException failure) {
        throw new AssertionError("-Dcowfs.test.seed=" + seed + ": " + failure, failure);
      }
    }
  }

  private static final class Run implements AutoCloseable {
    private final Random random;
    private final TestPool pool;
    private final List<String> datasets = new ArrayList<>(List.of("root"));
    private int nextName;
    private boolean clonesUnknown;
    private long clonesAtBegin;

    Run(Path directory, long seed) throws Exception {
      random = new Random(seed);
      CompressionSetting compression =
          new CompressionSetting(random.nextBoolean() ? Compression.NONE : Compression.LZ4, 0);
      pool = TestPool.create(directory, CAPACITY_BYTES, compression, TestPool.ON_DEMAND);
      for (int i = 0; i < SMALL_FILES; i++) {
        small(pool.fileSystem(), i);
      }
      for (int i = 0; i < 60; i++) {
        change();
      }
      commit();
    }

    private void commit() throws IOException {
      pool.pool().sync();
      pool.commit();
    }

    void scrubWhileChanging() throws Exception {
      Set<Content> before = References.all(pool);
      pool.device().takeMediumReads();
      ScrubRecord at =
          ScrubRecord.begin(pool.pool().status().txg(), Instant.EPOCH, 0)
              .movedTo(Stage.SNAPSHOTS, 0, Optional.empty());
      clonesAtBegin = clones();
      Set<Long> read = new HashSet<>();
      ScrubRecord durable = at;
      ScrubWalk walk = null;
      DamageReport report = null;
      for (int round = 1; ; ) {
        if (walk == null) {
          SpaceAudit.Sources now = pool.sources();
          report = new DamageReport(() -> nodes(), now.store()::readBlock, now.items(), List.of());
          walk = new ScrubWalk(() -> nodes(), now.store(), now.items(), report, () -> false);
        }
        at = walk.piece(at, 1 + random.nextInt(random.nextInt(10) == 0 ? 4 << 20 : 150_000));
        assertEquals(List.of(), report.takeAdded());
        assertEquals(0, report.takeErrors());
        if (at.stage() == Stage.COMPLETE) {
          if (clonesAtBegin == clones() && !clonesUnknown) {
            walk.close();
            break;
          }
          clonesUnknown = false;
          clonesAtBegin = clones();
          commit();
          at = at.nextRound(pool.pool().status().txg(), 0);
          round++;
        }
        durable = random.nextInt(3) == 0 ? at : durable;
        // Later rounds come to their end: less and less happens.
        for (int i = random.nextInt(12) / round; i > 0; i--) {
          change();
        }
        if (random.nextInt(12) == 0) {
          read.addAll(pool.device().takeMediumReads().keySet());
          walk.close();
          reopen();
          at = durable;
          clonesUnknown = true;
          walk = null;
        }
      }
      read.addAll(pool.device().takeMediumReads().keySet());
      commit();
      Set<Content> both = References.all(pool);
      both.retainAll(before);
      assertTrue(both.size() > 10, "too little was left: " + both.size());
      both.removeIf(content -> read.contains(content.sector()));
      assertEquals(Set.of(), both, "not read");
    }

    private List<NodeRecord> nodes() {
      try {
        return pool.sources().nodes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private long clones() throws IOException {
      return pool.clonedRanges();
    }

    /** What was committed stays: a crash, or an orderly end. */
    private void reopen() throws IOException {
      commit();
      if (random.nextBoolean()) {
        pool.crash(random);
        pool.open();
      } else {
        pool.reopen();
      }
    }

    // ---- what happens meanwhile

    private void change() throws FsException, IOException {
      String dataset = datasets.get(random.nextInt(datasets.size()));
      FileSystem fs = pool.pool().fileSystem(dataset);
      PoolAdministration administration = pool.pool().administration();
      switch (random.nextInt(17)) {
        case 0, 1, 2, 3 -> write(fs);
        case 14, 15 -> small(fs, random.nextInt(SMALL_FILES));
        case 16 -> remove(fs, "g" + random.nextInt(SMALL_FILES));
        case 4 -> truncate(fs);
        case 5 -> remove(fs, "f" + random.nextInt(FILES));
        case 6, 7 -> copy(fs);
        case 8 -> punch(fs);
        case 9, 10 -> administration.snapshot(dataset, "s" + nextName++, Scope.ONE);
        case 11 -> destroy(dataset);
        case 12 -> history(dataset);
        default -> commit();
      }
    }

    private FileHandle open(FileSystem fs) throws FsException {
      return open(fs, "f" + random.nextInt(FILES));
    }

    private static FileHandle open(FileSystem fs, String text) throws FsException {
      byte[] name = text.getBytes(UTF_8);
      try {
        long inode = fs.lookup(FileSystem.ROOT_INODE, name).inode();
        FileHandle file = fs.open(inode, Set.of());
        fs.forget(inode, 1);
        return file;
      } catch (FsException absent) {
        FileSystem.Created made =
            fs.create(Caller.ROOT, FileSystem.ROOT_INODE, name, 0644, Set.of());
        fs.forget(made.attributes().inode(), 1);
        return made.handle();
      }
    }

    /** A file that lies in the tree, or is a little more: there are many, so trees have leaves. */
    private void small(FileSystem fs, int number) throws FsException {
      FileHandle file = open(fs, "g" + number);
      byte[] content = ScrubTest.random(random.nextLong(), 1 + random.nextInt(2500));
      fs.write(Caller.ROOT, file, 0, ByteBuffer.wrap(content), false);
      fs.release(file);
    }

    private void write(FileSystem fs) throws FsException {
      FileHandle file = open(fs);
      byte[] content = ScrubTest.random(random.nextLong(), 1 + random.nextInt(FILE_BYTES_MAX));
      if (random.nextBoolean()) {
        Arrays.fill(content, content.length / 2, content.length, content[0]);
      }
      long offset = random.nextInt(FILE_BYTES_MAX);
      fs.write(Caller.ROOT, file, offset, ByteBuffer.wrap(content), false);
      fs.release(file);
    }

    private void truncate(FileSystem fs) throws FsException {
      FileHandle file = open(fs);
      long size = random.nextInt(FILE_BYTES_MAX);
      fs.setAttributes(
          Caller.ROOT,
          file.inode(),
          file,
          new AttributeChange(null, null, null, size, null, null, null, false));
      fs.release(file);
    }

    private void punch(FileSystem fs) throws FsException {
      FileHandle file = open(fs);
      int from = random.nextInt(FILE_BYTES_MAX);
      fs.allocate(
          file, FileSystem.AllocationMode.PUNCH_HOLE, from, 1 + random.nextInt(FILE_BYTES_MAX));
      fs.release(file);
    }

    private void remove(FileSystem fs, String name) throws FsException {
      try {
        fs.unlink(FileSystem.ROOT_INODE, name.getBytes(UTF_8));
      } catch (FsException absent) {
        // Nothing to remove.
      }
    }

    /** Clones a file within its dataset, and often removes the source. */
    private void copy(FileSystem fs) throws FsException {
      FileHandle source = open(fs);
      FileHandle target = open(fs);
      if (source.inode() != target.inode()) {
        fs.copyRange(
            Caller.ROOT, new FileSystem.Copy(source, 0, target, 0, 2L * FILE_BYTES_MAX), false);
        if (random.nextBoolean()) {
          fs.setAttributes(
              Caller.ROOT,
              source.inode(),
              source,
              new AttributeChange(null, null, null, 0L, null, null, null, false));
        }
      }
      fs.release(source);
      fs.release(target);
    }

    private String anySnapshot(String dataset) {
      List<String> names =
          pool.pool().list().stream()
              .filter(info -> info.dataset().equals(dataset) && !info.snapshot().isEmpty())
              .map(info -> info.snapshot())
              .toList();
      return names.isEmpty() ? null : names.get(random.nextInt(names.size()));
    }

    private void destroy(String dataset) throws IOException {
      String snapshot = anySnapshot(dataset);
      if (snapshot != null) {
        pool.pool().administration().destroySnapshots(dataset, snapshot, Scope.ONE, Mode.EXECUTE);
      }
    }

    private void history(String dataset) throws IOException {
      PoolAdministration administration = pool.pool().administration();
      String snapshot = anySnapshot(dataset);
      if (snapshot == null) {
        return;
      }
      if (random.nextBoolean()) {
        administration.rollback(dataset, snapshot);
      } else if (datasets.size() < 4) {
        String name = "d" + nextName++;
        administration.cloneSnapshot(dataset, snapshot, name, Map.of());
        datasets.add(name);
      } else {
        String doomed = datasets.remove(1 + random.nextInt(datasets.size() - 1));
        pool.pool().closeFileSystem(doomed);
        administration.destroyDataset(doomed, Scope.WITH_DESCENDANTS, Mode.EXECUTE);
      }
    }

    @Override
    public void close() throws IOException {
      pool.close();
    }
  }
}
