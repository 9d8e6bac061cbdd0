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
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * The life of one pool on a mirror, of one or two devices at first, which is decided by a seed, as
 * a {@link PoolSimulation} is. In each part of it one of the devices is bad: it fails, lies,
 * decays, is taken out of use, or is not there; also one that is new. Devices are attached,
 * detached and replaced meanwhile. Nobody who uses the pool notices. The power may fail on top, at
 * any change of any device, also while the bad one catches up. Then that has everything: it is
 * enough without the others.
 */
final class MirrorSimulation implements Life {
  private static final long CAPACITY_BYTES = 128L << 20;
  private static final int ROUNDS_MAX = 3;
  private static final int STEPS_MAX = 12;
  private static final int CHANGES_MAX = 60;
  private static final int CRASHES_MAX = 12;
  private static final int MEMBERS_MAX = 3;

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
    MISSING,
    NEW
  }

  private final Random random;
  private final TestPool pool;
  private final PoolDriver driver;
  private final PoolComparison comparison;
  private final MirrorMembers members;

  /** The number of a device; not always a member. */
  private int bad;

  private String parts = "";
  private int crashes;

  MirrorSimulation(long seed, PoolNursery nursery) throws IOException, FsException {
    random = new Random(seed);
    boolean keepsOperating = random.nextBoolean();
    boolean keepsHouse = random.nextInt(4) == 0;
    SteadyClock clock = PoolNursery.clock();
    boolean begins = random.nextInt(4) == 0;
    pool = begins ? nursery.sole(CAPACITY_BYTES, clock) : nursery.mirror(CAPACITY_BYTES, clock);
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
    driver = new PoolDriver(pool, false, keepsOperating, keepsHouse ? clock : null);
    members = new MirrorMembers(pool, driver);
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
    return parts + members.trace() + driver.where();
  }

  @Override
  public long run() throws IOException, FsException {
    try {
      if (members.all().size() == 1) {
        becomeMirror();
      }
      int rounds = 1 + random.nextInt(ROUNDS_MAX);
      for (int i = 0; i < rounds && !isUnknown(); i++) {
        round();
      }
      driver.checkSnapshots(Integer.MAX_VALUE, random);
      pool.audit();
      pool.closeAfterFailure();
      return pool.trace();
    } finally {
      pool.closeAfterFailure();
    }
  }

  /** A device of its own gets another one beside it. Sometimes the power fails meanwhile. */
  private void becomeMirror() throws IOException, FsException {
    driver.work(random.nextLong(), STEPS_MAX, NONE);
    while (members.all().size() == 1) {
      beBad(pool.newPlace());
      boolean losesPower = random.nextBoolean();
      if (losesPower) {
        pool.power().failAt(1 + random.nextInt(random.nextBoolean() ? 12 : CHANGES_MAX));
      }
      members.attach(bad, losesPower ? FAILURES : NONE, random);
      if (losesPower) {
        restart(true);
      }
    }
    catchUp();
    requireEachEnough();
  }

  /** Begins and ends with devices of which each has everything. */
  private void round() throws IOException, FsException {
    beBad(PoolDriver.anyOf(members.all(), random));
    Badness badness = Badness.values()[random.nextInt(Badness.values().length)];
    // Where the last sync of the other device fails with the power, the bad one is the source of
    // what was committed by it: then it may have no damage.
    boolean mayBeDamaged =
        badness == Badness.DAMAGING_WRITE
            || badness == Badness.DECAY
            || (badness == Badness.NEW && random.nextInt(4) == 0);
    begin(badness, mayBeDamaged);
    parts += badness + " of " + bad + " / ";
    boolean losesPower = !mayBeDamaged && random.nextInt(3) == 0;
    if (losesPower) {
      pool.power().failAt(1 + random.nextInt(CHANGES_MAX));
    }
    Set<FsError> expected = losesPower ? FAILURES : NONE;
    boolean changesMembers = badness == Badness.NEW || random.nextInt(4) == 0;
    work(badness, expected);
    if (changesMembers && isUsable()) {
      changeMembers(badness, expected);
      if (isUsable() && pool.power().isOn()) {
        work(badness, expected);
      }
    }
    driver.expectLiesOf(Optional.empty());
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
    if (changesMembers) {
      requireEachEnough();
      trim();
    } else if (random.nextBoolean()) {
      requireEnough(bad);
      requireNoDamage();
    }
  }

  /** This is the bad device from now on; one of the others is looked at. */
  private void beBad(int number) {
    bad = number;
    members.onlineBesides(number).stream().findFirst().ifPresent(pool::setMainDevice);
  }

  private void begin(Badness badness, boolean mayBeDamaged) throws IOException, FsException {
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
      case BAD_READS -> driver.expectLiesOf(Optional.of(pool.nameOf(bad)));
      case NEW -> {
        beBad(pool.newPlace());
        newDeviceFails(mayBeDamaged);
      }
      default -> throw new IllegalStateException(badness.toString());
    }
  }

  /** From each of its openings on, or not at all. */
  private void newDeviceFails(boolean damages) {
    Operation operation =
        damages
            ? Operation.WRITE
            : PoolDriver.anyOf(List.of(Operation.READ, Operation.WRITE, Operation.SYNC), random);
    Fault fault =
        damages
            ? PoolDriver.anyOf(SILENT, random)
            : operation == Operation.READ ? PoolDriver.anyOf(ANY, random) : Fault.IO_ERROR;
    if (operation == Operation.READ) {
      driver.expectLiesOf(Optional.of(pool.nameOf(bad)));
    }
    boolean goesOn = !damages && random.nextBoolean();
    int nth = 1 + random.nextInt(24);
    pool.setFaults(
        device -> {
          if (device == pool.device(bad) && goesOn) {
            device.failFrom(operation, nth, fault);
          } else if (device == pool.device(bad)) {
            device.failOnce(operation, nth, fault);
          }
        });
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
    assertEquals(members.others(bad), members.onlineBesides(bad));
  }

  private void stopFaults() {
    pool.setFaults(device -> {});
    for (Operation operation : Operation.values()) {
      pool.device(bad).failNoMore(operation);
    }
  }

  // ---- other devices

  /** While one is bad, which may be the one that comes or the one that goes. */
  private void changeMembers(Badness badness, Set<FsError> expected)
      throws IOException, FsException {
    boolean isNew = badness == Badness.NEW;
    boolean mayGrow = members.all().size() < MEMBERS_MAX;
    int kind = random.nextInt(isNew ? 2 : 4);
    if (kind == 0 && mayGrow) {
      members.attach(isNew ? bad : pool.newPlace(), isNew ? FAILURES : expected, random);
    } else if (kind <= 1) {
      // Who is lied to about what it writes is not alone afterwards.
      int old = isNew || random.nextBoolean() ? PoolDriver.anyOf(members.all(), random) : bad;
      members.replace(old, isNew ? bad : pool.newPlace(), isNew ? FAILURES : expected, random);
    } else if (random.nextBoolean() || members.others(bad).size() > 1) {
      members.detach(bad, expected, random);
    } else if (pool.stateOf(bad) != MemberState.ONLINE) {
      members.detach(PoolDriver.anyOf(members.others(bad), random), expected, random);
    }
  }

  /** Two or three are left. */
  private void trim() throws IOException, FsException {
    if (members.all().size() == 1) {
      members.attach(pool.newPlace(), NONE, random);
    } else if (members.all().size() == MEMBERS_MAX && random.nextBoolean()) {
      members.detach(PoolDriver.anyOf(members.all(), random), NONE, random);
    }
    beBad(members.all().get(0));
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
      if (!members.onlineBesides(bad).isEmpty()) {
        throw new AssertionError("another device has everything", refused);
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
    members.look();
    driver.isFound(comparison.whatIsThere(driver.candidates()).copy(), driver.candidates());
    members.look();
    if (random.nextInt(3) == 0) {
      driver.checkSnapshots(1, random);
    }
  }

  // ---- the way back

  /** Who is behind gets what it has missed; sometimes the power fails meanwhile, and again. */
  private void catchUp() throws IOException, FsException {
    List<Integer> away = members.all().stream().filter(each -> !pool.isThere(each)).toList();
    if (!away.isEmpty()) {
      driver.mayCommit();
      driver.unmountAll();
      pool.close();
      for (int each : away) {
        pool.putBack(each);
      }
      open();
    }
    long powerFailsAt = random.nextInt(4) == 0 ? 1 : Long.MAX_VALUE;
    for (int i = 0; i < CRASHES_MAX && isUnsettled(); i++) {
      boolean losesPower = powerFailsAt < Long.MAX_VALUE && i < CRASHES_MAX - 1;
      if (losesPower) {
        pool.power().failAt(powerFailsAt++ + random.nextInt(8));
      }
      driver.tolerating(losesPower ? FAILURES : NONE, () -> driver.catchUp(random, this::online));
      if (losesPower) {
        restart(true);
      }
    }
    members.requireSettled();
    assertEquals("active", pool.pool().status().state(), () -> "" + pool.pool().mirror().devices());
  }

  /** Both copies of its label are gone: nobody can tell what device it is. */
  private boolean isUnknown() throws IOException {
    if (!members.has(bad) || pool.stateOf(bad) != MemberState.UNAVAIL || !pool.isThere(bad)) {
      return false;
    }
    try {
      PoolLabel.readEither(pool.device(bad).reopen());
      return false;
    } catch (DamagedPoolException unknown) {
      return true;
    }
  }

  /** Some device is behind, or is to go; the one that is behind is the bad one. */
  private boolean isUnsettled() {
    members.look();
    boolean isBadBehind = members.has(bad) && pool.stateOf(bad) != MemberState.ONLINE;
    Optional<Integer> behind = isBadBehind ? Optional.of(bad) : members.anyBehind();
    beBad(behind.orElse(bad)); // It may have failed with the power, a moment before another one.
    return behind.isPresent() || members.isReplacing();
  }

  private void online() throws IOException {
    if (!members.has(bad) || pool.stateOf(bad).isWritten()) {
      pool.resilver();
    } else {
      pool.online(bad);
    }
  }

  /** What was damaged and nobody has met is repaired: another device may be the next bad one. */
  private void requireNoDamage() throws IOException, FsException {
    driver.commitClones();
    assertEquals(List.of(), driver.scrub(random).findings());
    comparison.with(driver.now());
    driver.commit();
  }

  private void requireEachEnough() throws IOException, FsException {
    for (int each : members.all()) {
      requireEnough(each);
    }
  }

  /** A device has everything, also alone. The others miss something then. */
  private void requireEnough(int number) throws IOException, FsException {
    driver.note(", " + number + " alone");
    driver.mayCommit();
    driver.unmountAll();
    pool.close();
    for (int other : members.others(number)) {
      pool.takeAway(other);
    }
    pool.setMainDevice(number);
    bad = number;
    open();
    driver.checkSnapshots(1, random);
    pool.audit();
    catchUp();
  }
}
