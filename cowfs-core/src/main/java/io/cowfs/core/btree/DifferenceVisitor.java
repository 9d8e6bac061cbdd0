package io.cowfs.core.btree;

import java.io.IOException;

/** Gets the keys in which two trees differ, in ascending order. */
@FunctionalInterface
public interface DifferenceVisitor {
  /**
   * Takes one key. Both values are copies, and never equal.
   *
   * @param oldValue null where the old tree has no such key
   * @param newValue null where the new tree has no such key
   */
  void differs(Key key, byte[] oldValue, byte[] newValue) throws IOException;
}
