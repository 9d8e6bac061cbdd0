package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Copies inodes of a snapshot into the live tree, without their names: attributes, extended
 * attributes, symbolic links and small contents are copied, extents are cloned, so that the data
 * takes no space. Until it is linked, a copy is an orphan like an unlinked file: a crash leaves
 * nothing of it, however many commits it took to make. Belongs to one thread.
 */
final class InodeStage implements TreeEdits.Edit {
  /** The items of one commit, in bytes: what is above goes with the next one. */
  private static final int BYTES_MAX = 8 << 20;

  /** What an item costs beside its value, on the device and in memory. */
  private static final int ITEM_BYTES = 64;

  /** Sectors of the nodes at the places where new inodes and orphans are entered. */
  private static final int REWRITE_SECTORS = 2 * Mutation.REWRITE_SECTORS;

  private final VolumeState volume;
  private final SourceTree origin;
  private final ItemSource source;
  private final TreeMap<Key, byte[]> items = new TreeMap<>();
  private final List<Map.Entry<Key, DataExtent>> extents = new ArrayList<>();
  private final Set<Long> unlinked = new HashSet<>();
  private int bytes;
  private long cloned;

  InodeStage(VolumeState volume, SourceTree origin) {
    this.volume = volume;
    this.origin = origin;
    this.source = ItemSource.of(new Tree(origin.root(), volume.nodes()));
  }

  /** What is copied from. */
  ItemSource source() {
    return source;
  }

  /** True when it is time to commit. */
  boolean isFull() {
    return bytes >= BYTES_MAX;
  }

  /**
   * Copies an inode. It may be linked after the next {@link #commit}; its attributes are complete
   * then. A large file is committed in parts by itself.
   *
   * @param original as the snapshot has it
   * @return the copy: an inode without links, which is in no table yet
   */
  Inode copy(Inode original) throws FsException, IOException {
    Inode copy = new Inode(volume.newInodeNumber());
    copy.decode(original.encode());
    copy.nlink = 0;
    copy.unlinked = true;
    copy.generation = 1;
    copy.allocatedSectors = 0;
    copy.ctime = volume.now();
    if (copy.isDirectory()) {
      copy.size = 0;
    }
    volume.tree().requireChangeable(Items.orphan(copy.number));
    put(Items.orphan(copy.number), new byte[0]);
    source
        .itemsOf(original.number, Items.SYMLINK, Items.XATTR_VALUE)
        .forEach((key, value) -> put(new Key(copy.number, key.kind(), key.low()), value));
    if (copy.type() == FileType.REGULAR) {
      byte[] content = source.get(Items.inlineData(original.number));
      if (content != null) {
        put(Items.inlineData(copy.number), content);
      }
      cloneExtents(original.number, copy);
    }
    put(Items.inode(copy.number), copy.encode());
    unlinked.add(copy.number);
    return copy;
  }

  private void put(Key key, byte[] value) {
    items.put(key, value);
    bytes += value.length + ITEM_BYTES;
  }

  private void cloneExtents(long original, Inode copy) throws FsException, IOException {
    ItemCursor cursor = new ItemCursor(source, original, Items.EXTENT);
    for (var item = cursor.poll(); item != null; item = cursor.poll()) {
      DataExtent extent = DataExtentFormat.decode(item.getValue());
      extents.add(Map.entry(Items.extent(copy.number, item.getKey().low()), extent));
      copy.allocatedSectors += extent.allocatedSectors();
      cloned += extent.allocatedSectors();
      bytes += item.getValue().length + ITEM_BYTES;
      if (isFull()) {
        items.put(Items.inode(copy.number), copy.encode());
        unlinked.add(copy.number);
        commit();
      }
    }
  }

  /**
   * Makes everything durable that was copied. No inode may be locked.
   *
   * @throws FsException NO_SPACE, QUOTA_EXCEEDED
   * @throws io.cowfs.core.dataset.DatasetException NOT_FOUND when the snapshot was destroyed
   */
  void commit() throws FsException, IOException {
    if (items.isEmpty() && extents.isEmpty()) {
      return;
    }
    int sectors = Mutation.sectorsOfItems(bytes) + REWRITE_SECTORS;
    long claimed = volume.quota().claim(sectors + cloned);
    try {
      volume.space().reserve(sectors, ReserveTier.WRITE);
      try {
        volume.edits().commit(this);
      } finally {
        volume.space().unreserve(sectors);
      }
    } finally {
      volume.quota().settle(claimed);
    }
    items.clear();
    extents.clear();
    bytes = 0;
    cloned = 0;
  }

  @Override
  public IOException refusal() {
    return origin.refusal();
  }

  @Override
  public void apply(TreeEdits.Target target) throws IOException {
    for (Map.Entry<Key, DataExtent> clone : extents) {
      target.count(clone.getValue());
      target.put(clone.getKey(), clone.getValue());
    }
    target.changes().putAll(items);
  }

  /** The copy has a name from now on. */
  void linked(long number) {
    unlinked.remove(number);
  }

  /** Has everything freed again that got no name. */
  void abandon() {
    unlinked.forEach(number -> volume.reaper().add(number, 0));
    unlinked.clear();
  }
}
