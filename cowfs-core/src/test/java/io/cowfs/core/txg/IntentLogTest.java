package io.cowfs.core.txg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.device.MemberState;
import io.cowfs.core.device.MirrorDevice;
import io.cowfs.core.device.MirrorMember;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class IntentLogTest {
  private static final UUID POOL = new UUID(3, 4);
  private static final int SECTORS = 16;
  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  private FaultInjectingDevice device = new FaultInjectingDevice(1 << 20);
  private LogPosition start = LogPosition.START;
  private IntentLog log = open();

  private IntentLog open() {
    return new IntentLog(device, POOL, SECTORS, start);
  }

  /** A change of a number, and as many bytes as it takes to fill it up. */
  private record Change(int number, int logBytes) implements LoggedChange {
    @Override
    public void encode(ByteBuffer to) {
      to.putInt(number);
      to.position(to.position() + logBytes - Integer.BYTES);
    }
  }

  private static Txg epoch(long txg, int number, int bytes) {
    Txg epoch = new Txg(txg, Txg.Logging.KEPT);
    epoch.log(new Change(number, bytes));
    return epoch;
  }

  private boolean append(long txg, long base, int number, int bytes) throws IOException {
    return log.append(List.of(epoch(txg, number, bytes)), base);
  }

  /** The numbers of what would be found if the process ended now. */
  private List<Integer> found(long durableTxg) throws IOException {
    return numbers(open(), durableTxg);
  }

  /** The process ends, and another one goes on. */
  private List<Integer> restart(long durableTxg) throws IOException {
    log = open();
    return numbers(log, durableTxg);
  }

  private static List<Integer> numbers(IntentLog log, long durableTxg) throws IOException {
    List<Integer> numbers = new ArrayList<>();
    for (IntentLog.Section section : log.recover(durableTxg)) {
      assertTrue(section.txg() > durableTxg);
      numbers.add(section.changes().getInt(0));
    }
    return numbers;
  }

  private void commit(long txg) {
    start = log.positionAfter(txg);
    log.committed(start);
  }

  @Test
  void ofAMirrorEachDeviceHasTheLogAndOneIsEnough() throws IOException {
    FaultInjectingDevice other = new FaultInjectingDevice(1 << 20);
    MirrorDevice mirror =
        new MirrorDevice(
            "mirror",
            List.of(
                MirrorMember.of(0, new UUID(1, 0), "a", device, MemberState.ONLINE),
                MirrorMember.of(1, new UUID(1, 1), "b", other, MemberState.ONLINE)),
            Runnable::run);
    log = new IntentLog(mirror, POOL, SECTORS, start);
    assertTrue(append(1, 0, 7, 100));
    assertTrue(append(1, 0, 8, 100));
    for (BlockDevice each : List.of(device, other)) {
      assertEquals(List.of(7, 8), numbers(new IntentLog(each, POOL, SECTORS, start), 0));
    }
    // Where the log ends, one of them cannot be read.
    other.failMediumReads(DeviceLayout.LOG_FIRST_SECTOR + 2);
    assertEquals(List.of(7, 8), numbers(new IntentLog(mirror, POOL, SECTORS, start), 0));
    IntentLog ofOne = new IntentLog(other, POOL, SECTORS, start);
    assertThrows(IOException.class, () -> ofOne.recover(0), "there may be more");
  }

  @Test
  void whatWasAppendedIsFoundUntilItIsCommitted() throws IOException {
    assertEquals(List.of(), found(0));
    assertTrue(append(1, 0, 11, 100));
    assertTrue(append(1, 0, 12, 3 * SECTOR_BYTES));
    assertEquals(List.of(11, 12), found(0));
    assertTrue(append(2, 0, 13, 8));
    assertEquals(List.of(11, 12, 13), found(0));
    assertEquals(List.of(13), found(1));
    commit(1);
    assertTrue(append(2, 1, 14, 8));
    assertEquals(List.of(13, 14), found(1));
    commit(2);
    assertEquals(List.of(), found(2));
  }

  @Test
  void severalEpochsAreOneRecord() throws IOException {
    assertTrue(log.append(List.of(epoch(1, 1, 10), epoch(1, 2, 5000), epoch(2, 3, 10)), 0));
    assertEquals(1, device.count(Operation.SYNC));
    assertEquals(List.of(1, 2, 3), found(0));
    assertEquals(List.of(3), found(1));
  }

  @Test
  void aFullLogTakesNothingUntilACommitAndGoesRound() throws IOException {
    Random random = new Random(5);
    int number = 0;
    for (long txg = 1; txg < 200; txg++) {
      List<Integer> expected = new ArrayList<>();
      while (append(txg, txg - 1, number, 4 + random.nextInt(5 * SECTOR_BYTES))) {
        expected.add(number++);
      }
      assertFalse(expected.isEmpty());
      assertEquals(expected, found(txg - 1));
      commit(txg);
      assertEquals(List.of(), found(txg));
    }
  }

  /** While a txg syncs, the next one is logged; what the commit keeps is not overwritten. */
  @Test
  void recordsOfTheNextTxgOutliveTheCommit() throws IOException {
    Random random = new Random(6);
    int number = 0;
    for (long txg = 1; txg < 200; txg++) {
      assertTrue(append(txg, txg - 1, number++, 4 + random.nextInt(SECTOR_BYTES)));
      int next = number++;
      assertTrue(append(txg + 1, txg - 1, next, 4 + random.nextInt(SECTOR_BYTES)));
      commit(txg);
      assertEquals(List.of(next), found(txg));
      while (append(txg + 1, txg, number, 4 + random.nextInt(SECTOR_BYTES))) {
        number++;
      }
      assertEquals(next, found(txg).get(0));
      commit(txg + 1);
      txg++;
    }
  }

  /** Commits follow each other: the front is used again, and the rest is never made ready. */
  @Test
  void ofALargeLogOnlySoMuchIsUsedAsIsNeeded() throws IOException {
    int sectors = 64 << 8;
    device = new FaultInjectingDevice(80 << 20);
    log = new IntentLog(device, POOL, sectors, start);
    int number = 0;
    List<Integer> next = new ArrayList<>();
    for (long txg = 1; txg < 24; txg++) {
      List<Integer> expected = new ArrayList<>(next);
      for (int i = 0; i < 8; i++) {
        assertTrue(append(txg, txg - 1, number, 1 << 20));
        expected.add(number++);
      }
      next = List.of(number);
      assertTrue(append(txg + 1, txg - 1, number++, 100 << 10));
      expected.addAll(next);
      assertEquals(
          expected, numbers(new IntentLog(device, POOL, sectors, start), txg - 1), "txg " + txg);
      commit(txg);
      assertEquals(0, log.percentUsed(), "after txg " + txg);
      if (txg % 5 == 0) {
        log = new IntentLog(device, POOL, sectors, start);
        assertEquals(next, numbers(log, txg));
      }
    }
    assertTrue(device.usedExtent() < 32 << 20, () -> "used " + device.usedExtent());
  }

  /** Where the log goes on, there is a record that does not count; the next one goes elsewhere. */
  @Test
  void whatContinuedALostCommitIsNotTakenForWhatComesInstead() throws IOException {
    int sectors = 64 << 8;
    device = new FaultInjectingDevice(80 << 20);
    log = new IntentLog(device, POOL, sectors, start);
    for (int i = 0; i < 20; i++) {
      assertTrue(append(1, 0, i, 1 << 20));
    }
    commit(1);
    assertTrue(append(3, 2, 31, 10));
    log = new IntentLog(device, POOL, sectors, start);
    assertEquals(List.of(), numbers(log, 1), "it continues a commit that is lost");
    assertTrue(append(2, 1, 32, 10));
    assertTrue(append(2, 1, 33, 10));
    for (long durable = 1; durable < 3; durable++) {
      List<Integer> found = numbers(new IntentLog(device, POOL, sectors, start), durable);
      assertEquals(durable == 1 ? List.of(32, 33) : List.of(), found, "after txg " + durable);
    }
  }

  @Test
  void aRecordThatWasCutShortEndsTheLog() throws IOException {
    for (int seed = 0; seed < 200; seed++) {
      device = new FaultInjectingDevice(1 << 20);
      start = LogPosition.START;
      log = open();
      assertTrue(append(1, 0, 1, 3 * SECTOR_BYTES));
      device.failPowerAt(1 + seed % 3);
      try {
        append(1, 0, 2, 3 * SECTOR_BYTES);
      } catch (IOException expected) {
        // The power is gone.
      }
      device = device.crash(new Random(seed));
      List<Integer> found = restart(0);
      assertTrue(found.equals(List.of(1)) || found.equals(List.of(1, 2)), "seed " + seed + found);
      assertTrue(append(1, 0, 3, 10));
      found.add(3);
      assertEquals(found, found(0));
    }
  }

  @Test
  void whatContinuesALostCommitIsLost() throws IOException {
    assertTrue(append(2, 1, 1, 10));
    assertTrue(append(3, 2, 2, 10));
    assertTrue(append(3, 2, 3, 10));
    assertEquals(List.of(1), found(1));
    assertEquals(List.of(2, 3), found(2));
  }

  @Test
  void aDamagedRecordBeforeOthersIsNoEnd() throws IOException {
    assertTrue(append(1, 0, 1, 10));
    assertTrue(append(1, 0, 2, 10));
    assertTrue(append(1, 0, 3, 10));
    long second = (DeviceLayout.LOG_FIRST_SECTOR + 1L) * SECTOR_BYTES;
    device.flipBit(second + LogRecordFormat.SEQUENCE, 3);
    assertThrows(DamagedPoolException.class, () -> found(0));
  }

  @Test
  void aDamagedLargeRecordBeforeOthersIsNoEnd() throws IOException {
    int sectors = 64 << 8;
    device = new FaultInjectingDevice(80 << 20);
    log = new IntentLog(device, POOL, sectors, start);
    assertTrue(append(1, 0, 1, 3 << 20));
    assertTrue(append(1, 0, 2, 10));
    device.flipBit(
        (long) DeviceLayout.LOG_FIRST_SECTOR * SECTOR_BYTES + LogRecordFormat.SEQUENCE, 3);
    IntentLog opened = new IntentLog(device, POOL, sectors, start);
    assertThrows(DamagedPoolException.class, () -> opened.recover(0));
  }

  @Test
  void aReadThatGoesWrongOnceHidesNothing() throws IOException {
    assertTrue(append(1, 0, 1, 10));
    assertTrue(append(1, 0, 2, 2 * SECTOR_BYTES));
    for (Fault fault : List.of(Fault.BIT_ROT, Fault.STALE, Fault.MISDIRECTED)) {
      for (int nth = 1; nth < 12; nth++) {
        device = device.reopen();
        device.failOnce(Operation.READ, nth, fault);
        assertEquals(List.of(1, 2), found(0), fault + " " + nth);
      }
    }
  }

  @Test
  void recordsOfAnotherPoolOrAnEarlierCountAreNotTaken() throws IOException {
    assertTrue(append(1, 0, 1, 10));
    assertEquals(List.of(), new IntentLog(device, new UUID(3, 5), SECTORS, start).recover(0));
    start = LogPosition.anew(1);
    assertEquals(List.of(), restart(0));
    assertTrue(append(2, 1, 2, 10));
    assertEquals(List.of(2), found(1));
  }

  @Test
  void aHostThatIsFullIsNoFailure() throws IOException {
    device.limitHostSpace(0);
    assertFalse(append(1, 0, 1, 10));
    assertEquals(List.of(), found(0));
    device.limitHostSpace(1 << 20);
    assertTrue(append(1, 0, 2, 10));
    assertEquals(List.of(2), found(0));
  }
}
