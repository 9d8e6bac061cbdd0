package io.cowfs.core.dataset;

import io.cowfs.core.btree.Key;
import java.io.IOException;

/**
 * Knows which items of a tree refer to data extents. Given by the layer that owns the items;
 * stateless and thread-safe.
 */
@FunctionalInterface
public interface ExtentScanner {
  /**
   * Reports every extent that an item refers to; none for most items.
   *
   * @throws io.cowfs.core.block.CorruptBlockException when the value cannot be decoded
   */
  void extents(Key key, byte[] value, ExtentVisitor visitor) throws IOException;

  /** Receives one reference to a range of sectors. */
  @FunctionalInterface
  interface ExtentVisitor {
    void extent(long sector, int sectors, long birthTxg) throws IOException;
  }
}
