package io.cowfs.core.pool;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.fs.RelocationPlanner;
import io.cowfs.core.fs.Volume;
import io.cowfs.core.pool.DefragmentationReport.Ending;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.txg.DirtyLimit;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files are defragmented while all kinds of things happen to them. */
final class DefragmentationTest {
  private static final int SECTOR = 4096;
  private static final long SEED = Long.getLong("cowfs.test.seed", 20_261_129);
  private static final int ROUNDS = Integer.getInteger("cowfs.test.rounds", 6);
  private static final int STEPS = Integer.getInteger("cowfs.test.steps", 150);
  private static final int FILE_BYTES_MAX = 3 << 20;
  private static final CompressionSetting NONE = new CompressionSetting(Compression.NONE, 0);
  private static final CompressionSetting LZ4 = new CompressionSetting(Compression.LZ4, 0);

  @TempDir Path directory;

  /** A pool with some files, whose content is known. */
  private static final class Work implements AutoCloseable {
    final TestPool pool;
    final Random random;
    final List<byte[]> contents = new ArrayList<>();
    private final CompressionSetting compression;
    private final List<FileHandle> handles = new ArrayList<>();
    private final List<String> snapshots = new ArrayList<>();
    private final List<List<byte[]>> kept = new ArrayList<>();
    private int names;

    Work(Path directory, CompressionSetting compression, DirtyLimit limit, long seed)
        throws Exception {
      this.compression = compression;
      random = new Random(seed);
      pool = TestPool.create(directory, 192L << 20, compression, limit);
      for (int i = 0; i < 3; i++) {
        handles.add(
            fs().create(
                    Caller.ROOT,
                    FileSystem.ROOT_INODE,
                    name(i),
                    0644,
                    Set.of(OpenFlags.READ, OpenFlags.WRITE))
                .handle());
        contents.add(new byte[0]);
      }
    }

    static byte[] name(int file) {
      return ("f" + file).getBytes(StandardCharsets.UTF_8);
    }

    Volume fs() throws IOException {
      return (Volume) pool.fileSystem();
    }

    void openFiles() throws Exception {
      handles.clear();
      for (int i = 0; i < contents.size(); i++) {
        long inode = fs().lookup(FileSystem.ROOT_INODE, name(i)).inode();
        handles.add(fs().open(inode, Set.of(OpenFlags.READ, OpenFlags.WRITE)));
      }
    }

    private byte[] some(int length) {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      if (!compression.equals(NONE) && random.nextInt(3) > 0) {
        for (int i = 0; i < length; i++) {
          bytes[i] &= 3;
        }
      }
      return bytes;
    }

    void write(int file, int at, byte[] bytes) throws Exception {
      fs().write(Caller.ROOT, handles.get(file), at, ByteBuffer.wrap(bytes), false);
      byte[] content = contents.get(file);
      content = Arrays.copyOf(content, Math.max(content.length, at + bytes.length));
      System.arraycopy(bytes, 0, content, at, bytes.length);
      contents.set(file, content);
    }

    void step() throws Exception {
      int file = random.nextInt(contents.size());
      int length = contents.get(file).length;
      switch (random.nextInt(20)) {
        case 0 -> {
          int size = random.nextInt(length + 1);
          fs().setAttributes(
                  Caller.ROOT,
                  handles.get(file).inode(),
                  handles.get(file),
                  new AttributeChange(null, null, null, (long) size, null, null, null, false));
          contents.set(file, Arrays.copyOf(contents.get(file), size));
        }
        case 1 -> clone(file);
        case 2 -> snapshots();
        case 3, 4 -> write(file, random.nextInt(2 << 20), some(1 + random.nextInt(700_000)));
        case 5, 6, 7 -> pool.commit();
        default -> {
          int at = random.nextInt(Math.max(1, length / SECTOR)) * SECTOR;
          write(file, at, some(1 + random.nextInt(3 * SECTOR)));
        }
      }
    }

    private void clone(int to) throws Exception {
      int from = random.nextInt(contents.size());
      int sectors = contents.get(from).length / SECTOR;
      if (from == to || sectors < 2) {
        return;
      }
      int first = random.nextInt(sectors);
      int count = 1 + random.nextInt(sectors - first);
      int at = random.nextInt(contents.get(to).length / SECTOR + 1) * SECTOR;
      if (at + count * SECTOR > FILE_BYTES_MAX) {
        return;
      }
      fs().cloneRange(
              fs(),
              handles.get(from),
              (long) first * SECTOR,
              handles.get(to),
              at,
              (long) count * SECTOR);
      byte[] content = contents.get(to);
      content = Arrays.copyOf(content, Math.max(content.length, at + count * SECTOR));
      System.arraycopy(contents.get(from), first * SECTOR, content, at, count * SECTOR);
      contents.set(to, content);
    }

    private void snapshots() throws Exception {
      if (snapshots.size() < 3) {
        String name = "s" + names++;
        pool.snapshot(name);
        snapshots.add(name);
        kept.add(List.copyOf(contents));
      } else {
        int gone = random.nextInt(snapshots.size());
        kept.remove(gone);
        pool.pool()
            .administration()
            .destroySnapshots("root", snapshots.remove(gone), Scope.ONE, Mode.EXECUTE);
      }
    }

    void compare() throws Exception {
      for (int i = 0; i < contents.size(); i++) {
        ByteBuffer read = ByteBuffer.allocate(contents.get(i).length);
        fs().read(handles.get(i), 0, read.capacity(), read);
        assertArrayEquals(contents.get(i), read.array(), "f" + i);
      }
    }

    /** By way of clones of them. */
    void compareSnapshots() throws Exception {
      for (int i = 0; i < snapshots.size(); i++) {
        String clone = "look" + names++;
        PoolAdministration administration = pool.pool().administration();
        administration.cloneSnapshot("root", snapshots.get(i), clone, Map.of());
        FileSystem looked = pool.pool().fileSystem(clone);
        for (int file = 0; file < contents.size(); file++) {
          byte[] expected = kept.get(i).get(file);
          long inode = looked.lookup(FileSystem.ROOT_INODE, name(file)).inode();
          FileHandle handle = looked.open(inode, Set.of(OpenFlags.READ));
          ByteBuffer read = ByteBuffer.allocate(expected.length);
          looked.read(handle, 0, read.capacity(), read);
          assertArrayEquals(expected, read.array(), snapshots.get(i) + " f" + file);
          looked.release(handle);
        }
        pool.pool().closeFileSystem(clone);
        administration.destroyDataset(clone, Scope.ONE, Mode.EXECUTE);
      }
    }

    /** Looks without a commit. */
    long runs(int file) throws Exception {
      return RelocationPlanner.runs(pool.liveTree("root"), handles.get(file).inode()).runs();
    }

    DefragmentationReport defragment() throws IOException {
      return pool.pool().defragmenter().run((soFar, part) -> true);
    }

    @Override
    public void close() throws Exception {
      pool.close();
    }
  }

  private interface Body {
    void run(Work work) throws Exception;
  }

  private void rounds(DirtyLimit limit, int salt, Body body) throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      long seed = SEED + salt * 1000L + round;
      CompressionSetting compression = round % 2 == 0 ? NONE : LZ4;
      System.out.printf("%s: seed %d, %d steps%n", compression, seed, STEPS);
      try (Work work = new Work(directory.resolve("p" + salt + round), compression, limit, seed)) {
        body.run(work);
      } catch (AssertionError | Exception failure) {
        throw new AssertionError("seed " + seed + ": " + failure, failure);
      }
    }
  }

  @Test
  void nothingChangesButWhereItLies() throws Exception {
    long[] moved = {0};
    rounds(
        TestPool.ON_DEMAND,
        1,
        work -> {
          for (int step = 0; step < STEPS; step++) {
            work.step();
            if (step % 25 == 24) {
              DefragmentationReport report = work.defragment();
              assertEquals(Ending.COMPLETE, report.ending(), report.toString());
              assertEquals(0, report.changedBytes(), report.toString());
              moved[0] += report.movedBytes();
              work.pool.audit();
              work.compare();
              // What could be done is done.
              assertEquals(0, work.defragment().movedBytes());
            }
          }
          work.compareSnapshots();
          work.pool.reopen();
          work.openFiles();
          work.pool.dropCaches();
          work.compare();
          work.pool.audit();
        });
    assertTrue(moved[0] > 1 << 20, "moved " + moved[0]);
  }

  @Test
  void whoeverWritesMeanwhileWins() throws Exception {
    rounds(
        TestPool.RESTLESS,
        2,
        work -> {
          AtomicBoolean done = new AtomicBoolean();
          Throwable[] failure = new Throwable[1];
          long[] moved = {0};
          Thread defragmenting =
              new Thread(
                  () -> {
                    try {
                      while (!done.get()) {
                        moved[0] += work.defragment().movedBytes();
                      }
                    } catch (Throwable thrown) {
                      failure[0] = thrown;
                    }
                  });
          defragmenting.start();
          try {
            for (int step = 0; step < 4 * STEPS; step++) {
              work.step();
              if (step % 50 == 49) {
                work.compare();
              }
            }
          } finally {
            done.set(true);
            defragmenting.join();
          }
          if (failure[0] != null) {
            throw new AssertionError(failure[0]);
          }
          assertTrue(moved[0] > 0);
          work.compare();
          work.compareSnapshots();
          work.pool.audit();
        });
  }

  @Test
  void aPowerFailureAtAnyTimeLosesNothing() throws Exception {
    rounds(
        TestPool.ON_DEMAND,
        3,
        work -> {
          for (int crash = 0; crash < 12; crash++) {
            for (int step = 0; step < STEPS / 8; step++) {
              work.step();
            }
            work.pool.commit();
            work.pool.device().failPowerAt(1 + work.random.nextInt(30));
            try {
              work.defragment();
              work.defragment();
            } catch (IOException expected) {
              // The power failed.
            }
            work.pool.crash(work.random);
            work.pool.open();
            work.pool.audit();
            work.openFiles();
            work.compare();
          }
          work.compareSnapshots();
        });
  }

  @Test
  void whatASnapshotSharesStaysShared() throws Exception {
    try (Work work = new Work(directory.resolve("p"), NONE, TestPool.ON_DEMAND, 7)) {
      work.write(0, 0, work.some(2 << 20));
      work.pool.commit();
      for (int at = 0; at < 2 << 20; at += 4 * SECTOR) {
        work.write(0, at, work.some(SECTOR));
      }
      work.pool.commit();
      work.pool.snapshot("s");
      for (int at = SECTOR; at < 1 << 20; at += 2 * SECTOR) {
        work.write(0, at, work.some(SECTOR));
      }
      for (int i = 0; i < 4; i++) {
        work.pool.commit();
      }
      long before = work.pool.pool().status().allocatedBytes();
      DefragmentationReport report = work.defragment();
      assertTrue(report.sharedBytes() > 1 << 20, report.toString());
      for (int i = 0; i < 4; i++) {
        work.pool.commit();
      }
      long after = work.pool.pool().status().allocatedBytes();
      assertTrue(after <= before + (64 << 10), before + " became " + after);
      work.pool.destroySnapshot("s");
      DefragmentationReport then = work.defragment();
      assertEquals(0, then.sharedBytes());
      assertTrue(then.after().runs() <= 3, then.toString());
      work.compare();
      work.pool.audit();
    }
  }

  /** Files of 64 KiB, one behind the other. */
  private static void scatter(Work work, int files) throws Exception {
    for (int i = 3; i < files; i++) {
      work.handles.add(
          work.fs()
              .create(
                  Caller.ROOT,
                  FileSystem.ROOT_INODE,
                  Work.name(i),
                  0644,
                  Set.of(OpenFlags.READ, OpenFlags.WRITE))
              .handle());
      work.contents.add(new byte[0]);
      work.write(i, 0, work.some(64 << 10));
    }
    work.pool.commit();
  }

  private static void thinOut(Work work, int oneOf) throws Exception {
    for (int i = 0; i < work.contents.size(); i++) {
      if (i % oneOf != 3) {
        work.fs()
            .setAttributes(
                Caller.ROOT,
                work.handles.get(i).inode(),
                work.handles.get(i),
                new AttributeChange(null, null, null, 0L, null, null, null, false));
        work.contents.set(i, new byte[0]);
      }
    }
    settle(work);
  }

  private static void settle(Work work) throws IOException {
    for (int i = 0; i < 4; i++) {
      work.pool.commit();
    }
  }

  /** Free mebibytes in runs of 2 MiB and more, those behind everything included. */
  private static long inLongRuns(Work work) throws IOException {
    Fragmentation.FreeSpace free = work.pool.pool().fragmentation().free();
    return free.behindBytes()
            + free.runs().stream()
                .filter(runs -> runs.fromBytes() >= 2 << 20)
                .mapToLong(Fragmentation.FreeRunsOfSize::bytes)
                .sum()
        >> 20;
  }

  @Test
  void whatIsAloneInItsPartOfTheDeviceIsPutTogether() throws Exception {
    try (Work work = new Work(directory.resolve("p"), NONE, TestPool.ON_DEMAND, 11)) {
      scatter(work, 1600);
      thinOut(work, 16);
      long before = inLongRuns(work);
      DefragmentationReport report = work.defragment();
      assertEquals(Ending.COMPLETE, report.ending());
      assertEquals(0, report.movedBytes());
      assertTrue(report.consolidatedBytes() >= 5 << 20, report.toString());
      assertTrue(report.gainedBytes() >= 80 << 20, report.toString());
      settle(work);
      long after = inLongRuns(work);
      assertTrue(after - before >= 60, before + " MiB became " + after);
      assertEquals(0, work.defragment().consolidatedBytes(), "what could be done is done");
      work.compare();
      work.pool.audit();
      work.pool.reopen();
      work.openFiles();
      work.compare();
      work.pool.audit();
    }
  }

  /** A daemon that has just begun knows of no hole that the host has space for. */
  @Test
  void freeSpaceIsPutTogetherRightAfterOpening() throws Exception {
    try (Work work = new Work(directory.resolve("p"), NONE, TestPool.ON_DEMAND, 13)) {
      scatter(work, 1600);
      thinOut(work, 32);
      work.pool.reopen();
      work.openFiles();
      DefragmentationReport report = work.defragment();
      assertEquals(0, report.stuckBytes(), report.toString());
      assertTrue(report.gainedBytes() >= 80 << 20, report.toString());
      work.compare();
      work.pool.audit();
    }
  }

  /** Copies are apart from each other, so each needs a part of the device of its own. */
  @Test
  void aFileWithCopiesIsNotMovedAgainAndAgain() throws Exception {
    try (Work work = new Work(directory.resolve("p"), NONE, TestPool.ON_DEMAND, 14)) {
      work.pool.pool().administration().setProperties("root", null, Map.of("copies", "3"));
      work.write(0, 0, work.some(400 << 10));
      settle(work);
      DefragmentationReport report = work.defragment();
      assertEquals(0, report.consolidatedBytes(), report.toString());
      assertEquals(0, report.gainedBytes(), report.toString());
    }
  }

  @Test
  void whatASnapshotHasKeepsItsPartOfTheDevice() throws Exception {
    try (Work work = new Work(directory.resolve("p"), NONE, TestPool.ON_DEMAND, 12)) {
      scatter(work, 800);
      work.pool.snapshot("s");
      thinOut(work, 16);
      assertEquals(0, work.defragment().consolidatedBytes());
      work.pool.destroySnapshot("s");
      settle(work);
      assertTrue(work.defragment().consolidatedBytes() > 0);
      work.compare();
      work.pool.audit();
    }
  }

  @Test
  void copiesStayCopies() throws Exception {
    try (Work work = new Work(directory.resolve("p"), NONE, TestPool.ON_DEMAND, 8)) {
      work.pool.pool().administration().setProperties("root", null, Map.of("copies", "3"));
      work.write(0, 0, work.some(1 << 20));
      work.pool.commit();
      for (int at = 0; at < 1 << 20; at += 2 * SECTOR) {
        work.write(0, at, work.some(SECTOR));
      }
      work.pool.commit();
      work.pool.pool().administration().setProperties("root", null, Map.of("copies", "1"));
      long inode = work.handles.get(0).inode();
      long allocated = work.fs().getAttributes(inode).allocatedBytes();
      DefragmentationReport report = work.defragment();
      assertEquals(1, report.after().runs(), report.toString());
      assertEquals(allocated, work.fs().getAttributes(inode).allocatedBytes());
      assertEquals(3L << 20, report.movedBytes());
      work.pool.audit();
      work.compare();
    }
  }

  @Test
  void aFullPoolIsLeftAlone() throws Exception {
    try (Work work = new Work(directory.resolve("p"), NONE, TestPool.ON_DEMAND, 9)) {
      work.write(0, 0, work.some(2 << 20));
      work.pool.commit();
      for (int at = 0; at < 2 << 20; at += 2 * SECTOR) {
        work.write(0, at, work.some(SECTOR));
      }
      work.pool.commit();
      byte[] filling = work.some(1 << 20);
      FsException full =
          assertThrows(
              FsException.class,
              () -> {
                for (int at = 0; ; at += filling.length) {
                  work.fs()
                      .write(Caller.ROOT, work.handles.get(1), at, ByteBuffer.wrap(filling), false);
                  work.pool.commit();
                }
              });
      assertEquals(FsError.NO_SPACE, full.error());
      DefragmentationReport report = work.defragment();
      assertEquals(Ending.NO_SPACE, report.ending(), report.toString());
      assertEquals(0, report.movedBytes());
      work.pool.audit();
      // What is deleted makes room for it.
      work.fs().release(work.handles.get(1));
      work.fs().unlink(FileSystem.ROOT_INODE, Work.name(1));
      work.fs().forget(work.handles.get(1).inode(), 1);
      work.pool.commit();
      report = work.defragment();
      assertEquals(Ending.COMPLETE, report.ending(), report.toString());
      assertTrue(report.movedBytes() > 0, report.toString());
      work.pool.audit();
    }
  }

  @Test
  void itCanBeStoppedAndOneRunsAtATime() throws Exception {
    try (Work work = new Work(directory.resolve("p"), NONE, TestPool.ON_DEMAND, 10)) {
      work.write(0, 0, work.some(1 << 20));
      work.pool.commit();
      for (int at = 0; at < 1 << 20; at += 2 * SECTOR) {
        work.write(0, at, work.some(SECTOR));
      }
      Defragmenter defragmenter = work.pool.pool().defragmenter();
      DefragmentationReport report =
          defragmenter.run(
              (soFar, part) -> {
                DatasetException busy =
                    assertThrows(DatasetException.class, () -> defragmenter.run((a, b) -> true));
                assertEquals(Reason.BUSY, busy.reason());
                return false;
              });
      assertEquals(Ending.STOPPED, report.ending());
      DatasetException missing =
          assertThrows(
              DatasetException.class,
              () ->
                  defragmenter.run(
                      "root", "none".getBytes(StandardCharsets.UTF_8), (a, b) -> true));
      assertEquals(Reason.NOT_FOUND, missing.reason());
      work.pool.pool().administration().setProperties("root", null, Map.of("readonly", "on"));
      assertEquals(List.of("root"), work.defragment().skipped());
      assertThrows(IOException.class, () -> defragmenter.run("root", new byte[0], (a, b) -> true));
    }
  }

  @Test
  void inTheBackgroundOnlyWhatIsBadAndOnlyWhenNothingElseHappens() throws Exception {
    try (Work work = new Work(directory.resolve("p"), NONE, TestPool.ON_DEMAND, 12)) {
      for (int file = 0; file < 2; file++) {
        work.write(file, 0, work.some(1 << 20));
      }
      work.pool.commit();
      for (int at = 0; at < 40 * SECTOR; at += 2 * SECTOR) {
        work.write(0, at, work.some(SECTOR));
      }
      work.write(1, 4 * SECTOR, work.some(SECTOR));
      work.pool.commit();
      BackgroundDefragmentation background = work.pool.pool().newBackgroundDefragmentation();
      long[] before = {work.runs(0), work.runs(1)};
      assertTrue(before[0] > 20 && before[1] > 1, Arrays.toString(before));
      background.look();
      background.look();
      assertEquals(before[0], work.runs(0), "nobody asked for it");
      work.pool
          .pool()
          .administration()
          .setProperties("root", null, Map.of("defrag.background", "8"));
      background.look();
      assertEquals(before[0], work.runs(0), "something was committed since the last look");
      work.write(2, 0, work.some(SECTOR));
      background.look();
      assertEquals(before[0], work.runs(0), "something is to be committed");
      work.pool.commit();
      background.look();
      background.look();
      assertEquals(1, work.runs(0));
      assertEquals(before[1], work.runs(1), "that is not so bad");
      long txg = work.pool.pool().status().txg();
      background.look();
      background.look();
      assertEquals(txg, work.pool.pool().status().txg(), "nothing is left to do");
      for (int at = 0; at < 40 * SECTOR; at += 2 * SECTOR) {
        work.write(1, at, work.some(SECTOR));
      }
      work.pool.commit();
      background.look();
      background.look();
      assertEquals(1, work.runs(1));
      work.compare();
      work.pool.audit();
    }
  }

  @Test
  void aDatasetThatIsNotOpenIsOpenForItOnly() throws Exception {
    try (Work work = new Work(directory.resolve("p"), NONE, TestPool.ON_DEMAND, 11)) {
      PoolAdministration administration = work.pool.pool().administration();
      administration.createDataset("d", Map.of());
      FileSystem fs = work.pool.pool().fileSystem("d");
      FileHandle file =
          fs.create(Caller.ROOT, FileSystem.ROOT_INODE, Work.name(0), 0644, Set.of()).handle();
      fs.write(Caller.ROOT, file, 0, ByteBuffer.wrap(work.some(1 << 20)), false);
      work.pool.commit();
      for (int at = 0; at < 1 << 20; at += 2 * SECTOR) {
        fs.write(Caller.ROOT, file, at, ByteBuffer.wrap(work.some(SECTOR)), false);
      }
      fs.release(file);
      work.pool.pool().closeFileSystem("d");
      DefragmentationReport report =
          work.pool.pool().defragmenter().run("d", new byte[0], (a, b) -> true);
      assertEquals(1, report.after().runs(), report.toString());
      assertEquals(1, report.movedFiles());
      work.pool.audit();
      administration.destroyDataset("d", Scope.ONE, Mode.EXECUTE);
    }
  }
}
