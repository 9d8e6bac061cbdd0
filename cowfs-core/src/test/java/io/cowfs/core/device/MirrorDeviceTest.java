package io.cowfs.core.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

class MirrorDeviceTest extends BlockDeviceContract {
  private List<FaultInjectingDevice> devices;
  private List<MirrorMember> members;
  private MirrorDevice mirror;

  @Override
  BlockDevice open() {
    return open(MemberState.ONLINE, MemberState.ONLINE, MemberState.ONLINE);
  }

  private MirrorDevice open(MemberState... states) {
    devices = new ArrayList<>();
    members = new ArrayList<>();
    for (int i = 0; i < states.length; i++) {
      devices.add(new FaultInjectingDevice(CAPACITY));
      members.add(MirrorMember.of(i, new UUID(1, i), "member " + i, devices.get(i), states[i]));
    }
    mirror = new MirrorDevice("mirror", members, Runnable::run);
    return mirror;
  }

  private byte[] stored(int member, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    devices.get(member).read(buffer, offset);
    return buffer.array();
  }

  private List<MemberState> states() {
    return members.stream().map(MirrorMember::state).toList();
  }

  @Test
  void everyMemberHasEverything() throws IOException {
    byte[] bytes = random(1 << 20, 1);
    mirror.write(ByteBuffer.wrap(bytes), 1 << 20);
    mirror.write(
        new ByteBuffer[] {ByteBuffer.wrap(random(4096, 2)), ByteBuffer.wrap(random(4096, 3))}, 0);
    mirror.punch((1 << 20) + 8192, 4096);
    mirror.sync();
    for (int i = 0; i < 3; i++) {
      assertArrayEquals(read(1 << 20, 1 << 20), stored(i, 1 << 20, 1 << 20));
      assertArrayEquals(random(4096, 3), stored(i, 4096, 4096));
      assertEquals(0, devices.get(i).unsyncedWrites());
    }
  }

  @Test
  void readsGoToAllMembers() throws IOException {
    for (int i = 0; i < 12; i++) {
      read((long) i << 20, 4096);
    }
    for (FaultInjectingDevice each : devices) {
      assertEquals(4, each.count(Operation.READ));
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Operation.class,
      names = {"WRITE", "SYNC", "PREALLOCATE"})
  void aMemberThatFailsIsFaultedAndAskedNoMore(Operation operation) throws IOException {
    devices.get(1).failOnce(operation, 1, Fault.IO_ERROR);
    mirror.preallocate(0, 4096);
    mirror.write(ByteBuffer.wrap(random(4096, 1)), 0);
    mirror.sync();
    assertEquals(List.of(MemberState.ONLINE, MemberState.FAULTED, MemberState.ONLINE), states());
    assertEquals(1, members.get(1).writeErrors());
    assertTrue(members.get(1).problem().contains("Input/output error"));
    long writes = devices.get(1).count(Operation.WRITE);
    long syncs = devices.get(1).count(Operation.SYNC);
    mirror.write(ByteBuffer.wrap(random(4096, 1)), 0);
    mirror.sync();
    for (int i = 0; i < 12; i++) {
      read((long) i << 20, 4096);
    }
    assertEquals(writes, devices.get(1).count(Operation.WRITE));
    assertEquals(syncs, devices.get(1).count(Operation.SYNC));
    assertEquals(0, devices.get(1).count(Operation.READ));
  }

  @ParameterizedTest
  @EnumSource(
      value = Operation.class,
      names = {"WRITE", "SYNC"})
  void theLastMemberIsNotGivenUpAndItsErrorIsTold(Operation operation) throws IOException {
    for (FaultInjectingDevice each : devices) {
      each.failFrom(operation, 1, Fault.IO_ERROR);
    }
    assertThrows(
        IOException.class,
        () -> {
          mirror.write(ByteBuffer.wrap(random(4096, 1)), 0);
          mirror.sync();
        });
    assertEquals(List.of(MemberState.FAULTED, MemberState.FAULTED, MemberState.ONLINE), states());
  }

  /** What it has written is worth nothing when nobody else has the rest. */
  @Test
  void aWriteThatOnlyAMemberCatchingUpDidHasFailed() {
    open(MemberState.ONLINE, MemberState.RESILVERING);
    devices.get(0).failFrom(Operation.WRITE, 1, Fault.IO_ERROR);
    assertThrows(IOException.class, () -> mirror.write(ByteBuffer.wrap(random(4096, 1)), 0));
  }

  @Test
  void aFullHostIsNoFault() {
    devices.get(2).limitHostSpace(4096);
    assertThrows(HostFullException.class, () -> mirror.preallocate(0, 1 << 20));
    assertEquals(List.of(MemberState.ONLINE, MemberState.ONLINE, MemberState.ONLINE), states());
    assertEquals(4096, mirror.hostFreeBytes());
  }

  @Test
  void aReadFallsBack() throws IOException {
    byte[] bytes = random(1 << 20, 9);
    mirror.write(ByteBuffer.wrap(bytes), 0);
    for (int failing = 0; failing < 3; failing++) {
      devices.get(failing).failFrom(Operation.READ, 1, Fault.IO_ERROR);
      assertEquals(failing < 2, canRead(bytes));
    }
    assertTrue(members.get(0).readErrors() > 0);
  }

  private boolean canRead(byte[] bytes) throws IOException {
    try {
      for (int i = 0; i < 3; i++) {
        assertArrayEquals(bytes, read(0, bytes.length));
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  @ParameterizedTest
  @EnumSource(value = MemberState.class, mode = Mode.EXCLUDE, names = "ONLINE")
  void onlyWhatIsCompleteIsRead(MemberState state) throws IOException {
    open(MemberState.ONLINE, state);
    for (int i = 0; i < 12; i++) {
      mirror.read(ByteBuffer.allocate(4096), (long) i << 20);
    }
    assertEquals(0, devices.get(1).count(Operation.READ));
    assertEquals(12, devices.get(0).count(Operation.READ));
  }

  /** Its ring tells up to which commit it has everything. */
  @Test
  void aMemberThatCatchesUpGetsWhatIsWrittenButNoRootRecords() throws IOException {
    open(MemberState.ONLINE, MemberState.RESILVERING);
    long ring = (long) DeviceLayout.RING_FIRST_SECTOR * DeviceLayout.SECTOR_BYTES;
    long data = (long) DeviceLayout.DATA_FIRST_SECTOR * DeviceLayout.SECTOR_BYTES;
    mirror.write(ByteBuffer.wrap(random(4096, 1)), ring);
    mirror.write(ByteBuffer.wrap(random(4096, 2)), data);
    assertArrayEquals(new byte[4096], stored(1, ring, 4096));
    assertArrayEquals(random(4096, 2), stored(1, data, 4096));
    assertTrue(mirror.caughtUp(members.get(1)));
    mirror.write(ByteBuffer.wrap(random(4096, 3)), ring);
    assertArrayEquals(random(4096, 3), stored(1, ring, 4096));
  }

  @Test
  void theLastCompleteMemberCannotBeTakenOut() {
    open(MemberState.ONLINE, MemberState.ONLINE, MemberState.RESILVERING);
    assertTrue(mirror.takeOut(members.get(0), MemberState.OFFLINE, ""));
    assertFalse(mirror.takeOut(members.get(1), MemberState.OFFLINE, ""));
    assertEquals(
        List.of(MemberState.OFFLINE, MemberState.ONLINE, MemberState.RESILVERING), states());
  }

  /** A sync that takes long ends when the member has another device: that one has done nothing. */
  @Test
  void aLateFailureIsNotThatOfTheNextDevice() throws Exception {
    open(MemberState.ONLINE, MemberState.ONLINE, MemberState.ONLINE);
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goesOn = new CountDownLatch(1);
    FaultInjectingDevice slow = devices.get(1);
    slow.failFrom(Operation.SYNC, 1, Fault.IO_ERROR);
    slow.beforeSync(
        () -> {
          begun.countDown();
          try {
            goesOn.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    ExecutorService executor = Executors.newSingleThreadExecutor();
    Future<?> sync =
        executor.submit(
            () -> {
              mirror.sync();
              return null;
            });
    begun.await();
    assertTrue(mirror.takeOut(members.get(1), MemberState.OFFLINE, ""));
    mirror.catchUp(members.get(1), new FaultInjectingDevice(CAPACITY));
    goesOn.countDown();
    sync.get();
    executor.shutdown();
    assertEquals(
        List.of(MemberState.ONLINE, MemberState.RESILVERING, MemberState.ONLINE), states());
  }
}
