package io.cowfs.core.fs;

import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.txg.TransactionalTree;
import java.io.IOException;
import java.util.Arrays;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Items to look at: those of a snapshot's tree, or of a live one. As thread-safe as the tree. */
@FunctionalInterface
interface ItemSource {
  /** Visits the items from {@code from} to {@code to}, both included, ascending. */
  void scan(Key from, Key to, TransactionalTree.Visitor visitor) throws IOException;

  static ItemSource of(Tree tree) {
    return (from, to, visitor) ->
        tree.scan(
            from,
            to,
            (key, source, offset, length) ->
                visitor.item(key, Arrays.copyOfRange(source, offset, offset + length)));
  }

  static ItemSource of(TransactionalTree tree) {
    return tree::scan;
  }

  /** The value of a key, or null. */
  default byte[] get(Key key) throws IOException {
    byte[][] found = new byte[1][];
    scan(
        key,
        key,
        (at, value) -> {
          found[0] = value;
          return false;
        });
    return found[0];
  }

  /** The attributes of an inode, in an object of its own; null when there is none. */
  default Inode inode(long number) throws IOException {
    byte[] item = get(Items.inode(number));
    if (item == null) {
      return null;
    }
    Inode inode = new Inode(number);
    inode.decode(item);
    return inode;
  }

  /** The directory entry of that name, or null. */
  default NameFormat.Entry entry(long directory, byte[] name) throws IOException {
    long slot = Items.firstSlot(name);
    NameFormat.Entry[] found = new NameFormat.Entry[1];
    scan(
        new Key(directory, Items.DIRECTORY_ENTRY, slot),
        new Key(directory, Items.DIRECTORY_ENTRY, slot | Items.SLOT_MASK),
        (key, value) -> {
          if (!NameFormat.isNamed(value, name)) {
            return true;
          }
          found[0] = NameFormat.decode(value);
          return false;
        });
    return found[0];
  }

  /** All items of an inode whose kind is in a range; the keys' inode is replaced by 0. */
  default NavigableMap<Key, byte[]> itemsOf(long inode, int firstKind, int lastKind)
      throws IOException {
    TreeMap<Key, byte[]> items = new TreeMap<>();
    scan(
        new Key(inode, firstKind, 0),
        new Key(inode, lastKind, -1L),
        (key, value) -> {
          items.put(new Key(0, key.kind(), key.low()), value);
          return true;
        });
    return items;
  }
}
