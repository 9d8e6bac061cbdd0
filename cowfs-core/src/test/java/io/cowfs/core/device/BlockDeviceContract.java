package io.cowfs.core.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every device does. */
abstract class BlockDeviceContract {
  static final long CAPACITY = 64L << 20;

  BlockDevice device;

  abstract BlockDevice open() throws IOException;

  @BeforeEach
  void openDevice() throws IOException {
    device = open();
  }

  @AfterEach
  void closeDevice() throws IOException {
    device.close();
  }

  byte[] read(long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(length);
    device.read(buffer, offset);
    assertFalse(buffer.hasRemaining());
    byte[] bytes = new byte[length];
    buffer.get(0, bytes);
    return bytes;
  }

  static byte[] random(int length, long seed) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @Test
  void readsBackWhatWasWritten() throws IOException {
    byte[] bytes = random(100_000, 1);
    device.write(ByteBuffer.wrap(bytes), 12_345);
    assertArrayEquals(bytes, read(12_345, bytes.length));
  }

  @Test
  void neverWrittenReadsAsZeros() throws IOException {
    assertArrayEquals(new byte[200_000], read(1_000_000, 200_000));
    device.write(ByteBuffer.wrap(random(10, 2)), 4090);
    assertArrayEquals(new byte[5000], read(4100, 5000));
  }

  @Test
  void gathersBuffersInOrder() throws IOException {
    byte[] first = random(4096, 3);
    byte[] second = random(8192, 4);
    ByteBuffer direct = ByteBuffer.allocateDirect(8192).put(second).flip();
    device.write(new ByteBuffer[] {ByteBuffer.wrap(first), direct}, 8192);
    assertArrayEquals(first, read(8192, 4096));
    assertArrayEquals(second, read(12_288, 8192));
  }

  @Test
  void punchedReadsAsZerosAndTheRestStays() throws IOException {
    byte[] bytes = random(16 * 4096, 5);
    device.write(ByteBuffer.wrap(bytes), 0);
    device.punch(4 * 4096, 8 * 4096);
    assertArrayEquals(new byte[8 * 4096], read(4 * 4096, 8 * 4096));
    assertArrayEquals(random(16 * 4096, 5), bytes);
    assertEquals(bytes[12 * 4096], read(12 * 4096, 1)[0]);
    assertEquals(bytes[4 * 4096 - 1], read(4 * 4096 - 1, 1)[0]);
  }

  @Test
  void preallocatedReadsAsZerosAndKeepsData() throws IOException {
    byte[] bytes = random(4096, 6);
    device.write(ByteBuffer.wrap(bytes), 0);
    device.preallocate(0, 1 << 20);
    assertArrayEquals(bytes, read(0, 4096));
    assertArrayEquals(new byte[4096], read(4096, 4096));
    assertEquals(1 << 20, device.usedExtent());
  }

  @Test
  void writesBeyondTheCapacityFail() {
    assertThrows(IOException.class, () -> device.write(ByteBuffer.allocate(4096), CAPACITY - 4095));
  }
}
