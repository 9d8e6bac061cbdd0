package io.cowfs.core.txg;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.device.FaultInjectingDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;

/** Reads an intent log. The first byte says whether the header of its first record is mended. */
public final class LogRecordFuzz {
  private static final UUID POOL = new UUID(1, 2);
  private static final int SECTORS = 8;
  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  private LogRecordFuzz() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    if (input.length <= LogRecordFormat.HEADER_BYTES) {
      return;
    }
    int bytes = Math.min(input.length - 1, SECTORS * SECTOR_BYTES);
    ByteBuffer record =
        ByteBuffer.wrap(Arrays.copyOfRange(input, 1, 1 + bytes)).order(ByteOrder.LITTLE_ENDIAN);
    if ((input[0] & 1) != 0) {
      LogRecordFormat.seal(record, POOL, 0, record.getLong(LogRecordFormat.BASE_TXG));
    }
    FaultInjectingDevice device = new FaultInjectingDevice(1 << 20);
    device.write(record.duplicate(), (long) DeviceLayout.LOG_FIRST_SECTOR * SECTOR_BYTES);
    IntentLog log = new IntentLog(device, POOL, SECTORS, LogPosition.START);
    try {
      for (IntentLog.Section section : log.recover(1)) {
        assertTrue(section.txg() > 1 && section.changes().capacity() <= bytes);
      }
    } catch (DamagedPoolException refused) {
      // As it should.
    }
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() {
    ByteBuffer record = ByteBuffer.allocate(90).order(ByteOrder.LITTLE_ENDIAN);
    record.position(LogRecordFormat.HEADER_BYTES);
    record.putLong(2).putInt(4).putInt(7).putLong(3).putInt(0);
    record.limit(record.position());
    LogRecordFormat.seal(record, POOL, 0, 1);
    byte[] seed = new byte[1 + record.limit()];
    record.get(0, seed, 1, record.limit());
    byte[] mended = seed.clone();
    mended[0] = 1;
    return List.of(seed, mended).toArray(byte[][]::new);
  }
}
