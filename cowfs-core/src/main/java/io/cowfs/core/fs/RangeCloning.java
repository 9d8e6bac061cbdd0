package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Lock;
import java.util.stream.Stream;

/**
 * Puts a range of one file into another by reference, as FICLONERANGE does. Thread-safe.
 *
 * <p>The gates of both volumes are shut meanwhile, in the order of their datasets, and what is
 * dirty of both files is committed first: so the source's references are in its tree and stay
 * there, and no operation sees a part of the change, which is one commit. To keep others out no
 * longer than for that one, the first commit is tried before the gates are shut.
 *
 * <p>Sectors stored plain are shared one by one. A compressed extent is shared whole, or, where the
 * range has only a part of it, copied. So is a content that is kept in the tree.
 */
final class RangeCloning {
  private static final int SECTOR = PageArena.PAGE_BYTES;

  /** What one call clones at most: its items are in memory until they are committed. */
  static final int EXTENTS_MAX = 32_768;

  private final VolumeState volume;

  RangeCloning(VolumeState volume) {
    this.volume = volume;
  }

  /**
   * What is cloned, in bytes: offsets are multiples of a sector, and so is the length, unless the
   * range ends where both files end.
   */
  record Range(long fromOffset, long toOffset, long length) {
    Range withLength(long other) {
      return new Range(fromOffset, toOffset, other);
    }

    long toEnd() {
      return toOffset + length;
    }
  }

  /**
   * A file to clone from, as its tree has it.
   *
   * @param snapshot that must still be there; null for a live file
   */
  private record Source(ItemSource tree, Inode inode, SourceTree snapshot) {}

  /**
   * Clones from a live file, of this volume or another of the pool. No lock may be held.
   *
   * @param killPrivileges clear suid and sgid of the target
   * @return the bytes cloned: fewer than asked for where the source ends before, or has very many
   *     extents
   * @throws FsException INVALID where offsets and length do not allow it, or source and target
   *     overlap
   */
  long clone(
      VolumeState from, Handle fromHandle, Handle toHandle, Range range, boolean killPrivileges)
      throws FsException, IOException {
    check(range);
    if (from == volume
        && fromHandle.inode() == toHandle.inode()
        && Math.abs(range.fromOffset - range.toOffset) < range.length) {
      throw new FsException(FsError.INVALID);
    }
    if (volume.txgs().dirtyDataBytes() > 0) {
      volume.txgs().syncAll();
    }
    List<Lock> gates = shutGates(from);
    Inode inode = from.inodes().use(fromHandle.inode());
    try {
      if (isDirty(inode) || isDirty(toHandle.target())) {
        volume.txgs().syncAll();
      }
      from.inodes().load(inode);
      fromHandle.check();
      try (TransactionalTree.Pin pin = from.tree().pin()) {
        Source source = new Source(ItemSource.of(pin.tree()), inode, null);
        return clone(source, toHandle, range, killPrivileges);
      }
    } finally {
      from.inodes().release(inode);
      gates.forEach(Lock::unlock);
    }
  }

  /** The same from a file of a snapshot. */
  long clone(SourceTree snapshot, long number, Handle toHandle, Range range)
      throws FsException, IOException {
    check(range);
    ItemSource tree = ItemSource.of(new Tree(snapshot.root(), volume.nodes()));
    Inode inode = tree.inode(number);
    if (inode == null) {
      throw new FsException(FsError.STALE);
    }
    List<Lock> gates = shutGates(volume);
    try {
      volume.txgs().syncAll();
      return clone(new Source(tree, inode, snapshot), toHandle, range, true);
    } finally {
      gates.forEach(Lock::unlock);
    }
  }

  /** True while data of the file is not in its tree. Its gate is shut. */
  private static boolean isDirty(Inode inode) {
    inode.readLock().lock();
    try {
      return inode.dirty != null || inode.syncing != null;
    } finally {
      inode.readLock().unlock();
    }
  }

  private void check(Range range) throws FsException, IOException {
    volume.checkWritable();
    if (range.length < 0 || range.fromOffset < 0 || range.toOffset < 0) {
      throw new FsException(FsError.INVALID);
    }
    if (range.toOffset > FileWrites.FILE_BYTES_MAX - range.length) {
      throw new FsException(FsError.FILE_TOO_LARGE);
    }
    if (range.fromOffset % SECTOR != 0 || range.toOffset % SECTOR != 0) {
      throw new FsException(FsError.INVALID);
    }
    volume.txgs().throttle(() -> false);
  }

  private List<Lock> shutGates(VolumeState from) {
    List<Lock> gates =
        Stream.of(volume, from)
            .distinct()
            .sorted((a, b) -> Integer.compare(a.head().id(), b.head().id()))
            .map(VolumeState::closedGate)
            .toList();
    gates.forEach(Lock::lock);
    return gates;
  }

  /** With the gates shut and the data of both files committed. */
  private long clone(Source source, Handle toHandle, Range asked, boolean killPrivileges)
      throws FsException, IOException {
    Inode target = volume.inodes().use(toHandle.inode());
    Preparation preparation = null;
    int reserved = 0;
    try {
      volume.inodes().load(target);
      toHandle.check();
      if (volume.inodes().isUnsettled(target)) {
        throw new FsException(FsError.STALE);
      }
      requireFile(source.inode);
      requireFile(target);
      Range range =
          asked.withLength(
              Math.max(0, Math.min(asked.length, source.inode.size - asked.fromOffset)));
      if (range.length == 0) {
        return 0;
      }
      boolean toBothEnds =
          range.fromOffset + range.length == source.inode.size && range.toEnd() >= target.size;
      if (range.length % SECTOR != 0 && !toBothEnds) {
        throw new FsException(FsError.INVALID);
      }
      int cut =
          volume.reads().cutExtents(target, range.toOffset, range.toEnd(), volume.txgs().openTxg());
      preparation = new Preparation(source, target, range);
      preparation.prepare(killPrivileges);
      int sectors = preparation.sectors() + cut * DataExtent.SECTORS_MAX;
      volume.requireQuota(preparation.quotaSectors());
      volume.space().reserve(sectors, ReserveTier.WRITE);
      reserved = sectors;
      volume.edits().commit(preparation);
      target.decode(preparation.result.encode());
      target.changedTxg = volume.txgs().durableTxg();
      return preparation.range.length;
    } finally {
      if (preparation != null) {
        preparation.layer.drop();
      }
      volume.space().unreserve(reserved);
      volume.inodes().release(target);
    }
  }

  private static void requireFile(Inode inode) throws FsException {
    if (!inode.isRegular()) {
      throw new FsException(inode.isDirectory() ? FsError.IS_A_DIRECTORY : FsError.INVALID);
    }
  }

  /** Data that cannot be shared, and where in the target it goes, in bytes. */
  private record Copy(long toOffset, byte[] content, int from, int length) {}

  /** One change of one file: what is there is cut, what is cloned or copied takes its place. */
  private final class Preparation implements TreeEdits.Edit {
    private final Source source;
    private final Inode target;
    private final DirtyFile layer;
    private final List<Map.Entry<Key, DataExtent>> clones = new ArrayList<>();
    private final List<Copy> copies = new ArrayList<>();
    private Range range;
    private int itemBytes;
    private long cloned;

    /** The target's attributes as the change leaves them. */
    private final Inode result;

    Preparation(Source source, Inode target, Range range) throws IOException {
      this.source = source;
      this.target = target;
      this.range = range;
      this.layer = new DirtyFile(volume.txgs().openTxg(), volume.arena());
      this.result = new Inode(target.number);
      result.decode(target.encode());
    }

    void prepare(boolean killPrivileges) throws IOException {
      if (source.inode.allocatedSectors == 0) {
        copyInline();
      } else {
        takeExtents();
      }
      // What is neither cloned nor copied is a hole of the source; pages win over the hole.
      layer.punch(range.toOffset / SECTOR, (range.toEnd() + SECTOR - 1) / SECTOR);
      copies.forEach(this::copy);
      result.size = Math.max(result.size, range.toEnd());
      result.mtime = result.ctime = volume.now();
      if (killPrivileges) {
        result.killPrivileges();
      }
    }

    private void copyInline() throws IOException {
      byte[] content = source.tree.get(Items.inlineData(source.inode.number));
      if (content != null && range.fromOffset == 0) {
        copies.add(new Copy(range.toOffset, content, 0, content.length));
      }
    }

    private void takeExtents() throws IOException {
      long end = range.fromOffset + range.length;
      long wholeEnd = (end + SECTOR - 1) / SECTOR * SECTOR;
      ItemCursor cursor =
          new ItemCursor(
              source.tree,
              Items.extent(
                  source.inode.number,
                  Math.max(0, range.fromOffset - FileReads.EXTENT_BYTES_MAX + SECTOR)),
              Items.extent(source.inode.number, wholeEnd - 1));
      for (var item = cursor.poll(); item != null; item = cursor.poll()) {
        long start = item.getKey().low();
        DataExtent extent = DataExtentFormat.decode(item.getValue());
        long from = Math.max(start, range.fromOffset);
        long to = Math.min(start + extent.logicalBytes(), wholeEnd);
        if (from >= to) {
          continue;
        }
        if (clones.size() == EXTENTS_MAX) {
          range = range.withLength(from - range.fromOffset);
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
      itemBytes += DataExtentFormat.bytes(part) + 64;
      cloned += part.sectors();
    }

    private long place(long sourceOffset) {
      return sourceOffset - range.fromOffset + range.toOffset;
    }

    private void copy(Copy copy) {
      for (int done = 0; done < copy.length; done += SECTOR) {
        int page = layer.pageForWriting((copy.toOffset + done) / SECTOR);
        int part = Math.min(SECTOR, copy.length - done);
        volume.arena().zero(page, part, SECTOR - part);
        volume.arena().copyIn(page, 0, ByteBuffer.wrap(copy.content), copy.from + done, part);
      }
    }

    /** What the commit may write, in sectors. */
    int sectors() {
      return Mutation.sectorsOfItems(itemBytes) + layer.pageCount() + 3 * Mutation.REWRITE_SECTORS;
    }

    long quotaSectors() {
      return cloned + sectors();
    }

    @Override
    public IOException refusal() {
      return source.snapshot == null ? null : source.snapshot.refusal();
    }

    @Override
    public void apply(TreeEdits.Target edited) throws IOException {
      for (Map.Entry<Key, DataExtent> clone : clones) {
        edited.count(clone.getValue());
      }
      long allocated = edited.flush().flush(target, layer, result.size);
      for (Map.Entry<Key, DataExtent> clone : clones) {
        edited.put(clone.getKey(), clone.getValue());
      }
      result.allocatedSectors = allocated + cloned;
      edited.changes().put(Items.inode(target.number), result.encode());
    }
  }
}
