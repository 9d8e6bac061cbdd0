package io.cowfs.core.fs;

import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;

/**
 * Compares inodes of a snapshot with live ones. Files are compared by where their data is, not by
 * reading it: a clone is equal to its origin. Belongs to one thread.
 */
final class PathComparison {
  private final VolumeState volume;
  private final ItemSource there;
  private final ItemSource here;

  PathComparison(VolumeState volume, ItemSource there) {
    this.volume = volume;
    this.there = there;
    this.here = ItemSource.of(volume.tree());
  }

  /**
   * True when both are the same but for what can be set in place: mode, owner and extended
   * attributes, and the time of modification where the front end does not keep its own.
   */
  boolean sameContent(Inode original, Inode live) throws FsException, IOException {
    if (original.type() != live.type()) {
      return false;
    }
    return switch (original.type()) {
      case REGULAR ->
          original.size == live.size
              && original.mtime.equals(live.mtime)
              && !isDirty(live.number)
              && sameData(original.number, live.number);
      case SYMLINK ->
          equalItems(
              there.itemsOf(original.number, Items.SYMLINK, Items.SYMLINK),
              here.itemsOf(live.number, Items.SYMLINK, Items.SYMLINK));
      case BLOCK_DEVICE, CHARACTER_DEVICE -> original.rdev == live.rdev;
      default -> true;
    };
  }

  private boolean isDirty(long number) {
    Inode inode = volume.inodes().use(number);
    inode.readLock().lock();
    try {
      return inode.dirty != null || inode.syncing != null;
    } finally {
      inode.readLock().unlock();
      volume.inodes().release(inode);
    }
  }

  private boolean sameData(long original, long live) throws IOException {
    if (!Arrays.equals(there.get(Items.inlineData(original)), here.get(Items.inlineData(live)))) {
      return false;
    }
    ItemCursor theirs = new ItemCursor(there, original, Items.EXTENT);
    ItemCursor ours = new ItemCursor(here, live, Items.EXTENT);
    while (true) {
      Map.Entry<Key, byte[]> a = theirs.poll();
      Map.Entry<Key, byte[]> b = ours.poll();
      if (a == null || b == null) {
        return a == b;
      }
      if (a.getKey().low() != b.getKey().low() || !sameExtent(a.getValue(), b.getValue())) {
        return false;
      }
    }
  }

  private static boolean sameExtent(byte[] a, byte[] b) throws IOException {
    if (Arrays.equals(a, b)) {
      return true;
    }
    DataExtent original = DataExtentFormat.decode(a);
    return original.equals(DataExtentFormat.decode(b).withBirthTxg(original.birthTxg()));
  }

  /** True when mode, owner and extended attributes are the same. */
  boolean sameSettings(Inode original, Inode live) throws IOException {
    return original.mode == live.mode
        && original.uid == live.uid
        && original.gid == live.gid
        && equalItems(
            xattrsOf(original), here.itemsOf(live.number, Items.XATTR, Items.XATTR_VALUE));
  }

  /** True when nothing is to be done for what has {@link #sameContent the same content}. */
  boolean sameAttributes(Inode original, Inode live) throws IOException {
    return original.mtime.equals(live.mtime) && sameSettings(original, live);
  }

  /** The extended attributes that the snapshot has, as items. */
  NavigableMap<Key, byte[]> xattrsOf(Inode original) throws IOException {
    return there.itemsOf(original.number, Items.XATTR, Items.XATTR_VALUE);
  }

  static boolean equalItems(NavigableMap<Key, byte[]> a, NavigableMap<Key, byte[]> b) {
    if (!a.keySet().equals(b.keySet())) {
      return false;
    }
    return a.entrySet().stream()
        .allMatch(item -> Arrays.equals(item.getValue(), b.get(item.getKey())));
  }
}
