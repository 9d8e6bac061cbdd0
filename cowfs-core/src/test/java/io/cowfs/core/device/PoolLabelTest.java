package io.cowfs.core.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PoolLabelTest {
  private static final PoolLabel LABEL =
      new PoolLabel(new UUID(1, 2), 1L << 30, 1_700_000_000_000L, 2, 7, 1, 2);

  private final FaultInjectingDevice device = new FaultInjectingDevice(16 << 20);

  @BeforeEach
  void write() throws IOException {
    LABEL.write(device);
  }

  @Test
  void readsBackWhatWasWritten() throws IOException {
    assertEquals(LABEL, PoolLabel.read(device));
  }

  @Test
  void everyFlippedBitIsFound() {
    for (long at = 0; at < 2 * 4096; at++) {
      int bit = (int) (at % 8);
      device.flipBit(at, bit);
      StorageException e = assertThrows(StorageException.class, () -> PoolLabel.read(device));
      assertTrue(e.getMessage().startsWith("memory"), e.getMessage());
      device.flipBit(at, bit);
    }
  }

  @Test
  void anEmptyDeviceIsNoPool() {
    StorageException e =
        assertThrows(
            UnsupportedFormatException.class,
            () -> PoolLabel.read(new FaultInjectingDevice(16 << 20)));
    assertEquals("memory is not a cowfs pool", e.getMessage());
  }

  @Test
  void aLostCopyIsDamage() throws IOException {
    device.write(ByteBuffer.allocate(4096), 4096);
    StorageException e = assertThrows(DamagedPoolException.class, () -> PoolLabel.read(device));
    assertEquals("memory: the second copy of the label is damaged", e.getMessage());
  }

  @Test
  void twoWholeCopiesThatDifferAreDamage() throws IOException {
    PoolLabel other = new PoolLabel(new UUID(1, 3), 0, 0, 0, 0, 1, 2);
    device.write(LabelFormat.encode(other), 4096);
    assertThrows(DamagedPoolException.class, () -> PoolLabel.read(device));
  }

  @Test
  void aNewerVersionIsRefused() throws IOException {
    for (int copy = 0; copy < 2; copy++) {
      ByteBuffer sector = LabelFormat.encode(LABEL);
      sector.putInt(LabelFormat.VERSION, PoolLabel.FORMAT_VERSION + 1);
      sector.putInt(
          LabelFormat.CHECKSUM,
          (int) io.cowfs.core.codec.ChecksumAlgorithm.CRC32C.of(sector, 0, LabelFormat.CHECKSUM));
      device.write(sector, copy * 4096L);
    }
    assertThrows(UnsupportedFormatException.class, () -> PoolLabel.read(device));
  }

  @Test
  void unknownFeaturesToReadAreRefused() throws IOException {
    new PoolLabel(new UUID(1, 2), 0, 0, 0, 0, 1, 2, 1L << 63 | 1L << 2, 0, 0, PoolLabel.NO_MEMBER)
        .write(device);
    StorageException e =
        assertThrows(UnsupportedFormatException.class, () -> PoolLabel.read(device));
    assertTrue(e.getMessage().endsWith("not known to this program: bits 2, 63"), e.getMessage());
  }

  @Test
  void withUnknownFeaturesToWriteItCanBeRead() throws IOException {
    PoolLabel label = new PoolLabel(new UUID(1, 2), 0, 0, 0, 0, 1, 2, 0, 2, 0, PoolLabel.NO_MEMBER);
    label.write(device);
    assertEquals(label, PoolLabel.read(device));
    StorageException e =
        assertThrows(UnsupportedFormatException.class, () -> label.requireWritable("pool"));
    assertTrue(e.getMessage().endsWith("not known to this program: bit 1"), e.getMessage());
    LABEL.requireWritable("pool");
  }
}
