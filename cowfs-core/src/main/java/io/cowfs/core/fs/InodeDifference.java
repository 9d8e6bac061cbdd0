package io.cowfs.core.fs;

import com.dynatrace.hash4j.hashing.Hashing;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
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
  private boolean smallContentDiffers;
  private boolean xattrsDiffer;

  /** Of the extents that differ: what they contain, wherever that lies and however it is cut. */
  private long oldContent;

  private long newContent;

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
      case Items.SYMLINK, Items.INLINE_DATA -> smallContentDiffers = true;
      case Items.EXTENT -> {
        oldContent += contentOf(key, oldValue);
        newContent += contentOf(key, newValue);
      }
      // What is in a directory tells of its own names; items of no known kind tell nothing.
      default -> {}
    }
  }

  /**
   * A sum over the checksums with their places in the file: a file that was defragmented has the
   * same one. Who changes a file changes its times, too, so it is not alone in telling that.
   */
  private static long contentOf(Key key, byte[] value) throws CorruptBlockException {
    if (value == null) {
      return 0;
    }
    DataExtent extent = DataExtentFormat.decode(value);
    if (!extent.isPlain()) {
      return mix(key.low(), extent.checksum() + extent.logicalBytes());
    }
    long sum = 0;
    for (int i = 0; i < extent.sectors(); i++) {
      sum += mix(key.low() + (long) i * DataExtent.SECTOR_BYTES, extent.sectorChecksum(i));
    }
    return sum;
  }

  private static long mix(long offset, long checksum) {
    return Hashing.xxh3_64().hashStream().putLong(offset).putLong(checksum).getAsLong();
  }

  private boolean contentDiffers() {
    return smallContentDiffers || oldContent != newContent;
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
        || contentDiffers()
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
        && (contentDiffers() || before.size != after.size || !before.mtime.equals(after.mtime));
  }
}
