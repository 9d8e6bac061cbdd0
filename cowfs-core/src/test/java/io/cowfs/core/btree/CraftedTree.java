package io.cowfs.core.btree;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/** A tree of one leaf that has whatever items one wants. */
public final class CraftedTree {
  private static final BlockPointer ROOT =
      new BlockPointer(
          200,
          NodeFormat.NODE_BYTES,
          NodeFormat.NODE_BYTES,
          Compression.NONE,
          ChecksumAlgorithm.CRC32C,
          0,
          1);

  private CraftedTree() {}

  /** What does not fit into the leaf is left out; there must be an item. */
  public static Tree of(SortedMap<Key, byte[]> items) {
    List<Entry> entries = new ArrayList<>();
    int bytes = 0;
    for (Map.Entry<Key, byte[]> item : items.entrySet()) {
      Entry entry = new Entry.Item(item.getKey(), item.getValue(), 0, item.getValue().length);
      bytes += entry.bytes();
      if (bytes > NodeFormat.CAPACITY_BYTES) {
        break;
      }
      entries.add(entry);
    }
    byte[] leaf = NodeFormat.encode(0, entries);
    return new Tree(ROOT, pointer -> leaf);
  }
}
