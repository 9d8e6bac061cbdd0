package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.device.MemberState;
import io.cowfs.core.device.PoolLabel;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * The life of one pool on a mirror of two devices, which is decided by a seed, as a {@link
 * PoolSimulation} is. In each part of it one of the devices is bad: it fails, lies, decays, is
 * taken out of use, or is not there. Nobody who uses the pool notices. The power may fail on top,
 * at any change of either device, also while the bad one catches up. Then that has everything: it
 * is enough without the other one.
 */
final class MirrorSimulation implements Life {
  private static final long CAPACITY_BYTES = 128L << 20;
  private static final int ROUNDS_MAX = 3;
  private static final int STEPS_MAX = 12;
  private static final int CHANGES_MAX = 60;
  private static final int CRASHES_MAX = 12;

  private static final List<Fault> SILENT = List.of(Fault.BIT_ROT, Fault.STALE, Fault.MISDIRECTED);
  private static final List<Fault> ANY =
      List.of(Fault.IO_ERROR, Fault.BIT_ROT, Fault.STALE, Fault.MISDIRECTED);
  private static final Set<FsError> NONE = Set.of();
  private static final Set<FsError> FAILURES = Set.of(FsError.IO, FsError.READ_ONLY);

  /** What is the matter with one device. */
  private enum Badness {
    FAILING_WRITE,
    FAILING_SYNC,
    BAD_READS,
    DAMAGING_WRITE,
    DECAY,
    OFFLINE,
    MISSING
  }

  private final Random random;
  private final TestPool pool;
  private final PoolDriver driver;
  private final PoolComparison comparison;
  private int bad;
  private String parts = "";
  private int crashes;

  MirrorSimulation(long seed, PoolNursery nursery) throws IOException, FsException {
    random = new Random(seed);
    boolean keepsOperating = random.nextBoolean();
    pool = nursery.mirror(CAPACITY_BYTES, PoolNursery.clock());
    if (random.nextInt(4) == 0) {
      pool.pool().administration().setProperties(PoolDriver.ROOT, null, Map.of("copies", "2"));
    }
    comparison = new PoolComparison(pool, random);
    driver = new PoolDriver(pool, false, keepsOperating, null);
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
    return parts + driver.where();
  }

  @Override
  public long run() throws IOException, FsException {
    try {
      int rounds = 1 + random.nextInt(ROUNDS_MAX);
      for (int i = 0; i < rounds && !isUnknown(); i++) {
        round();
      }
      driver.checkSnapshots(Integer.MAX_VALUE, random);
      pool.audit();
      pool.closeAfterFailure();
      return 31 * pool.device(0).trace() + pool.device(1).trace();
    } finally {
      pool.closeAfterFailure();
    }
  }

  /** Begins and ends with two devices of which each has everything. */
  private void round() throws IOException, FsException {
    bad = random.nextInt(2);
    pool.setMainDevice(1 - bad);
    Badness badness = Badness.values()[random.nextInt(Badness.values().length)];
    parts += badness + " of " + bad + " / ";
    begin(badness);
    // Where the last sync of the other device fails with the power, the bad one is the source of
    // what was committed by it: then it may have no damage.
    boolean mayBeDamaged = badness == Badness.DAMAGING_WRITE || badness == Badness.DECAY;
    boolean losesPower = !mayBeDamaged && random.nextInt(3) == 0;
    if (losesPower) {
      pool.power().failAt(1 + random.nextInt(CHANGES_MAX));
    }
    // A scrub tells of a device that goes on lying about its front.
    driver.expectRefusals(badness == Badness.BAD_READS);
    work(badness, losesPower ? FAILURES : NONE);
    driver.expectRefusals(false);
    if (!losesPower) {
      requireUsable();
    }
    stopFaults();
    if (badness == Badness.DECAY && random.nextBoolean()) {
      pool.device(bad).heal(); // Where nobody has repaired it.
    }
    if (losesPower || random.nextBoolean()) {
      restart(losesPower || random.nextBoolean());
    }
    if (isUnknown()) {
      return;
    }
    catchUp();
    if (mayBeDamaged || random.nextBoolean()) {
      requireNoDamage();
    }
    if (random.nextBoolean()) {
      requireEnough();
      requireNoDamage();
    }
  }

  private void begin(Badness badness) throws IOException, FsException {
    FaultInjectingDevice device = pool.device(bad);
    switch (badness) {
      case FAILING_WRITE -> fail(device, Operation.WRITE, 1 + random.nextInt(24), Fault.IO_ERROR);
      case FAILING_SYNC -> fail(device, Operation.SYNC, 1 + random.nextInt(6), Fault.IO_ERROR);
      case DAMAGING_WRITE ->
          device.failOnce(
              Operation.WRITE, 1 + random.nextInt(24), PoolDriver.anyOf(SILENT, random));
      case DECAY -> {
        List<Long> sectors = device.writtenSectors();
        for (int i = 1 + random.nextInt(40); i > 0; i--) {
          device.rot(
              PoolDriver.anyOf(sectors, random) * 4096 + random.nextInt(4096), random.nextInt(8));
        }
        pool.dropCaches();
      }
      case OFFLINE ->
          driver.commits(driver.now(), () -> pool.pool().mirror().offline(pool.nameOf(bad)));
      case MISSING -> {
        driver.mayCommit();
        driver.unmountAll();
        pool.close();
        pool.takeAway(bad);
        open();
      }
      case BAD_READS -> {}
      default -> throw new IllegalStateException(badness.toString());
    }
  }

  private void fail(FaultInjectingDevice device, Operation operation, int nth, Fault fault) {
    if (random.nextBoolean()) {
      device.failFrom(operation, nth, fault);
    } else {
      device.failOnce(operation, nth, fault);
    }
  }

  private void work(Badness badness, Set<FsError> expected) throws IOException, FsException {
    if (badness != Badness.BAD_READS) {
      driver.work(random.nextLong(), STEPS_MAX, expected);
      return;
    }
    for (int i = 1 + random.nextInt(4); i > 0 && isUsable(); i--) {
      pool.dropCaches();
      fail(pool.device(bad), Operation.READ, 1 + random.nextInt(6), PoolDriver.anyOf(ANY, random));
      driver.work(random.nextLong(), 1 + random.nextInt(4), expected);
    }
  }

  private boolean isUsable() {
    return driver.isActive() && !driver.wasInterrupted();
  }

  private void requireUsable() {
    assertTrue(driver.isActive(), () -> pool.pool().status().state());
    assertEquals(MemberState.ONLINE, pool.stateOf(1 - bad));
  }

  private void stopFaults() {
    for (Operation operation : Operation.values()) {
      pool.device(bad).failNoMore(operation);
    }
  }

  // ---- after a crash

  private void restart(boolean powerCut) throws IOException, FsException {
    crashes++;
    driver.note(powerCut ? " -> crash" : " -> restart");
    pool.device().beforeSync(() -> {});
    if (powerCut) {
      pool.crash(random);
    } else {
      driver.mayCommit();
      driver.unmountAll();
      pool.closeAfterFailure();
    }
    if (random.nextInt(8) == 0) {
      pool.power().failAt(1 + random.nextInt(4));
      try {
        pool.open();
      } catch (IOException powerFailed) {
        // A line for the user; the devices are those that were there before.
      }
      pool.crash(random);
    }
    if (random.nextInt(4) == 0) {
      openWithBadReads();
    } else {
      open();
    }
  }

  /** Of a pool whose devices may both be there; what is read from the bad one may be bad, too. */
  private void openWithBadReads() throws IOException, FsException {
    Fault fault = PoolDriver.anyOf(ANY, random);
    int nth = 1 + random.nextInt(8);
    pool.setFaults(
        device -> {
          if (device == pool.device(bad)) {
            device.failFrom(Operation.READ, nth, fault);
          }
        });
    parts += fault + " at opening / ";
    IOException refused = null;
    try {
      pool.open();
    } catch (IOException failure) {
      refused = failure;
    }
    pool.setFaults(device -> {});
    stopFaults();
    if (refused != null) {
      pool.open();
      if (pool.stateOf(1 - bad) == MemberState.ONLINE) {
        throw new AssertionError("the other device has everything", refused);
      }
    }
    opened();
  }

  private void open() throws IOException, FsException {
    pool.open();
    opened();
  }

  private void opened() throws IOException, FsException {
    pool.auditAsFound();
    assertTrue(
        pool.pool().status().txg() >= driver.certainTxg(), "a commit that was waited for is lost");
    driver.isFound(comparison.whatIsThere(driver.candidates()).copy(), driver.candidates());
    if (random.nextInt(3) == 0) {
      driver.checkSnapshots(1, random);
    }
  }

  // ---- the way back

  /** Who is behind gets what it has missed; sometimes the power fails meanwhile, and again. */
  private void catchUp() throws IOException, FsException {
    if (!pool.isThere(bad)) {
      driver.mayCommit();
      driver.unmountAll();
      pool.close();
      pool.putBack(bad);
      open();
    }
    long powerFailsAt = random.nextInt(4) == 0 ? 1 : Long.MAX_VALUE;
    for (int i = 0; i < CRASHES_MAX && isDegraded(); i++) {
      boolean losesPower = powerFailsAt < Long.MAX_VALUE && i < CRASHES_MAX - 1;
      if (losesPower) {
        pool.power().failAt(powerFailsAt++ + random.nextInt(8));
      }
      driver.tolerating(losesPower ? FAILURES : NONE, () -> driver.catchUp(random, this::online));
      if (losesPower) {
        restart(true);
      }
    }
    assertEquals("active", pool.pool().status().state(), () -> "" + pool.pool().mirror().devices());
  }

  /** Both copies of its label are gone: nobody can tell what device it is. */
  private boolean isUnknown() throws IOException {
    if (pool.stateOf(bad) != MemberState.UNAVAIL || !pool.isThere(bad)) {
      return false;
    }
    try {
      PoolLabel.readEither(pool.device(bad).reopen());
      return false;
    } catch (DamagedPoolException unknown) {
      return true;
    }
  }

  private boolean isDegraded() {
    if (pool.stateOf(1 - bad) != MemberState.ONLINE) {
      bad = 1 - bad; // It failed with the power, a moment before the other one.
      pool.setMainDevice(1 - bad);
    }
    return pool.stateOf(bad) != MemberState.ONLINE;
  }

  private void online() throws IOException {
    if (pool.stateOf(bad) == MemberState.RESILVERING) {
      pool.resilver();
    } else {
      pool.online(bad);
    }
  }

  /** What was damaged and nobody has met is repaired: the other device may be the next bad one. */
  private void requireNoDamage() throws IOException, FsException {
    driver.commitClones();
    assertEquals(List.of(), driver.scrub(random).findings());
    comparison.with(driver.now());
    driver.commit();
  }

  /** The device that was bad has everything, also alone. The other one misses something then. */
  private void requireEnough() throws IOException, FsException {
    driver.note(", " + bad + " alone");
    driver.mayCommit();
    driver.unmountAll();
    pool.close();
    int good = 1 - bad;
    pool.takeAway(good);
    pool.setMainDevice(bad);
    open();
    driver.checkSnapshots(1, random);
    pool.audit();
    bad = good;
    catchUp();
  }
}
