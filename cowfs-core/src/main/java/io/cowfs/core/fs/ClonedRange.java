package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.txg.Txg;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;

/**
 * One change of one file by {@link RangeCloning}: what is there is cut, what is cloned or copied
 * takes its place. Prepared by one thread, then either committed by it, or handed in to a txg and
 * from then on the sync thread's.
 */
final class ClonedRange implements TreeEdits.Edit {
  private static final int SECTOR = PageArena.PAGE_BYTES;

  /** What an item costs beside its value. */
  private static final int ITEM_BYTES = 64;

  /** An extent with its key and checksums takes some 256 bytes. */
  private static final int WEIGHT_OF_PAGE = SECTOR / 256;

  /** Of what is there in any case. */
  private static final int WEIGHT = 8;

  /** Data that cannot be shared, and where in the target it goes, in bytes. */
  private record Copy(long toOffset, byte[] content, int from, int length) {}

  private final VolumeState volume;
  private final RangeCloning.Source source;
  private final Inode target;
  private final DirtyFile layer;
  private final List<Map.Entry<Key, DataExtent>> clones = new ArrayList<>();
  private final List<Copy> copies = new ArrayList<>();
  private RangeCloning.Range range;
  private int reserved;
  private long claimed;
  private int weight;
  private int itemBytes;
  private long cloned;

  /** The target's attributes as the change leaves them. */
  private final Inode result;

  ClonedRange(
      VolumeState volume, RangeCloning.Source source, Inode target, RangeCloning.Range range)
      throws IOException {
    this.volume = volume;
    this.source = source;
    this.target = target;
    this.range = range;
    this.layer =
        new DirtyFile(volume.txgs().openTxg(), volume.head().settings().copies(), volume.arena());
    this.result = new Inode(target.number);
    result.decode(target.encode());
  }

  void prepare(boolean killPrivileges) throws IOException {
    if (source.inode().allocatedSectors == 0) {
      copyInline();
    } else {
      takeExtents();
    }
    // What is neither cloned nor copied is a hole of the source; pages win over the hole.
    layer.punch(range.toOffset() / SECTOR, (range.toEnd() + SECTOR - 1) / SECTOR);
    copies.forEach(this::copy);
    copies.clear();
    result.size = Math.max(result.size, range.toEnd());
    result.mtime = result.ctime = volume.now();
    if (killPrivileges) {
      result.killPrivileges();
    }
  }

  private void copyInline() throws IOException {
    byte[] content = source.tree().get(Items.inlineData(source.inode().number));
    if (content != null && range.fromOffset() == 0) {
      copies.add(new Copy(range.toOffset(), content, 0, content.length));
    }
  }

  private void takeExtents() throws IOException {
    long end = range.fromOffset() + range.length();
    long wholeEnd = (end + SECTOR - 1) / SECTOR * SECTOR;
    ItemCursor cursor =
        new ItemCursor(
            source.tree(),
            Items.extent(
                source.inode().number,
                Math.max(0, range.fromOffset() - FileReads.EXTENT_BYTES_MAX + SECTOR)),
            Items.extent(source.inode().number, wholeEnd - 1));
    for (var item = cursor.poll(); item != null; item = cursor.poll()) {
      long start = item.getKey().low();
      DataExtent extent = DataExtentFormat.decode(item.getValue());
      long from = Math.max(start, range.fromOffset());
      long to = Math.min(start + extent.logicalBytes(), wholeEnd);
      if (from >= to) {
        continue;
      }
      if (clones.size() == RangeCloning.EXTENTS_MAX) {
        range = range.withLength(from - range.fromOffset());
        return;
      }
      take(extent, start, from, to);
    }
  }

  /** Takes the part of an extent that is in the range; offsets in the source, in bytes. */
  private void take(DataExtent extent, long start, long from, long to) throws IOException {
    boolean whole = from == start && to == start + extent.logicalBytes();
    if (!whole && !extent.isPlain()) {
      byte[] content = volume.store().readCompressed(extent);
      copies.add(new Copy(place(from), content, (int) (from - start), (int) (to - from)));
      return;
    }
    DataExtent part =
        whole
            ? extent
            : extent.slice((int) ((from - start) / SECTOR), (int) ((to - from) / SECTOR));
    clones.add(Map.entry(Items.extent(target.number, place(from)), part));
    itemBytes += DataExtentFormat.bytes(part) + ITEM_BYTES;
    cloned += part.allocatedSectors();
  }

  private long place(long sourceOffset) {
    return sourceOffset - range.fromOffset() + range.toOffset();
  }

  private void copy(Copy copy) {
    for (int done = 0; done < copy.length; done += SECTOR) {
      int page = layer.pageForWriting((copy.toOffset + done) / SECTOR);
      int part = Math.min(SECTOR, copy.length - done);
      volume.arena().zero(page, part, SECTOR - part);
      volume.arena().copyIn(page, 0, ByteBuffer.wrap(copy.content), copy.from + done, part);
    }
  }

  /**
   * Reserves what the commit may write.
   *
   * @param cutPages more for what it cuts
   */
  void reserve(int cutPages) throws FsException, IOException {
    int sectors =
        Mutation.sectorsOfItems(itemBytes)
            + (layer.pageCount() + cutPages) * layer.copies()
            + 3 * Mutation.REWRITE_SECTORS;
    claimed = volume.quota().claim(cloned + sectors);
    volume.space().reserve(sectors, ReserveTier.WRITE);
    reserved = sectors;
    weight = WEIGHT + clones.size() + layer.pageCount() * WEIGHT_OF_PAGE;
  }

  /** Gives back what it holds: it was committed, or nothing comes of it. */
  void drop() {
    layer.drop();
    release();
  }

  /** The same but for its pages, from which a commit that nobody waits for may still be written. */
  void release() {
    volume.space().unreserve(reserved);
    reserved = 0;
    volume.quota().settle(claimed);
    claimed = 0;
  }

  /** Bytes of the range. */
  long length() {
    return range.length();
  }

  /** What it takes in memory, counted in extents; once it was reserved. */
  int weight() {
    return weight;
  }

  /** Whose content changes. */
  Inode target() {
    return target;
  }

  /**
   * Makes it part of the open txg: attributes change now, the content with the sync. Nobody else
   * may use the target meanwhile.
   */
  void handIn() throws IOException {
    keepClaimOfData();
    Txg txg = volume.txgs().join();
    Lock lock = target.writeLock();
    lock.lock();
    try {
      target.mode = result.mode;
      target.size = result.size;
      target.mtime = result.mtime;
      target.ctime = result.ctime;
      target.clonedSectors = cloned;
      target.clonedTxg = txg.number();
      target.changedTxg = txg.number();
      volume.inodes().use(target.number);
      volume.tree().put(txg, Items.inode(target.number), target.encode());
      txg.refuseLog();
      volume.addClone(txg, this);
    } finally {
      lock.unlock();
      txg.leave();
    }
  }

  /** Others may be granted what was claimed for nodes: there may be many ranges in one txg. */
  private void keepClaimOfData() {
    long data = Math.min(claimed, cloned + (long) layer.pageCount() * layer.copies());
    volume.quota().count(data - claimed);
    claimed = data;
  }

  /** Sync thread: it is in the published tree. */
  void published() {
    Lock lock = target.writeLock();
    lock.lock();
    try {
      target.clonedTxg = 0;
      drop();
    } finally {
      lock.unlock();
    }
    volume.inodes().release(target);
  }

  /** It was committed with the gates shut. */
  void committed() throws IOException {
    target.decode(result.encode());
    target.changedTxg = volume.txgs().durableTxg();
  }

  @Override
  public IOException refusal() {
    return source.snapshot() == null ? null : source.snapshot().refusal();
  }

  @Override
  public void apply(TreeEdits.Target edited) throws IOException {
    count(edited);
    result.allocatedSectors = put(edited);
    edited.changes().put(Items.inode(target.number), result.encode());
  }

  /** Counts the new references. Comes before anything that lowers a count. */
  void count(TreeEdits.Target edited) throws IOException {
    for (Map.Entry<Key, DataExtent> clone : clones) {
      edited.count(clone.getValue());
    }
  }

  /** Puts the counted references into the file. Returns the sectors that it takes then. */
  long put(TreeEdits.Target edited) throws IOException {
    long allocated = edited.flush().flush(target, layer, result.size);
    for (Map.Entry<Key, DataExtent> clone : clones) {
      edited.put(clone.getKey(), clone.getValue());
    }
    return allocated + cloned;
  }
}
