package io.cowfs.core.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class FaultInjectingDeviceTest extends BlockDeviceContract {
  @Override
  BlockDevice open() {
    return new FaultInjectingDevice(CAPACITY);
  }

  private FaultInjectingDevice faulty() {
    return (FaultInjectingDevice) device;
  }

  @Test
  void syncedSurvivesEveryCrash() throws IOException {
    byte[] bytes = random(10 * 4096, 1);
    for (int seed = 0; seed < 50; seed++) {
      FaultInjectingDevice before = new FaultInjectingDevice(CAPACITY);
      before.write(ByteBuffer.wrap(bytes), 4096);
      before.sync();
      before.write(ByteBuffer.wrap(random(4096, 2)), 20 * 4096);
      device = before.crash(new Random(seed));
      assertArrayEquals(bytes, read(4096, bytes.length));
    }
  }

  @Test
  void unsyncedSurvivesInAnySubset() throws IOException {
    Set<String> outcomes = new HashSet<>();
    for (int seed = 0; seed < 500; seed++) {
      FaultInjectingDevice before = new FaultInjectingDevice(CAPACITY);
      byte[] ones = new byte[4096];
      Arrays.fill(ones, (byte) 1);
      before.write(ByteBuffer.wrap(ones), 0);
      before.write(ByteBuffer.wrap(ones), 4096);
      device = before.crash(new Random(seed));
      byte[] after = read(0, 8192);
      outcomes.add(describe(after, 0) + describe(after, 4096));
    }
    assertTrue(
        outcomes.containsAll(Set.of("nonenone", "allall", "noneall", "allnone", "torntorn")),
        outcomes.toString());
  }

  private static String describe(byte[] bytes, int from) {
    int sum = 0;
    for (int i = from; i < from + 4096; i++) {
      sum += bytes[i];
    }
    return sum == 0 ? "none" : sum == 4096 ? "all" : "torn";
  }

  @Test
  void aCrashedDeviceIsDead() throws IOException {
    faulty().crash(new Random(1));
    assertThrows(IOException.class, () -> device.write(ByteBuffer.allocate(1), 0));
    assertThrows(IOException.class, () -> device.read(ByteBuffer.allocate(1), 0));
    device.close();
  }

  @Test
  void failsTheOperationThatWasAskedFor() throws IOException {
    faulty().failOnce(Operation.WRITE, 2, Fault.IO_ERROR);
    device.write(ByteBuffer.allocate(1), 0);
    assertThrows(IOException.class, () -> device.write(ByteBuffer.allocate(1), 0));
    device.write(ByteBuffer.allocate(1), 0);
    faulty().failFrom(Operation.WRITE, 1, Fault.HOST_FULL);
    assertThrows(HostFullException.class, () -> device.write(ByteBuffer.allocate(1), 0));
    assertThrows(HostFullException.class, () -> device.write(ByteBuffer.allocate(1), 0));
    faulty().failNoMore(Operation.WRITE);
    device.write(ByteBuffer.allocate(1), 0);
  }

  @Test
  void afterAFailedSyncEveryWriteAndSyncFails() throws IOException {
    faulty().failOnce(Operation.SYNC, 1, Fault.IO_ERROR);
    device.write(ByteBuffer.allocate(1), 0);
    assertThrows(IOException.class, () -> device.sync());
    assertThrows(IOException.class, () -> device.sync());
    assertThrows(IOException.class, () -> device.write(ByteBuffer.allocate(1), 0));
  }

  @Test
  void theHostRunsFull() throws IOException {
    faulty().limitHostSpace(1 << 20);
    device.preallocate(0, 1 << 20);
    device.write(ByteBuffer.allocate(4096), 0);
    assertThrows(HostFullException.class, () -> device.write(ByteBuffer.allocate(4096), 1 << 20));
    device.punch(0, 8192);
    device.write(ByteBuffer.allocate(4096), 1 << 20);
    assertEquals((1 << 20) - 4096, faulty().hostBytesUsed());
  }
}
