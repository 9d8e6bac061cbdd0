package io.cowfs.core.txg;

import io.cowfs.core.btree.Key;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The changes that one txg made to the items of one tree: a value, or {@link #DELETED}.
 * Thread-safe; that two changes of one key do not race is for the locks of the layer above.
 */
public final class Overlay {
  /** Stands for an item that is gone. Compared by identity. */
  public static final byte[] DELETED = new byte[0];

  /** What an entry costs in memory beyond its value: key, map node, index share. In bytes. */
  static final int ENTRY_OVERHEAD_BYTES = 120;

  private final long txg;
  private final ConcurrentSkipListMap<Key, byte[]> items = new ConcurrentSkipListMap<>();

  Overlay(long txg) {
    this.txg = txg;
  }

  /** The txg whose changes these are. */
  public long txg() {
    return txg;
  }

  /** Ascending; values are shared and must not be changed. */
  public ConcurrentSkipListMap<Key, byte[]> items() {
    return items;
  }
}
