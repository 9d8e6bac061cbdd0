package io.cowfs.core.pool;

import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.FileDevice;
import io.cowfs.core.txg.DirtyLimit;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;

/**
 * What a pool stands on besides its directory.
 *
 * @param limit of what may be changed and not committed
 * @param clock for times that are stored, and for what is done on a schedule
 */
record Environment(Devices devices, DirtyLimit limit, Clock clock) {
  /** Devices in files of the host, and the ordinary limit. */
  static final Environment HOST =
      new Environment(new HostDevices(), DirtyLimit.DEFAULT, Clock.systemUTC());

  /** Where devices come from. */
  interface Devices {
    /** A new device, which must not exist yet. */
    BlockDevice create(Path file, long capacityBytes) throws IOException;

    BlockDevice open(Path file, long capacityBytes) throws IOException;
  }

  private record HostDevices() implements Devices {
    @Override
    public BlockDevice create(Path file, long capacityBytes) throws IOException {
      return FileDevice.create(file, capacityBytes);
    }

    @Override
    public BlockDevice open(Path file, long capacityBytes) throws IOException {
      return FileDevice.open(file, capacityBytes);
    }
  }
}
