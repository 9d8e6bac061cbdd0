package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.scrub.ScrubStatus;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The life of one pool, which is decided by a seed: operations on files, datasets and snapshots,
 * ranges that are cloned, faults of the device, crashes, and what is found after them. Everything
 * of a pool is in it but the kernel and the I/O of its index, whose last commit counts. Confined to
 * one thread, with which the sync thread takes turns.
 *
 * <p>After each crash the pool opens, is sound, and is what it was at a commit: not before the last
 * one that was waited for. What is read is what was written, or an error.
 */
final class PoolSimulation implements Life {
  private static final long CAPACITY_BYTES = 128L << 20;
  private static final long SMALL_BYTES = 16L << 20;
  private static final int ROUNDS_MAX = 3;
  private static final int STEPS_MAX = 24;
  private static final int CRASHES_MAX = 20;

  private static final List<Fault> SILENT = List.of(Fault.BIT_ROT, Fault.STALE, Fault.MISDIRECTED);

  private static final List<Fault> BAD_READS =
      List.of(Fault.IO_ERROR, Fault.BIT_ROT, Fault.STALE, Fault.MISDIRECTED);

  private static final Set<FsError> FAILURES = Set.of(FsError.IO, FsError.READ_ONLY);
  private static final Set<FsError> FULL = Set.of(FsError.NO_SPACE);

  /** What a part of the life is about. */
  private enum Round {
    POWER_CUT,
    POWER_CUT_AT_EVERY_CHANGE,
    FAILING_WRITE,
    FAILING_SYNC,
    BAD_READS,
    FULL_HOST,
    DECAY,
    DAMAGING_WRITE,
    CLEAN
  }

  private final Random random;
  private final TestPool pool;
  private final PoolDriver driver;
  private final PoolComparison comparison;
  private int crashes;

  PoolSimulation(long seed, PoolNursery nursery) throws IOException, FsException {
    random = new Random(seed);
    boolean small = random.nextInt(6) == 0;
    boolean keepsOperating = !small && random.nextBoolean();
    boolean keepsHouse = random.nextInt(4) == 0;
    SteadyClock clock = PoolNursery.clock();
    pool = nursery.pool(small ? SMALL_BYTES : CAPACITY_BYTES, clock);
    if (random.nextBoolean()) {
      pool.pool()
          .administration()
          .setProperties(PoolDriver.ROOT, null, Map.of("compression", "lz4"));
    }
    if (random.nextInt(4) == 0) {
      pool.pool().administration().setProperties(PoolDriver.ROOT, null, Map.of("copies", "2"));
    }
    if (keepsHouse) {
      pool.pool()
          .administration()
          .setProperties(PoolDriver.ROOT, null, PoolHousekeeping.PROPERTIES);
      pool.startHousekeeping();
    }
    comparison = new PoolComparison(pool, random);
    driver = new PoolDriver(pool, small, keepsOperating, keepsHouse ? clock : null);
  }

  @Override
  public int crashes() {
    return crashes;
  }

  @Override
  public int steps() {
    return driver.steps();
  }

  @Override
  public String where() {
    return driver.where();
  }

  @Override
  public long run() throws IOException, FsException {
    try {
      int rounds = 1 + random.nextInt(ROUNDS_MAX);
      boolean whole = true;
      for (int i = 0; i < rounds && whole; i++) {
        whole = round(i == rounds - 1);
      }
      if (whole) {
        driver.checkSnapshots(Integer.MAX_VALUE, random);
        pool.audit();
      }
      pool.closeAfterFailure();
      return pool.device().trace();
    } finally {
      pool.closeAfterFailure();
    }
  }

  /** Returns false when the pool is damaged. */
  private boolean round(boolean last) throws IOException, FsException {
    Round round = Round.values()[random.nextInt(Round.values().length)];
    driver.note(" / " + round + ": ");
    driver.expectRefusals(
        round == Round.BAD_READS || round == Round.DECAY || round == Round.DAMAGING_WRITE);
    switch (round) {
      case POWER_CUT -> powerCut();
      case POWER_CUT_AT_EVERY_CHANGE -> {
        if (random.nextBoolean()) {
          powerCutAtEveryChange();
        } else {
          powerCut();
        }
      }
      case FAILING_WRITE -> failing(Operation.WRITE);
      case FAILING_SYNC -> failing(Operation.SYNC);
      case BAD_READS -> badReads();
      case FULL_HOST -> fullHost();
      case DECAY -> decay();
      case DAMAGING_WRITE -> {
        if (last) {
          damagingWrite();
          return false;
        }
        powerCut();
      }
      default -> {
        driver.work(random.nextLong(), STEPS_MAX, Set.of());
        assertTrue(driver.isActive(), () -> pool.pool().status().state());
        restart(false);
      }
    }
    return true;
  }

  // ---- rounds

  private void powerCut() throws IOException, FsException {
    pool.device().failPowerAt(1 + random.nextInt(random.nextBoolean() ? 8 : 40));
    driver.work(random.nextLong(), STEPS_MAX, FAILURES);
    restart(true);
  }

  /** The same work again and again, and at each time the power fails one change later. */
  private void powerCutAtEveryChange() throws IOException, FsException {
    restart(false);
    PoolState before = driver.now();
    int name = driver.nextName();
    driver.unmountAll();
    pool.close();
    TestPool.Saved saved = pool.save();
    long seed = random.nextLong();
    int count = 1 + random.nextInt(6);
    boolean all = false;
    for (int nth = 1; !all && nth <= CRASHES_MAX; nth++) {
      driver.unmountAll();
      pool.closeAfterFailure();
      pool.restore(saved);
      driver.nextName(name);
      pool.open();
      driver.isPutBack(before);
      pool.device().failPowerAt(nth);
      driver.work(seed, count, FAILURES);
      if (driver.isActive() && !driver.wasInterrupted()) {
        driver.tolerating(FAILURES, () -> driver.syncAll(random));
      }
      all = pool.device().hasPower();
      restart(true);
    }
  }

  private void failing(Operation operation) throws IOException, FsException {
    long nth = 1 + random.nextInt(operation == Operation.SYNC ? 4 : 12);
    if (random.nextBoolean()) {
      pool.device().failFrom(operation, nth, Fault.IO_ERROR);
    } else {
      pool.device().failOnce(operation, nth, Fault.IO_ERROR);
    }
    driver.work(random.nextLong(), STEPS_MAX, FAILURES);
    restart(random.nextBoolean());
  }

  /** Reads fail, or return what is not there, now and then. When they do no more, all is well. */
  private void badReads() throws IOException, FsException {
    driver.syncAll(random);
    for (int i = 1 + random.nextInt(6);
        i > 0 && driver.isActive() && !driver.wasInterrupted();
        i--) {
      pool.dropCaches();
      Fault fault = PoolDriver.anyOf(BAD_READS, random);
      pool.device().failOnce(Operation.READ, 1 + random.nextInt(6), fault);
      driver.work(random.nextLong(), 1 + random.nextInt(4), FAILURES);
    }
    pool.device().failNoMore(Operation.READ);
    pool.dropCaches();
    if (driver.isActive() && !driver.wasInterrupted()) {
      driver.commitClones();
      comparison.with(driver.now());
    }
    restart(random.nextInt(3) == 0);
  }

  /** The host has little space: writers are told so, and no commit fails. */
  private void fullHost() throws IOException, FsException {
    FaultInjectingDevice device = pool.device();
    device.limitHostSpace(device.hostBytesUsed() + random.nextInt(1 << 20));
    driver.work(random.nextLong(), 2 * STEPS_MAX, FULL);
    assertTrue(driver.isActive(), () -> pool.pool().status().state());
    restart(random.nextBoolean());
  }

  /** Some sectors are not what was written: nobody takes them for it. Then they are again. */
  private void decay() throws IOException, FsException {
    if (random.nextBoolean()) {
      decayOfOneCopy();
      return;
    }
    driver.syncAll(random);
    PoolState expected = driver.now();
    List<Long> sectors = pool.device().writtenSectors();
    for (int i = 1 + random.nextInt(8); i > 0; i--) {
      long sector = sectors.get(random.nextInt(sectors.size()));
      pool.device().rot(sector * 4096 + random.nextInt(4096), random.nextInt(8));
    }
    pool.dropCaches();
    int lost = 0;
    for (String name : expected.datasets().keySet()) {
      Model model = expected.datasets().get(name).copy();
      lost += model.compareWhatIsWhole(pool.pool().fileSystem(name), random);
    }
    pool.dropCaches();
    if (lost > 0) {
      assertFalse(pool.findings().isEmpty(), "what cannot be read is found by an audit");
    }
    if (random.nextBoolean()) {
      driver.work(random.nextLong(), 6, FAILURES);
    }
    pool.device().heal();
    pool.dropCaches();
    if (driver.isActive() && !driver.wasInterrupted()) {
      driver.commitClones();
      comparison.with(driver.now());
    }
    restart(random.nextBoolean());
  }

  /**
   * One sector after another is not what was written, and a scrub comes by. Where there is a second
   * copy, it is whole afterwards. What the scrub does not find, nobody finds.
   */
  private void decayOfOneCopy() throws IOException, FsException {
    driver.commit();
    boolean whole = true;
    for (int i = 1 + random.nextInt(2); i > 0 && whole; i--) {
      List<Long> sectors = new ArrayList<>();
      for (long sector : pool.device().writtenSectors()) {
        if (pool.isAllocated(sector, 1)) {
          sectors.add(sector);
        }
      }
      long sector = PoolDriver.anyOf(sectors, random);
      pool.device().rot(sector * 4096 + random.nextInt(4096), random.nextInt(8));
      pool.dropCaches();
      ScrubStatus status = driver.scrub(random);
      driver.note(", sector " + sector + ": " + status.findings());
      boolean isOfData =
          status.findings().stream()
              .anyMatch(found -> found.startsWith("scrub/data") || found.startsWith("scrub/node"));
      assertEquals(!isOfData, pool.findings().isEmpty(), () -> "" + pool.findings());
      whole = status.findings().isEmpty();
    }
    if (!whole) {
      pool.device().heal();
      pool.dropCaches();
    }
    comparison.with(driver.now());
    restart(random.nextBoolean());
  }

  /**
   * A write is lost, arrives elsewhere or with a wrong bit, and nobody is told. What is read later
   * is what was written or an error, also after a restart; the pool may not open any more.
   */
  private void damagingWrite() throws IOException, FsException {
    Fault fault = PoolDriver.anyOf(SILENT, random);
    pool.device().failOnce(Operation.WRITE, 1 + random.nextInt(6), fault);
    driver.note(fault + ", ");
    driver.work(random.nextLong(), STEPS_MAX, FAILURES);
    pool.device().failNoMore(Operation.WRITE);
    if (driver.isActive()) {
      driver.tolerating(FAILURES, () -> driver.syncAll(random));
    }
    driver.mayCommit();
    driver.unmountAll();
    pool.closeAfterFailure();
    try {
      pool.open();
    } catch (IOException refused) {
      return;
    }
    for (DatasetInfo info : pool.pool().list()) {
      if (info.snapshot().isEmpty()) {
        compareWhatIsWhole(info.dataset());
      }
    }
  }

  private void compareWhatIsWhole(String dataset) throws FsException {
    FileSystem fs;
    try {
      fs = pool.pool().fileSystem(dataset);
    } catch (IOException damaged) {
      return;
    }
    AssertionError wrong = new AssertionError("a dataset that nobody made: " + dataset);
    for (PoolState state : driver.candidates()) {
      Model model = state.datasets().get(dataset);
      try {
        if (model != null) {
          model.copy().compareWhatIsWhole(fs, random);
          return;
        }
      } catch (AssertionError different) {
        wrong = different;
      }
    }
    throw wrong;
  }

  // ---- after a crash

  private void restart(boolean powerCut) throws IOException, FsException {
    crashes++;
    driver.note(powerCut ? " -> crash" : " -> restart");
    pool.device().beforeSync(() -> {});
    String state = pool.pool().status().state();
    assertFalse(state.contains("java."), state);
    if (powerCut) {
      pool.crash(random);
    } else {
      driver.mayCommit();
      driver.unmountAll();
      pool.closeAfterFailure();
    }
    openPerhapsTwice();
    pool.auditAsFound();
    assertTrue(
        pool.pool().status().txg() >= driver.certainTxg(), "a commit that was waited for is lost");
    driver.isFound(comparison.whatIsThere(driver.candidates()).copy(), driver.candidates());
    if (random.nextInt(3) == 0) {
      driver.checkSnapshots(1, random);
    }
  }

  /** What opening writes may be torn as well, and what it reads may be bad. */
  private void openPerhapsTwice() throws IOException {
    int kind = random.nextInt(16);
    if (kind < 2) {
      long nth = 1 + random.nextInt(2);
      tryToOpen(device -> device.failPowerAt(nth));
      pool.crash(random);
    } else if (kind == 2) {
      long nth = 1 + random.nextInt(4);
      Fault fault = PoolDriver.anyOf(BAD_READS, random);
      tryToOpen(device -> device.failOnce(Operation.READ, nth, fault));
      pool.closeAfterFailure();
    }
    pool.open();
  }

  private void tryToOpen(Consumer<FaultInjectingDevice> faults) {
    pool.setFaults(faults);
    try {
      pool.open();
    } catch (IOException refused) {
      // A line for the user; the device is the one that was refused.
    }
    pool.setFaults(device -> {});
  }
}
