package io.cowfs.core.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.device.MemberState;
import io.cowfs.core.device.PoolLabel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of a mirrored pool whose devices fail, are away, and come back. */
@Timeout(120)
class PoolMirrorTest {
  private static final List<MemberState> BOTH = List.of(MemberState.ONLINE, MemberState.ONLINE);

  @TempDir private Path base;
  private MirrorPool pool;

  private void create(int members) throws IOException {
    pool = MirrorPool.create(base, members, 7);
  }

  @AfterEach
  void close() throws IOException {
    pool.close();
  }

  private void reopen() throws IOException {
    pool.close();
    pool.open();
  }

  /** What is there can be read from either device alone. */
  private void verifyEachAlone() throws Exception {
    // Not both together first: reading would repair.
    pool.close();
    for (int away = 0; away < 2; away++) {
      pool.takeAway(away);
      pool.open();
      assertEquals(MemberState.UNAVAIL, pool.states().get(away));
      assertEquals("degraded", pool.pool().status().state());
      pool.verify();
      pool.close();
      pool.putBack(away);
      pool.open();
      pool.resilver();
      assertEquals(BOTH, pool.states());
      pool.close();
    }
    pool.open();
    assertEquals(BOTH, pool.states());
  }

  @Test
  void eachDeviceAloneHasEverything() throws Exception {
    create(2);
    pool.write("one", 3 << 20);
    assertEquals("active", pool.pool().status().state());
    verifyEachAlone();
  }

  @Test
  void onlyWhatADeviceHasMissedIsCopied() throws Exception {
    create(2);
    pool.write("before", 8 << 20);
    pool.close();
    pool.takeAway(1);
    pool.open();
    pool.write("meanwhile", 300_000);
    pool.pool().administration().snapshot("root", "s", PoolAdministration.Scope.ONE);
    pool.close();
    pool.putBack(1);
    pool.open();
    assertEquals(List.of(MemberState.ONLINE, MemberState.RESILVERING), pool.states());
    pool.write("after", 200_000);
    FaultInjectingDevice behind = pool.device(1);
    pool.resilver();
    assertEquals(BOTH, pool.states());
    long copied = copied();
    assertTrue(copied >= 300_000 && copied < 1 << 20, copied + " bytes");
    assertFalse(behind.isClosed());
    verifyEachAlone();
  }

  private long copied() {
    return pool.pool().mirror().resilveredBytes();
  }

  /** One commit is enough to be behind, and the ring does not tell. */
  @Test
  void aDeviceThatMissedOnlyTheLastCommitIsBehind() throws Exception {
    create(2);
    pool.write("before", 1 << 20);
    reopen();
    pool.commit();
    pool.commit();
    pool.device(1).failFrom(Operation.WRITE, 1, Fault.IO_ERROR);
    pool.commit();
    assertEquals(List.of(MemberState.ONLINE, MemberState.FAULTED), pool.states());
    pool.kill();
    pool.open();
    assertEquals(List.of(MemberState.ONLINE, MemberState.RESILVERING), pool.states());
  }

  @Test
  void theFirstCommitThatADeviceMissedIsCopied() throws Exception {
    create(2);
    pool.write("before", 1 << 20);
    reopen();
    pool.write("opened", 100_000);
    pool.commit();
    pool.commit();
    pool.device(1).failFrom(Operation.WRITE, 1, Fault.IO_ERROR);
    pool.write("meanwhile", 100_000);
    pool.kill();
    pool.open();
    pool.resilver();
    verifyEachAlone();
  }

  @Test
  void aDeviceThatMissedOneCommitIsNoSourceAfterACrash() throws Exception {
    create(2);
    pool.write("before", 1 << 20);
    reopen();
    pool.device(1).failFrom(Operation.WRITE, 1, Fault.IO_ERROR);
    pool.write("meanwhile", 100_000);
    assertEquals(List.of(MemberState.ONLINE, MemberState.FAULTED), pool.states());
    pool.crash();
    pool.open();
    assertEquals(List.of(MemberState.ONLINE, MemberState.RESILVERING), pool.states());
    pool.verify();
    pool.resilver();
    verifyEachAlone();
  }

  /** Nothing was committed since it failed; what was synced is in the log of the other one. */
  @Test
  void aDeviceThatMissedASyncIsNotOpenedAlone() throws Exception {
    create(2);
    pool.write("before", 100_000);
    pool.commit();
    pool.device(0).failFrom(Operation.WRITE, 1, Fault.IO_ERROR);
    pool.sync("meanwhile", 10_000);
    assertEquals(List.of(MemberState.FAULTED, MemberState.ONLINE), pool.states());
    pool.crash();
    pool.takeAway(1);
    assertThrows(DamagedPoolException.class, pool::open);
    pool.putBack(1);
    pool.open();
    pool.verify();
    pool.resilver();
    verifyEachAlone();
  }

  @Test
  void aDeviceThatIsBehindIsNotOpenedAlone() throws Exception {
    create(2);
    pool.close();
    pool.takeAway(1);
    pool.open();
    pool.write("meanwhile", 100_000);
    pool.close();
    pool.takeAway(0);
    pool.putBack(1);
    DamagedPoolException refused = assertThrows(DamagedPoolException.class, pool::open);
    assertTrue(
        refused.getMessage().contains("no device of the mirror has everything"),
        refused.getMessage());
    pool.putBack(0);
    pool.open();
    pool.resilver();
    verifyEachAlone();
  }

  @Test
  void anIndexIsMadeAnewFromTheDeviceThatHasEverything() throws Exception {
    create(2);
    pool.write("before", 100_000);
    pool.close();
    // Whichever comes first.
    pool.takeAway(0);
    pool.open();
    pool.write("meanwhile", 100_000);
    pool.close();
    pool.putBack(0);
    Files.delete(pool.directory().resolve("index/data.mdb"));
    pool.rebuildIndex();
    pool.open();
    assertEquals(List.of(MemberState.RESILVERING, MemberState.ONLINE), pool.states());
    pool.verify();
    pool.resilver();
    verifyEachAlone();
  }

  @Test
  void aDeviceThatIsOfflineStaysSoUntilItIsOnline() throws Exception {
    create(2);
    pool.write("before", 1 << 20);
    PoolMirror mirror = pool.pool().mirror();
    mirror.offline(pool.place(0).toString());
    assertThrows(MirrorException.class, () -> mirror.offline(pool.place(0).toString()));
    assertThrows(MirrorException.class, () -> mirror.offline(pool.place(1).toString()));
    assertThrows(MirrorException.class, () -> mirror.online(pool.place(1).toString()));
    assertThrows(MirrorException.class, () -> mirror.online("/nowhere"));
    pool.write("meanwhile", 100_000);
    reopen();
    assertEquals(List.of(MemberState.OFFLINE, MemberState.ONLINE), pool.states());
    pool.write("later", 100_000);
    pool.pool().mirror().online(pool.place(0).toString());
    pool.pool().mirror().awaitResilver();
    assertEquals(BOTH, pool.states());
    assertTrue(copied() < 1 << 20, copied() + " bytes");
    verifyEachAlone();
  }

  @Test
  void aDeviceThatFailedIsUsedAgainAfterOnline() throws Exception {
    create(2);
    pool.write("before", 1 << 20);
    pool.device(0).failOnce(Operation.SYNC, 1, Fault.IO_ERROR);
    pool.write("meanwhile", 100_000);
    assertEquals(List.of(MemberState.FAULTED, MemberState.ONLINE), pool.states());
    pool.write("later", 100_000);
    pool.pool().mirror().online(pool.place(0).toString());
    pool.pool().mirror().awaitResilver();
    assertEquals(BOTH, pool.states());
    verifyEachAlone();
  }

  @Test
  void aPoolWithOneDeviceBecomesAMirrorAndOneAgain() throws Exception {
    create(0);
    pool.write("before", 1 << 20);
    pool.pool().mirror().attach(pool.newMember(0));
    pool.write("meanwhile", 100_000);
    pool.pool().mirror().awaitResilver();
    assertEquals(BOTH, pool.states());
    reopen();
    assertEquals(BOTH, pool.states());
    pool.verify();
    pool.pool().mirror().detach(pool.directory().resolve("data").toString());
    assertFalse(Files.exists(pool.directory().resolve("data")));
    assertThrows(
        MirrorException.class, () -> pool.pool().mirror().detach(pool.place(0).toString()));
    pool.write("after", 100_000);
    reopen();
    assertEquals(List.of(MemberState.ONLINE), pool.states());
    assertEquals("active", pool.pool().status().state());
    pool.verify();
    pool.pool().mirror().attach(pool.newMember(1));
    pool.pool().mirror().awaitResilver();
    assertEquals(BOTH, pool.states());
    pool.verify();
  }

  /** Its label is written while it becomes one of a mirror. */
  @Test
  void aDeviceOfItsOwnThatFailsInAnAttachCanBeOpened() throws Exception {
    for (Operation operation : List.of(Operation.WRITE, Operation.SYNC)) {
      for (int nth = 1; nth <= 6; nth++) {
        pool = MirrorPool.create(Files.createDirectory(base.resolve(operation + "-" + nth)), 0, 7);
        pool.write("before", 100_000);
        pool.soleDevice().failFrom(operation, nth, Fault.IO_ERROR);
        try {
          attachAndCommit();
        } catch (IOException failure) {
          // It may also be late enough that the new one has everything.
        }
        pool.kill();
        pool.open();
        pool.verify();
        pool.resilver();
        pool.write("after", 100_000);
        pool.verify();
        pool.close();
      }
    }
  }

  private void attachAndCommit() throws IOException {
    pool.pool().mirror().attach(pool.newMember(1));
    pool.pool().mirror().awaitResilver();
    for (int i = 0; i < 6; i++) {
      pool.commit();
    }
  }

  @Test
  void theNewDeviceTakesThePlaceOfTheOldOne() throws Exception {
    create(2);
    pool.write("before", 1 << 20);
    PoolMirror mirror = pool.pool().mirror();
    mirror.replace(pool.place(0).toString(), pool.newMember(2));
    mirror.awaitResilver();
    assertEquals(List.of(pool.place(1).toString(), pool.place(2).toString()), names());
    assertEquals(BOTH, pool.states());
    pool.write("after", 100_000);
    pool.close();
    // One that is missing can be replaced, too.
    pool.takeAway(1);
    pool.open();
    pool.pool().mirror().replace(pool.place(1).toString(), pool.newMember(3));
    pool.pool().mirror().awaitResilver();
    assertEquals(BOTH, pool.states());
    assertEquals(Set.of(pool.place(2).toString(), pool.place(3).toString()), Set.copyOf(names()));
    pool.verify();
  }

  @Test
  void whatIsReplacedGoesAfterTheNextMountWhereThatCameFirst() throws Exception {
    create(2);
    pool.write("before", 1 << 20);
    PoolMirror mirror = pool.pool().mirror();
    mirror.stop(); // As a crash before it has everything would.
    mirror.replace(pool.place(0).toString(), pool.newMember(2));
    assertThrows(
        MirrorException.class, () -> mirror.replace(pool.place(0).toString(), pool.newMember(3)));
    assertEquals(3, names().size());
    pool.crash();
    pool.open();
    pool.resilver();
    assertEquals(List.of(pool.place(1).toString(), pool.place(2).toString()), names());
    assertEquals(BOTH, pool.states());
    pool.verify();
  }

  private List<String> names() {
    return pool.pool().mirror().devices().stream().map(DeviceStatus::name).toList();
  }

  @Test
  void aScrubRepairsWhatIsRottenAndCountsIt() throws Exception {
    create(2);
    pool.write("file", 4 << 20);
    reopen();
    for (long sector : pool.device(1).writtenSectors()) {
      if (sector >= DeviceLayout.DATA_FIRST_SECTOR) {
        pool.device(1).flipBit(sector * 4096 + 17, 3);
      }
    }
    pool.device(1).flipBit(0, 1);
    pool.device(1).flipBit(DeviceLayout.RING_FIRST_SECTOR * 4096L + 4096, 1);
    pool.verify();
    pool.pool().scrub().start();
    assertEquals(List.of(), pool.pool().scrub().await(Duration.ofMinutes(1)).findings());
    DeviceStatus rotten = pool.pool().mirror().devices().get(1);
    assertTrue(rotten.checksumErrors() > 0, rotten.toString());
    assertEquals(0, pool.pool().mirror().devices().get(0).checksumErrors());
    PoolLabel.read(pool.device(1));
    verifyEachAlone();
    assertEquals(0, pool.pool().mirror().devices().get(1).checksumErrors());
  }

  private static void damageRing(FaultInjectingDevice device) {
    device.flipBit(DeviceLayout.RING_FIRST_SECTOR * 4096L + 4096, 1);
  }

  @Test
  void aDeviceIsNotBlamedForTheRingOfAnotherOne() throws Exception {
    create(2);
    pool.write("file", 100_000);
    damageRing(pool.device(0));
    PoolMirror mirror = pool.pool().mirror();
    mirror.attach(pool.newMember(2));
    mirror.awaitResilver();
    assertEquals(
        List.of(MemberState.ONLINE, MemberState.ONLINE, MemberState.ONLINE), pool.states());
    assertEquals(1, mirror.devices().get(0).checksumErrors());
    assertEquals(0, mirror.devices().get(2).writeErrors());
    pool.close();
    pool.takeAway(0);
    pool.takeAway(1);
    pool.open();
    pool.verify();
  }

  /** It gets everything but the ring, and that as soon as there is one. */
  @Test
  void whereNoRingIsWholeADeviceGoesOnCatchingUp() throws Exception {
    create(2);
    pool.pool().mirror().offline(pool.place(1).toString());
    pool.write("file", 100_000);
    damageRing(pool.device(0));
    pool.pool().mirror().online(pool.place(1).toString());
    pool.pool().mirror().awaitResilver();
    assertEquals(List.of(MemberState.ONLINE, MemberState.RESILVERING), pool.states());
    assertEquals(1, pool.pool().mirror().devices().get(0).checksumErrors());
    assertEquals("degraded", pool.pool().status().state());
    for (int i = 0; i < DeviceLayout.RING_SLOTS; i++) {
      pool.commit();
    }
    pool.resilver();
    assertEquals(BOTH, pool.states());
    verifyEachAlone();
  }

  /** A device returns the ring of long ago, whenever it is read first. */
  @Test
  void aRingOfLongAgoIsNotCopiedToOthers() throws Exception {
    for (int nth = 1; nth <= 6; nth++) {
      pool = MirrorPool.create(Files.createDirectory(base.resolve("read-" + nth)), 2, nth);
      pool.write("file", 100_000);
      reopen();
      pool.write("other", 100_000);
      pool.close();
      int read = nth;
      pool.setFaults(0, device -> device.failFrom(Operation.READ, read, Fault.STALE));
      pool.open();
      pool.device(0).failNoMore(Operation.READ);
      pool.setFaults(0, device -> {});
      pool.verify();
      reopen();
      pool.resilver();
      verifyEachAlone();
      pool.close();
    }
  }

  /** After a crash one ring has the last record, and its device lies when it is asked again. */
  @Test
  void theLastRecordIsWrittenAgainWhereAnyDeviceMissesIt() throws Exception {
    for (int nth = 1; nth <= 8; nth++) {
      pool = MirrorPool.create(Files.createDirectory(base.resolve("read-" + nth)), 2, nth);
      pool.write("file", 100_000);
      pool.commit();
      long txg = pool.pool().status().txg();
      pool.kill();
      FaultInjectingDevice behind = pool.device(1).reopen();
      long slot = DeviceLayout.RING_FIRST_SECTOR + txg % DeviceLayout.RING_SLOTS;
      behind.write(ByteBuffer.allocate(DeviceLayout.SECTOR_BYTES), slot * 4096L);
      pool.replaceDevice(1, behind);
      int read = nth;
      pool.setFaults(0, device -> device.failFrom(Operation.READ, read, Fault.STALE));
      pool.open();
      pool.device(0).failNoMore(Operation.READ);
      pool.setFaults(0, device -> {});
      assertEquals(txg, pool.pool().status().txg());
      pool.write("other", 100_000);
      pool.resilver();
      verifyEachAlone();
      pool.close();
    }
  }

  @Test
  void aScrubLooksAtTheLabelOfEachDevice() throws Exception {
    create(2);
    pool.write("file", 100_000);
    for (int sector = 0; sector < DeviceLayout.LABEL_COPIES; sector++) {
      pool.device(1).flipBit((DeviceLayout.LABEL_FIRST_SECTOR + sector) * 4096L, 1);
    }
    scrub();
    PoolLabel.read(pool.device(1));
    pool.device(1).failFrom(Operation.READ, 1, Fault.BIT_ROT);
    pool.pool().scrub().start();
    List<String> findings = pool.pool().scrub().await(Duration.ofMinutes(1)).findings();
    pool.device(1).failNoMore(Operation.READ);
    for (String id : List.of("scrub/label", "scrub/ring")) {
      assertTrue(
          findings.stream().anyMatch(it -> it.startsWith(id + ": " + pool.place(1))),
          id + " is not in " + findings);
    }
    assertEquals(2, findings.size(), findings.toString());
    scrub();
    verifyEachAlone();
  }

  @Test
  void aDeviceOfWhichNothingIsLeftIsMissing() throws Exception {
    create(2);
    pool.write("file", 1 << 20);
    pool.close();
    FaultInjectingDevice garbage = pool.device(0);
    for (long sector = 0; sector < 600; sector++) {
      garbage.flipBit(sector * 4096, 2);
    }
    pool.open();
    assertEquals(List.of(MemberState.UNAVAIL, MemberState.ONLINE), pool.states());
    pool.verify();
    pool.pool().mirror().detach(pool.place(0).toString());
    pool.pool().mirror().attach(pool.newMember(2));
    pool.pool().mirror().awaitResilver();
    assertEquals(BOTH, pool.states());
    pool.verify();
  }

  /** The power fails at each change that a command makes, of any device. */
  @Test
  void aCrashInACommandLosesNothing() throws Exception {
    List<Command> commands =
        List.of(
            () -> pool.pool().mirror().offline(pool.place(1).toString()),
            () -> pool.pool().mirror().online(pool.place(1).toString()),
            () -> pool.pool().mirror().attach(pool.newMember(2)),
            () -> pool.pool().mirror().detach(pool.place(0).toString()),
            () -> pool.pool().mirror().replace(pool.place(0).toString(), pool.newMember(2)));
    int number = 0;
    for (Command command : commands) {
      boolean done = false;
      for (int nth = 1; !done; nth += nth < 6 ? 1 : 1 + nth / 4) {
        Path place = Files.createDirectory(base.resolve(number++ + "-" + nth));
        pool = MirrorPool.create(place, 2, nth);
        pool.write("before", 50_000);
        if (command == commands.get(1)) {
          pool.pool().mirror().offline(pool.place(1).toString());
          pool.write("meanwhile", 50_000);
        }
        done = runWithPowerUntil(command, nth);
        pool.crash();
        pool.open();
        pool.verify();
        pool.resilver();
        pool.write("after", 50_000);
        pool.verify();
        pool.close();
      }
      assertTrue(number > 3);
    }
  }

  private interface Command {
    void run() throws IOException;
  }

  private boolean runWithPowerUntil(Command command, int nth) {
    for (int device = 0; device < 2; device++) {
      pool.device(device).failPowerAt(nth);
    }
    try {
      command.run();
      pool.pool().mirror().awaitResilver();
      pool.pool().sync();
    } catch (IOException | RuntimeException powerFailed) {
      return false;
    }
    return pool.device(0).hasPower() && pool.device(1).hasPower();
  }

  /** One device at a time fails in any way; what was synced is there. */
  @Test
  void whateverOneDeviceDoesNothingIsLost() throws Exception {
    long start = Long.getLong("cowfs.seed", 1);
    for (long seed = start; seed < start + Integer.getInteger("cowfs.rounds", 12); seed++) {
      try {
        misbehave(seed);
      } catch (Exception | AssertionError e) {
        throw new AssertionError("-Dcowfs.seed=" + seed, e);
      }
    }
  }

  private void misbehave(long seed) throws Exception {
    Random random = new Random(seed);
    pool = MirrorPool.create(Files.createDirectory(base.resolve("seed-" + seed)), 2, seed);
    boolean isRotten = false;
    for (int step = 0; step < 8; step++) {
      int bad = random.nextInt(2);
      FaultInjectingDevice device = pool.device(bad);
      boolean isComplete = pool.states().get(1 - bad) == MemberState.ONLINE;
      if (isRotten) {
        scrub(); // Or another failure of the other device would be one too many.
        pool.commit();
        isRotten = false;
      }
      if (isComplete) {
        switch (random.nextInt(5)) {
          case 0 -> device.failOnce(Operation.WRITE, 1 + random.nextInt(4), Fault.IO_ERROR);
          case 1 -> device.failOnce(Operation.SYNC, 1, Fault.IO_ERROR);
          case 2 -> device.failFrom(Operation.READ, 1, Fault.IO_ERROR);
          case 3 -> {
            rot(device, random);
            isRotten = true;
          }
          default -> device.failFrom(Operation.WRITE, 1 + random.nextInt(9), Fault.IO_ERROR);
        }
      }
      pool.write("file " + step, 1 + random.nextInt(200_000));
      pool.verify();
      device.failNoMore(Operation.READ);
      if (random.nextBoolean()) {
        pool.crash();
        pool.open();
        pool.verify();
      } else if (random.nextBoolean()) {
        reopen();
      }
      if (random.nextBoolean() || pool.states().contains(MemberState.RESILVERING)) {
        pool.resilver();
        scrub();
      }
    }
    reopen();
    pool.resilver();
    scrub();
    verifyEachAlone();
    pool.close();
  }

  private void scrub() throws IOException, InterruptedException {
    pool.pool().scrub().start();
    assertEquals(List.of(), pool.pool().scrub().await(Duration.ofMinutes(1)).findings());
  }

  private static void rot(FaultInjectingDevice device, Random random) {
    for (long sector : device.writtenSectors()) {
      if (sector >= DeviceLayout.DATA_FIRST_SECTOR && random.nextInt(3) == 0) {
        device.flipBit(sector * 4096 + random.nextInt(4096), random.nextInt(8));
      }
    }
  }

  @Test
  void anotherDeviceInItsPlaceIsNotUsed() throws Exception {
    create(2);
    pool.write("file", 100_000);
    pool.close();
    FaultInjectingDevice swapped = pool.device(1).reopen();
    PoolLabel.read(swapped).ofMember(new UUID(9, 9)).write(swapped);
    pool.replaceDevice(1, swapped);
    pool.open();
    assertEquals(List.of(MemberState.ONLINE, MemberState.UNAVAIL), pool.states());
    pool.verify();
  }
}
