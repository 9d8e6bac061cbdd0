package io.cowfs.core.txg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.DeviceLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RootRingTest {
  private static final int RING_START = DeviceLayout.RING_FIRST_SECTOR * DeviceLayout.SECTOR_BYTES;
  private static final int RING_END = DeviceLayout.DATA_FIRST_SECTOR * DeviceLayout.SECTOR_BYTES;

  private final UUID uuid = new UUID(3, 4);
  private final MemoryDevice device = new MemoryDevice();

  @Test
  void theNewestRecordComesBack() throws IOException {
    for (long newest : new long[] {1, 2, 127, 128, 129, 500}) {
      MemoryDevice fresh = new MemoryDevice();
      fill(fresh, newest);
      RootRing ring = RootRing.open(fresh, uuid, newest, "index");
      assertEquals(record(newest), ring.newest().orElseThrow());
    }
  }

  @Test
  void aNewPoolHasNoRecord() throws IOException {
    assertTrue(RootRing.open(device, uuid, 0, "index").newest().isEmpty());
    assertTrue(RootRing.open(device, uuid, 1, "index").newest().isEmpty());
    assertThrows(DamagedPoolException.class, () -> RootRing.open(device, uuid, 2, "index"));
  }

  @Test
  void aRecordLostInACrashIsWrittenAgain() throws IOException {
    fill(device, 200);
    RootRing ring = RootRing.open(device, uuid, 201, "index");
    assertEquals(200, ring.newest().orElseThrow().txg());
    assertThrows(IllegalArgumentException.class, () -> ring.write(record(202)));
    ring.write(record(201));
    ring.write(record(202));
    assertEquals(202, RootRing.open(device, uuid, 202, "index").newest().orElseThrow().txg());
  }

  @Test
  void anOlderRingIsNotWrittenOverANewerOne() throws IOException {
    fill(device, 200);
    MemoryDevice empty = new MemoryDevice();
    MemoryDevice older = new MemoryDevice();
    fill(older, 199);
    assertThrows(DamagedPoolException.class, () -> RootRing.Image.of(older, uuid, 200));
    for (MemoryDevice stale : new MemoryDevice[] {empty, older}) {
      RootRing.Image image = RootRing.Image.of(stale, uuid, stale == older ? 199 : 0);
      assertThrows(DamagedPoolException.class, () -> image.copyTo(device));
      assertEquals(200, RootRing.open(device, uuid, 200, "index").newest().orElseThrow().txg());
    }
    RootRing.Image newer = RootRing.Image.of(device, uuid, 200);
    assertTrue(newer.copyTo(older));
    assertFalse(newer.copyTo(older));
    assertTrue(newer.copyTo(empty));
    assertEquals(200, RootRing.open(empty, uuid, 200, "index").newest().orElseThrow().txg());
  }

  @Test
  void anIndexOfAnotherTimeIsRefused() throws IOException {
    fill(device, 200);
    DamagedPoolException stale =
        assertThrows(
            DamagedPoolException.class, () -> RootRing.open(device, uuid, 199, "the/index"));
    assertTrue(stale.getMessage().startsWith("the/index: the index is stale"));
    DamagedPoolException ahead =
        assertThrows(
            DamagedPoolException.class, () -> RootRing.open(device, uuid, 202, "the/index"));
    assertTrue(ahead.getMessage().startsWith("memory: "));
  }

  @Test
  void theRingOfAnotherPoolIsRefused() throws IOException {
    fill(device, 5);
    assertThrows(
        DamagedPoolException.class, () -> RootRing.open(device, new UUID(1, 1), 5, "index"));
  }

  @Test
  void everyFlippedByteIsFound() throws IOException {
    long seed = System.nanoTime();
    System.out.println("RootRingTest.everyFlippedByte seed " + seed);
    Random random = new Random(seed);
    fill(device, 200);
    for (int i = 0; i < 2_000; i++) {
      int slotStart =
          RING_START + random.nextInt(DeviceLayout.RING_SLOTS) * DeviceLayout.SECTOR_BYTES;
      int at = random.nextBoolean() ? slotStart + random.nextInt(512) : anywhere(random);
      device.bytes[at] ^= (byte) (1 << random.nextInt(8));
      byte[] before = device.bytes.clone();
      DamagedPoolException e =
          assertThrows(DamagedPoolException.class, () -> RootRing.open(device, uuid, 200, "index"));
      assertTrue(e.getMessage().startsWith("memory: root record "), e.getMessage());
      assertFalse(e.getMessage().contains("\n"));
      assertTrue(Arrays.equals(before, device.bytes), "nothing was changed");
      fill(device, 200);
    }
  }

  @Test
  void aSlotThatWasZeroedOrSetBackIsFound() throws IOException {
    fill(device, 200);
    byte[] before = device.bytes.clone();
    fill(device, 300);
    for (int txg = 201; txg < 300; txg++) {
      byte[] good = device.bytes.clone();
      int at = RING_START + txg % DeviceLayout.RING_SLOTS * DeviceLayout.SECTOR_BYTES;
      System.arraycopy(
          txg % 2 == 0 ? before : new byte[RING_END],
          at,
          device.bytes,
          at,
          DeviceLayout.SECTOR_BYTES);
      assertThrows(DamagedPoolException.class, () -> RootRing.open(device, uuid, 300, "index"));
      System.arraycopy(good, 0, device.bytes, 0, good.length);
    }
  }

  private static int anywhere(Random random) {
    return RING_START + random.nextInt(RING_END - RING_START);
  }

  private void fill(MemoryDevice target, long newest) throws IOException {
    Arrays.fill(target.bytes, (byte) 0);
    RootRing ring = RootRing.create(target, uuid);
    for (long txg = 1; txg <= newest; txg++) {
      ring.write(record(txg));
    }
  }

  private RootRecord record(long txg) {
    BlockPointer directory =
        new BlockPointer(
            1000 + txg, 16384, 9000, Compression.LZ4, ChecksumAlgorithm.XXH3_64, txg * 77, txg);
    return new RootRecord(txg, uuid, 1_700_000_000_000L + txg, txg % 3 == 0 ? null : directory);
  }

  /** Label and ring in memory. */
  private static final class MemoryDevice implements BlockDevice {
    private final byte[] bytes = new byte[RING_END];

    @Override
    public void read(ByteBuffer destination, long offset) {
      destination.put(bytes, (int) offset, destination.remaining());
    }

    @Override
    public void write(ByteBuffer source, long offset) {
      source.get(bytes, (int) offset, source.remaining());
    }

    @Override
    public void write(ByteBuffer[] sources, long offset) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void sync() {}

    @Override
    public void punch(long offset, long length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void preallocate(long offset, long length) {
      throw new UnsupportedOperationException();
    }

    @Override
    public long usedExtent() {
      return bytes.length;
    }

    @Override
    public long hostFreeBytes() {
      return Long.MAX_VALUE;
    }

    @Override
    public long capacity() {
      return bytes.length;
    }

    @Override
    public String name() {
      return "memory";
    }

    @Override
    public void close() {}
  }
}
