package io.cowfs.core.fs;

import io.cowfs.core.btree.Key;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Goes through the items of one kind of one inode, a part of them in memory at a time. Belongs to
 * one thread; items may come and go behind the place that was read.
 */
final class ItemCursor {
  private static final int CHUNK_ITEMS = 512;

  private final ItemSource source;
  private final Key last;
  private final ArrayDeque<Map.Entry<Key, byte[]>> ahead = new ArrayDeque<>();
  private Key next;

  /** All items of one kind of one inode. */
  ItemCursor(ItemSource source, long inode, int kind) {
    this(source, new Key(inode, kind, 0), new Key(inode, kind, -1L));
  }

  /** A part of them, both ends included. */
  ItemCursor(ItemSource source, Key first, Key last) {
    this.source = source;
    this.next = first;
    this.last = last;
  }

  /** The next item, which stays the next one; null at the end. */
  Map.Entry<Key, byte[]> peek() throws IOException {
    if (ahead.isEmpty() && next != null) {
      source.scan(
          next,
          last,
          (key, value) -> {
            ahead.add(Map.entry(key, value));
            return ahead.size() < CHUNK_ITEMS;
          });
      Key end = ahead.size() < CHUNK_ITEMS ? last : ahead.getLast().getKey();
      next = end.equals(last) ? null : new Key(end.high(), end.kind(), end.low() + 1);
    }
    return ahead.peek();
  }

  /** The next item, which is passed; null at the end. */
  Map.Entry<Key, byte[]> poll() throws IOException {
    peek();
    return ahead.poll();
  }

  /** The slots that names with one hash share: where the next item is; -1 at the end. */
  long bucket() throws IOException {
    Map.Entry<Key, byte[]> item = peek();
    return item == null ? -1 : item.getKey().low() & ~(long) Items.SLOT_MASK;
  }

  /** Passes all entries of a bucket, if it is the next one. */
  List<NameFormat.Entry> takeBucket(long bucket) throws IOException {
    List<NameFormat.Entry> entries = new ArrayList<>();
    while (bucket() == bucket) {
      entries.add(NameFormat.decode(poll().getValue()));
    }
    return entries;
  }
}
