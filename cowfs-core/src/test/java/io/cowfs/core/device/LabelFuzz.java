package io.cowfs.core.device;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.UUID;
import java.util.zip.CRC32C;

/** Reads labels. The first byte says what is put right in the rest: 1 the magic, 2 the checksum. */
public final class LabelFuzz {
  private LabelFuzz() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    if (input.length == 0) {
      return;
    }
    ByteBuffer sector =
        ByteBuffer.wrap(Arrays.copyOf(Arrays.copyOfRange(input, 1, input.length), 4096))
            .order(ByteOrder.LITTLE_ENDIAN);
    if ((input[0] & 1) != 0) {
      sector.putLong(LabelFormat.MAGIC, LabelFormat.MAGIC_VALUE);
    }
    if ((input[0] & 2) != 0) {
      CRC32C crc = new CRC32C();
      crc.update(sector.slice(0, LabelFormat.CHECKSUM));
      sector.putInt(LabelFormat.CHECKSUM, (int) crc.getValue());
    }
    FaultInjectingDevice device = new FaultInjectingDevice(1 << 20);
    device.write(sector.duplicate(), 0);
    device.write(sector.duplicate(), DeviceLayout.SECTOR_BYTES);
    PoolLabel label;
    try {
      label = PoolLabel.read(device);
    } catch (UnsupportedFormatException | DamagedPoolException refused) {
      return;
    }
    assertTrue(label.capacityBytes() >= 0 && label.capacityBytes() <= FileDevice.UNLIMITED_BYTES);
    assertTrue(
        Arrays.equals(sector.array(), LabelFormat.encode(label).array()), "not what was read");
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() {
    byte[] label =
        LabelFormat.encode(new PoolLabel(new UUID(1, 2), 1 << 30, 3, 1, 0, 1, 2)).array();
    byte[] seed = new byte[1 + LabelFormat.ZEROS];
    seed[0] = 2;
    System.arraycopy(label, 0, seed, 1, LabelFormat.ZEROS);
    return new byte[][] {seed};
  }
}
