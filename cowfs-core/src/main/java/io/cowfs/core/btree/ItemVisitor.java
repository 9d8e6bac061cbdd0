package io.cowfs.core.btree;

import java.io.IOException;

/** Gets the items of a scan, in ascending order of keys. */
@FunctionalInterface
public interface ItemVisitor {
  /**
   * Takes one item.
   *
   * @param source contains the value; shared, must not be changed, and worth keeping only as a copy
   * @param offset where the value begins in {@code source}
   * @param length of the value in bytes
   * @return whether to go on
   */
  boolean visit(Key key, byte[] source, int offset, int length) throws IOException;
}
