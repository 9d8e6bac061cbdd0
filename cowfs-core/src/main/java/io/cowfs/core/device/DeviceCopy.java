package io.cowfs.core.device;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * One of the copies that a device keeps of all it has. Thread-safe. What is read of one copy may
 * differ from what another has: only a checksum tells which is right.
 */
public interface DeviceCopy {
  /** Where it is read from. */
  enum Source {
    /** What the host keeps in memory, where it does. */
    CACHE,
    /** As {@link BlockDevice#readMedium}. */
    MEDIUM
  }

  /** How far it can be relied on. */
  enum Trust {
    /** It has all that was ever written. */
    COMPLETE,
    /** It has what was written lately; older things may be missing. */
    PARTIAL
  }

  /** The name of what holds it, for messages. */
  String name();

  Trust trust();

  /**
   * Fills the buffer's remaining bytes from {@code offset}. An error is counted.
   *
   * @throws IOException on an I/O error; the buffer's content is then undefined
   */
  void read(ByteBuffer destination, long offset, Source source) throws IOException;

  /** Counts something that was read of it and does not match its checksum. */
  void mismatched();

  /**
   * Writes over what is bad in this copy. The caller has made sure that the content is what belongs
   * there, and that the space is not used for anything else meanwhile. Durable after a sync of the
   * device.
   *
   * @throws IOException when the copy cannot be written
   */
  void repair(ByteBuffer content, long offset) throws IOException;
}
