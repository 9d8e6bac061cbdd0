package io.cowfs.core.txg;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.device.FaultInjectingDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.UUID;
import java.util.zip.CRC32C;

/** Reads root records, and rings that have one. The first byte says whether its checksum is set. */
public final class RootRecordFuzz {
  private static final UUID POOL = new UUID(1, 2);

  private RootRecordFuzz() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    if (input.length == 0) {
      return;
    }
    ByteBuffer sector =
        ByteBuffer.wrap(
                Arrays.copyOf(Arrays.copyOfRange(input, 1, input.length), RootRecordFormat.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    if ((input[0] & 1) != 0) {
      CRC32C crc = new CRC32C();
      crc.update(sector.slice(0, RootRecordFormat.CHECKSUM));
      sector.putInt(RootRecordFormat.CHECKSUM, (int) crc.getValue());
    }
    ring(sector, input[0] >> 1 & 63);
    RootRecord record;
    try {
      record = RootRecordFormat.decode(sector);
    } catch (CorruptBlockException refused) {
      return;
    }
    assertEquals(sector, RootRecordFormat.encode(record), "not what was read");
  }

  private static void ring(ByteBuffer sector, int slot) throws IOException {
    FaultInjectingDevice device = new FaultInjectingDevice(1 << 20);
    device.write(
        sector.duplicate(),
        (long) (DeviceLayout.RING_FIRST_SECTOR + slot) * DeviceLayout.SECTOR_BYTES);
    RootRing.survivors(device, POOL);
    RootRing.isWhole(device, POOL);
    try {
      RootRing.open(device, POOL, 1, "index");
    } catch (DamagedPoolException refused) {
      // As it should.
    }
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() {
    BlockPointer root =
        new BlockPointer(200, 16384, 8000, Compression.LZ4, ChecksumAlgorithm.XXH3_64, -5, 1);
    return new byte[][] {
      seed(new RootRecord(1, POOL, 3, root)), seed(new RootRecord(1, POOL, 3, null))
    };
  }

  private static byte[] seed(RootRecord record) {
    byte[] seed = new byte[1 + RootRecordFormat.ZEROS];
    seed[0] = 3;
    RootRecordFormat.encode(record).get(0, seed, 1, RootRecordFormat.ZEROS);
    return seed;
  }
}
