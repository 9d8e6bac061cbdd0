package io.cowfs.core.dataset;

import io.cowfs.core.device.HostFullException;
import io.cowfs.core.device.HostSpace;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Host space for the index beyond its end, so that commits still find room when the host file
 * system is full: without it nothing could be deleted any more.
 *
 * <p>Closing any descriptor of the index file drops the locks that LMDB holds on it, so this one is
 * closed after LMDB. Used by one thread at a time.
 */
final class CatalogReserve implements Closeable {
  private static final long RESERVE_BYTES = 8L << 20;

  private final HostSpace space;
  private final long limitBytes;

  /** Up to here the file has space on the host. */
  private long endBytes;

  /**
   * Opens the reserve of an index that LMDB has open.
   *
   * @param limitBytes the index does not grow beyond this
   */
  CatalogReserve(Path file, long limitBytes) throws IOException {
    this.space = new HostSpace(file);
    this.limitBytes = limitBytes;
  }

  /**
   * Fills up the reserve when half of it is used. Does nothing when the host is full: that is what
   * the rest of the reserve is for; nor when the index has no room to grow.
   */
  void keep(long usedBytes) throws IOException {
    long wanted = Math.min(limitBytes, usedBytes + RESERVE_BYTES);
    if (wanted <= usedBytes || wanted - endBytes < RESERVE_BYTES / 2) {
      return;
    }
    try {
      space.allocate(usedBytes, wanted - usedBytes);
      endBytes = wanted;
    } catch (HostFullException e) {
      endBytes = Math.max(endBytes, usedBytes);
    }
  }

  @Override
  public void close() throws IOException {
    space.close();
  }
}
