package io.cowfs.core.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.memory.DirectBuffers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

  /** Past the host's cache where all of them may go there; more than one request takes. */
  @Test
  void gathersManyBuffersWhereverTheyLie() throws IOException {
    byte[] all = random(5 << 20, 9);
    for (int odd : new int[] {0, 1, 1200}) {
      List<ByteBuffer> buffers = new ArrayList<>();
      for (int at = 0; at < all.length; at += 4096) {
        ByteBuffer buffer =
            odd > 0 && at / 4096 % odd == odd - 1
                ? ByteBuffer.allocate(4096)
                : DirectBuffers.aligned(4096);
        buffers.add(buffer.put(all, at, 4096).flip());
      }
      long offset = 4096 * (1 + odd);
      device.write(buffers.toArray(ByteBuffer[]::new), offset);
      assertArrayEquals(all, read(offset, all.length), "every " + odd);
      assertTrue(buffers.stream().noneMatch(ByteBuffer::hasRemaining));
    }
  }

  /** Past the host's cache, where the buffer and the offset allow it; behind the end are zeros. */
  @Test
  void largeReadsFindWhatWasWrittenInAnyWay() throws IOException {
    byte[] expected = new byte[4 << 20];
    Random random = new Random(11);
    for (int i = 0; i < 50; i++) {
      byte[] part = random(1 + random.nextInt(300_000), i);
      int at = random.nextInt((3 << 20) - part.length);
      device.write(ByteBuffer.wrap(part), at);
      System.arraycopy(part, 0, expected, at, part.length);
      byte[] sectors = random(256 << 10, 100 + i);
      int sector = random.nextInt((3 << 20) - sectors.length) / 4096 * 4096;
      device.write(DirectBuffers.large(sectors.length).put(sectors).flip(), sector);
      System.arraycopy(sectors, 0, expected, sector, sectors.length);
      int from = random.nextInt(2 << 20) / 4096 * 4096;
      byte[] found = new byte[expected.length - from];
      ByteBuffer buffer = DirectBuffers.large(found.length);
      device.read(buffer, from);
      assertFalse(buffer.hasRemaining());
      buffer.get(0, found);
      assertArrayEquals(Arrays.copyOfRange(expected, from, expected.length), found, "write " + i);
    }
  }

  @Test
  void severalThreadsGatherAtOnce() throws Exception {
    int threads = 4;
    byte[] all = random(threads * 8 << 18, 10);
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    List<Future<Void>> written = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      int first = i;
      written.add(
          executor.submit(
              () -> {
                for (int at = first << 18; at < all.length; at += threads << 18) {
                  ByteBuffer one = DirectBuffers.aligned(1 << 17).put(all, at, 1 << 17).flip();
                  ByteBuffer other =
                      DirectBuffers.aligned(1 << 17).put(all, at + (1 << 17), 1 << 17).flip();
                  device.write(new ByteBuffer[] {one, other}, at);
                }
                return null;
              }));
    }
    executor.shutdown();
    for (Future<Void> each : written) {
      each.get();
    }
    assertArrayEquals(all, read(0, all.length));
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
