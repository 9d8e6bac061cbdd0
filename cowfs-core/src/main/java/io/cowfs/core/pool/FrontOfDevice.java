package io.cowfs.core.pool;

import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DeviceLayout;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The labels and the ring of a device. The intent log behind them needs neither: see its records.
 */
final class FrontOfDevice {
  private static final int BYTES = DeviceLayout.LOG_FIRST_SECTOR * DeviceLayout.SECTOR_BYTES;

  private FrontOfDevice() {}

  /** Removes what another pool may have left in it; not durable yet. */
  static void clear(BlockDevice device) throws IOException {
    device.write(ByteBuffer.allocateDirect(BYTES), 0);
  }

  /** Commits write there when the host may be full. */
  static void reserve(BlockDevice device) throws IOException {
    device.preallocate(0, BYTES);
  }
}
