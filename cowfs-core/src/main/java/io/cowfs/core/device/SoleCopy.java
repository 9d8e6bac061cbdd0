package io.cowfs.core.device;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The copy of a device that has only one. Nothing could repair it. */
record SoleCopy(BlockDevice device) implements DeviceCopy {
  @Override
  public String name() {
    return device.name();
  }

  @Override
  public Trust trust() {
    return Trust.COMPLETE;
  }

  @Override
  public void read(ByteBuffer destination, long offset, Source source) throws IOException {
    if (source == Source.MEDIUM) {
      device.readMedium(destination, offset);
    } else {
      device.read(destination, offset);
    }
  }

  @Override
  public void mismatched() {}

  @Override
  public void repair(ByteBuffer content, long offset) throws IOException {
    device.write(content, offset);
  }
}
