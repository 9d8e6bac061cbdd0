package io.cowfs.core.txg;

import java.nio.ByteBuffer;

/** One change as the intent log keeps it, to be made again after a crash. Immutable. */
public interface LoggedChange {
  /** What it takes in the log; bytes. */
  int logBytes();

  /** Writes exactly so many bytes, little-endian. */
  void encode(ByteBuffer log);
}
