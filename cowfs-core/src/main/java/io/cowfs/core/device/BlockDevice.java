package io.cowfs.core.device;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Positioned I/O on the data file (or block device) of a pool, or on several that hold the same.
 * Thread-safe. Offsets and lengths are bytes and need no alignment, though callers keep to sectors
 * of 4 KiB.
 */
public interface BlockDevice extends Closeable {
  /**
   * Fills the buffer's remaining bytes from {@code offset}. What was never written reads as zeros.
   *
   * @throws IOException on an I/O error; the buffer's content is then undefined
   */
  void read(ByteBuffer destination, long offset) throws IOException;

  /**
   * The same, but past what the host keeps in memory, where that is possible: what the medium
   * itself has. That takes a direct buffer, and an offset, a length and an address in whole
   * sectors.
   */
  default void readMedium(ByteBuffer destination, long offset) throws IOException {
    read(destination, offset);
  }

  /**
   * The copies that can be read of what lies at an offset, in the order in which to try them: those
   * that have everything come first, of these the one that is least busy. At least one.
   */
  default List<DeviceCopy> copies(long offset) {
    return List.of(new SoleCopy(this));
  }

  /** Writes all remaining bytes of the buffer. Durable only after {@link #sync}. */
  void write(ByteBuffer source, long offset) throws IOException;

  /** Writes all buffers, one behind the other. Durable only after {@link #sync}. */
  void write(ByteBuffer[] sources, long offset) throws IOException;

  /**
   * Writes all remaining bytes of the buffer, and returns when they are durable. Does not wait for
   * other writes or for a {@link #sync} that is under way, where that is possible. What it wrote is
   * undefined after an error, and is not to be retried, but for a full host.
   *
   * @throws io.cowfs.core.device.HostFullException when the host has no space
   */
  default void writeDurably(ByteBuffer source, long offset) throws IOException {
    write(source, offset);
    sync();
  }

  /** Makes every write that returned before this call durable. Not to be retried after an error. */
  void sync() throws IOException;

  /**
   * Gives the space of a range back to the host; the range then reads as zeros. Does nothing where
   * the host cannot.
   */
  void punch(long offset, long length) throws IOException;

  /**
   * Makes sure that later writes into the range find space on the host. Does nothing where the host
   * cannot promise it.
   *
   * @throws io.cowfs.core.device.HostFullException when the host has no space
   */
  void preallocate(long offset, long length) throws IOException;

  /** The most bytes the device can hold: its size limit. */
  long capacity();

  /** The end of what may hold data: nothing was written or preallocated from here on; bytes. */
  long usedExtent() throws IOException;

  /**
   * How much more the host could store now, as far as it tells; bytes. {@link Long#MAX_VALUE} where
   * the device's space is its own.
   */
  long hostFreeBytes();

  /** The file's name, for messages. */
  String name();
}
