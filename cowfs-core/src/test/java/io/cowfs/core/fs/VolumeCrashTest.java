package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * After a crash or an I/O error at any moment the pool opens with what was there at a commit: the
 * last one that was waited for, or the one that was on its way.
 */
class VolumeCrashTest {
  private static final long CAPACITY_BYTES = 256L << 20;
  private static final long SEED = Long.getLong("cowfs.test.seed", 20_261_124);
  private static final int CRASHES = Integer.getInteger("cowfs.test.crashes", 50);
  private static final int STEPS_MAX = 400;

  @TempDir Path directory;

  private TestPool pool;
  private VolumeDriver driver;
  private Random random;

  /** What a restart may find: the first is certain, the second may have been committed. */
  private Model synced;

  private Model attempted;
  private final TreeMap<String, Model> snapshots = new TreeMap<>();
  private int nextSnapshot;
  private int found;

  @Test
  void powerCutAtEveryWriteKeepsWholeTxgs() throws Exception {
    crashes(Operation.WRITE, true, 1);
  }

  @Test
  void powerCutAtEverySyncKeepsWholeTxgs() throws Exception {
    crashes(Operation.SYNC, true, 2);
  }

  @Test
  void errorAtEveryWriteKeepsWholeTxgs() throws Exception {
    crashes(Operation.WRITE, false, 3);
  }

  @Test
  void errorAtEverySyncKeepsWholeTxgs() throws Exception {
    crashes(Operation.SYNC, false, 4);
  }

  private void crashes(Operation failing, boolean powerCut, int salt) throws Exception {
    long seed = SEED + salt;
    System.out.printf("crashes at %s, power cut %b: seed %d%n", failing, powerCut, seed);
    random = new Random(seed);
    CompressionSetting compression =
        salt % 2 == 0 ? CompressionSetting.LZ4 : CompressionSetting.NONE;
    pool = TestPool.create(directory, CAPACITY_BYTES, compression, TestPool.ON_DEMAND);
    Model model = new Model(FileSystem.ROOT_INODE);
    Attributes root = pool.fileSystem().getAttributes(FileSystem.ROOT_INODE);
    model.root.mode = root.mode() & 07777;
    model.root.uid = root.uid();
    model.root.gid = root.gid();
    driver = new VolumeDriver(pool.fileSystem(), model);
    synced = model.copy();
    int reach = failing == Operation.SYNC ? 10 : 40;
    for (int crash = 0; crash < CRASHES; crash++) {
      long nth = crash < reach ? crash + 1 : 1 + random.nextInt(2 * reach);
      try {
        pool.device().failFrom(failing, nth, Fault.IO_ERROR);
        runUntilFailure();
        restart(powerCut);
      } catch (AssertionError | FsException | IOException failure) {
        throw new AssertionError(
            "seed %d, crash %d at %s %d: %s".formatted(seed, crash, failing, nth, failure),
            failure);
      }
    }
    pool.close();
    System.out.printf("%d of %d found the commit that was on its way%n", found, CRASHES);
    assertTrue(found < CRASHES, "no commit was ever lost");
  }

  private void runUntilFailure() throws IOException, FsException {
    for (int step = 0; step < STEPS_MAX; step++) {
      attempted = null;
      try {
        int kind = random.nextInt(12);
        if (kind == 0) {
          attempted = driver.model().copy();
          pool.fileSystem().syncAll();
          synced = attempted;
          pool.remember();
        } else if (kind == 1 && random.nextInt(6) == 0) {
          snapshot();
        } else if (kind == 2 && random.nextInt(12) == 0 && !snapshots.isEmpty()) {
          attempted = driver.model().copy();
          pool.destroySnapshot(snapshots.firstKey());
          snapshots.remove(snapshots.firstKey());
          synced = attempted;
        } else {
          driver.step(random.nextLong());
        }
      } catch (FsException failure) {
        assertTrue(
            failure.error() == FsError.IO || failure.error() == FsError.READ_ONLY,
            () -> driver.trace() + failure);
        return;
      } catch (IOException failure) {
        return;
      }
    }
    attempted = driver.model().copy();
  }

  private void snapshot() throws IOException {
    attempted = driver.model().copy();
    String name = "s" + nextSnapshot++;
    Model kept = attempted.copy();
    snapshots.put(name, kept);
    pool.snapshot(name);
    synced = attempted;
  }

  private void restart(boolean powerCut) throws IOException, FsException {
    if (powerCut) {
      pool.crash(random);
    } else {
      pool.closeAfterFailure();
    }
    pool.open();
    pool.auditAsFound();
    FileSystem fs = pool.fileSystem();
    Model expected = synced;
    if (attempted != null && isWhatIsThere(fs, attempted)) {
      found++;
      expected = attempted;
    }
    expected.compare(fs, random);
    synced = expected;
    driver.reopened(fs, expected.copy());
    checkSnapshots();
    pool.audit();
  }

  private boolean isWhatIsThere(FileSystem fs, Model model) throws FsException {
    try {
      model.copy().compare(fs, random);
      return true;
    } catch (AssertionError other) {
      return false;
    }
  }

  /** A snapshot or a destruction that was on its way may have come to pass or not. */
  private void checkSnapshots() throws IOException, FsException {
    TreeMap<String, Model> there = new TreeMap<>();
    pool.pool().list().stream()
        .filter(info -> !info.snapshot().isEmpty())
        .forEach(info -> there.put(info.snapshot(), snapshots.get(info.snapshot())));
    snapshots.keySet().retainAll(there.keySet());
    assertEquals(snapshots.keySet(), there.keySet());
    if (!snapshots.isEmpty() && random.nextInt(4) == 0) {
      String name = snapshots.firstKey();
      String kept = pool.rollback(name);
      driver.rolledBack(snapshots.get(name).copy());
      driver.model().compare(pool.fileSystem(), random);
      pool.destroySnapshot(name);
      pool.destroySnapshot(kept);
      snapshots.remove(name);
      synced = driver.model().copy();
    }
  }
}
