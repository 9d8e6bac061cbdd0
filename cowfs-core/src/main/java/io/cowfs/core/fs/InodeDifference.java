package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Key;
import io.cowfs.core.vfs.FileType;
import java.util.ArrayList;
import java.util.List;

/** In what the items of one inode differ between two trees. Belongs to one thread. */
final class InodeDifference {
  final long number;
  final List<DirectoryItems.Link> removed = new ArrayList<>();
  final List<DirectoryItems.Link> added = new ArrayList<>();

  private byte[] oldItem;
  private byte[] newItem;
  private boolean contentDiffers;
  private boolean xattrsDiffer;

  InodeDifference(long number) {
    this.number = number;
  }

  /** Takes an item that differs; null where it is not there. */
  void item(Key key, byte[] oldValue, byte[] newValue) throws CorruptBlockException {
    switch (key.kind()) {
      case Items.INODE -> {
        oldItem = oldValue;
        newItem = newValue;
      }
      case Items.BACK_REFERENCE -> {
        addLink(oldValue, removed);
        addLink(newValue, added);
      }
      case Items.XATTR, Items.XATTR_VALUE -> xattrsDiffer = true;
      case Items.SYMLINK, Items.INLINE_DATA, Items.EXTENT -> contentDiffers = true;
      // What is in a directory tells of its own names; items of no known kind tell nothing.
      default -> {}
    }
  }

  private static void addLink(byte[] value, List<DirectoryItems.Link> links)
      throws CorruptBlockException {
    if (value != null) {
      NameFormat.Entry entry = NameFormat.decode(value);
      links.add(new DirectoryItems.Link(entry.inode(), entry.name()));
    }
  }

  /** False when the inode items are equal, or missing in both trees. */
  boolean itemDiffers() {
    return oldItem != null || newItem != null;
  }

  /** Null where there is none. */
  byte[] oldItem() {
    return oldItem;
  }

  /** Null where there is none. */
  byte[] newItem() {
    return newItem;
  }

  /** False when there is nothing to say of this inode, whatever else is known of it. */
  boolean isOfInterest() {
    return itemDiffers()
        || contentDiffers
        || xattrsDiffer
        || !removed.isEmpty()
        || !added.isEmpty();
  }

  /**
   * Whether the same file is there in both trees. Numbers are not used again in a dataset; this
   * does not rely on it.
   */
  static boolean isSameFile(Inode before, Inode after) {
    return before.type() == after.type()
        && before.generation == after.generation
        && before.btime.equals(after.btime);
  }

  /** Whether what is behind the names of a file is another. Times of access and change are not. */
  boolean isModified(Inode before, Inode after) {
    if (xattrsDiffer
        || before.mode != after.mode
        || before.uid != after.uid
        || before.gid != after.gid
        || before.rdev != after.rdev
        || before.flags != after.flags) {
      return true;
    }
    return after.type() != FileType.DIRECTORY
        && (contentDiffers || before.size != after.size || !before.mtime.equals(after.mtime));
  }
}
