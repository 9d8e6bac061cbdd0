package io.cowfs.core.fs;

import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.BlockWriter;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.block.ExtentPolicy;
import io.cowfs.core.block.PreparedExtent;
import io.cowfs.core.block.PreparedExtent.Pieces;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.fs.DirtyFile.Range;
import io.cowfs.core.vfs.InodeFlag;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Queue;

/**
 * Turns the dirty data of one txg into extents. Used by the sync thread, for one txg of one volume.
 *
 * <p>What a file no longer shows is cut out of its extents first, then the dirty sectors are
 * written in runs of up to 128 KiB. An extent stored plain is cut by giving its remaining parts
 * pointers of their own, with the birth of the old one, because the reference is the same. A
 * compressed one is indivisible: what remains of it is written anew together with the dirty sectors
 * in its range, in extents of 16 KiB.
 */
final class FileFlush {
  private static final int SECTOR = PageArena.PAGE_BYTES;
  private static final int EXTENT_BYTES = FileReads.EXTENT_BYTES_MAX;
  private static final int EXTENT_SECTORS = EXTENT_BYTES / SECTOR;

  /** Of a compressed file, where it is overwritten at random: 16 KiB. */
  private static final int OVERWRITTEN_EXTENT_SECTORS = 4;

  private static final int COMPRESSION_MISSES_MAX = 5;

  /** Changed ranges closer than this are handled in one scan of the tree, in sectors. */
  private static final long SCAN_GAP_SECTORS = 1024;

  private final Tree committed;
  private final DatasetHead head;
  private final BlockWriter writer;
  private final BlockStore store;
  private final PageArena arena;
  private final NavigableMap<Key, byte[]> changes;

  // Of the file in work.
  private Inode inode;
  private DirtyFile layer;
  private long allocatedSectors;
  private final List<Range> rewritten = new ArrayList<>();
  private final Queue<Begun> begun = new ArrayDeque<>();
  private int beginMax;

  /**
   * @param changes where item changes go; a null value deletes
   */
  FileFlush(
      Tree committed,
      DatasetHead head,
      BlockWriter writer,
      BlockStore store,
      PageArena arena,
      NavigableMap<Key, byte[]> changes) {
    this.committed = committed;
    this.head = head;
    this.writer = writer;
    this.store = store;
    this.arena = arena;
    this.changes = changes;
  }

  /**
   * Writes the dirty data of a file.
   *
   * @param size of the file at the end of the txg, in bytes
   * @return the sectors that the file takes then
   */
  long flush(Inode file, DirtyFile dirty, long size) throws IOException {
    inode = file;
    layer = dirty;
    allocatedSectors = file.allocatedSectors;
    rewritten.clear();
    beginMax = 1;
    boolean startIsInMemory = layer.page(0) != DirtyFile.NO_PAGE || layer.isHole(0);
    if (size <= Items.INLINE_BYTES_MAX && startIsInMemory) {
      cut(List.of(new Range(0, DirtyFile.SECTORS_MAX)));
      putInline(size);
    } else {
      promoteInline(startIsInMemory);
      cut(layer.changedRanges());
      writeDirtySectors();
    }
    finishAll();
    return allocatedSectors;
  }

  private void putInline(long size) {
    Key key = Items.inlineData(inode.number);
    if (size == 0 || layer.page(0) == DirtyFile.NO_PAGE) {
      changes.put(key, null);
      return;
    }
    ByteBuffer content = ByteBuffer.allocate((int) size);
    arena.copyOut(layer.page(0), 0, (int) size, content);
    changes.put(key, content.array());
  }

  /** A file that outgrew the tree gets its inline data as its first sector. */
  private void promoteInline(boolean startIsInMemory) throws IOException {
    if (allocatedSectors > 0) {
      return;
    }
    byte[] data = committed.get(Items.inlineData(inode.number));
    if (data == null) {
      return;
    }
    changes.put(Items.inlineData(inode.number), null);
    if (startIsInMemory) {
      return;
    }
    inode.writeLock().lock();
    try {
      int page = layer.pageWithoutReservation(0);
      arena.zero(page, 0, SECTOR);
      arena.copyIn(page, 0, ByteBuffer.wrap(data), 0, Math.min(data.length, SECTOR));
    } finally {
      inode.writeLock().unlock();
    }
  }

  /** An extent with the sector of the file at which it begins. */
  private record Placed(long from, DataExtent extent) {
    long to() {
      return from + extent.logicalBytes() / SECTOR;
    }
  }

  /** Takes the ranges, ascending and disjoint, out of the file's extents. */
  private void cut(List<Range> ranges) throws IOException {
    if (allocatedSectors == 0) {
      return;
    }
    for (List<Range> near : groups(ranges, SCAN_GAP_SECTORS)) {
      Range all = new Range(near.get(0).from(), near.get(near.size() - 1).to());
      if (near.size() == 1 || isReadable(all)) {
        cutGroup(near);
      } else {
        // An extent that reaches over a gap belongs to one group.
        for (List<Range> group : groups(near, EXTENT_SECTORS)) {
          cutGroup(group);
        }
      }
    }
  }

  /** Ranges with less than so many sectors between each and the next. */
  private static List<List<Range>> groups(List<Range> ranges, long gapSectors) {
    List<List<Range>> groups = new ArrayList<>();
    for (int i = 0; i < ranges.size(); ) {
      int last = i + 1;
      while (last < ranges.size()
          && ranges.get(last).from() - ranges.get(last - 1).to() < gapSectors) {
        last++;
      }
      groups.add(ranges.subList(i, last));
      i = last;
    }
    return groups;
  }

  /**
   * Whoever changed the ranges has seen that the tree can be read there, and a little before. What
   * lies between them may be damaged.
   */
  private boolean isReadable(Range all) {
    try {
      committed.requireReadable(firstReaching(all.from()), lastBefore(all.to()));
      return true;
    } catch (IOException damaged) {
      return false;
    }
  }

  private Key firstReaching(long sector) {
    return Items.extent(inode.number, DirtyFile.bytes(Math.max(0, sector - EXTENT_SECTORS + 1)));
  }

  private Key lastBefore(long sector) {
    return Items.extent(inode.number, DirtyFile.bytes(sector) - 1);
  }

  private void cutGroup(List<Range> ranges) throws IOException {
    long from = ranges.get(0).from();
    long to = ranges.get(ranges.size() - 1).to();
    int[] next = {0};
    committed.scan(
        firstReaching(from),
        lastBefore(to),
        (key, source, offset, length) -> {
          Placed placed =
              new Placed(
                  key.low() / SECTOR,
                  DataExtentFormat.decode(ByteBuffer.wrap(source, offset, length)));
          while (next[0] < ranges.size() && ranges.get(next[0]).to() <= placed.from) {
            next[0]++;
          }
          List<Range> inside = new ArrayList<>();
          for (int i = next[0]; i < ranges.size() && ranges.get(i).from() < placed.to(); i++) {
            Range range = ranges.get(i);
            inside.add(
                new Range(Math.max(range.from(), placed.from), Math.min(range.to(), placed.to())));
          }
          inside.removeIf(range -> range.from() >= range.to());
          if (!inside.isEmpty()) {
            cutExtent(placed, inside);
          }
          return true;
        });
  }

  private void cutExtent(Placed placed, List<Range> gone) throws IOException {
    if (placed.extent.compression() != Compression.NONE) {
      boolean all = gone.get(0).from() == placed.from && gone.get(0).to() == placed.to();
      changes.put(Items.extent(inode.number, DirtyFile.bytes(placed.from)), null);
      leaves(placed.extent);
      if (!all) {
        rewrite(placed, gone);
      }
      return;
    }
    long at = placed.from;
    if (gone.get(0).from() == at) {
      changes.put(Items.extent(inode.number, DirtyFile.bytes(at)), null);
    }
    for (Range range : gone) {
      keep(placed, at, range.from());
      leaves(
          placed.extent.slice(
              (int) (range.from() - placed.from), (int) (range.to() - range.from())));
      at = range.to();
    }
    keep(placed, at, placed.to());
  }

  private void keep(Placed placed, long from, long to) {
    if (from < to) {
      DataExtent part = placed.extent.slice((int) (from - placed.from), (int) (to - from));
      changes.put(Items.extent(inode.number, DirtyFile.bytes(from)), DataExtentFormat.encode(part));
    }
  }

  private void leaves(DataExtent extent) throws IOException {
    head.leaves(extent);
    allocatedSectors -= extent.allocatedSectors();
  }

  /**
   * Writes the range of a compressed extent anew: dirty pages, and what remains between them. Where
   * more than its end is changed, more changes are likely, and each is to cost less than the last.
   */
  private void rewrite(Placed placed, List<Range> gone) throws IOException {
    byte[] old = store.readCompressed(placed.extent);
    rewritten.add(new Range(placed.from, placed.to()));
    boolean isOfEnd = gone.size() == 1 && gone.get(0).to() == placed.to();
    int extentSectors = isOfEnd ? EXTENT_SECTORS : OVERWRITTEN_EXTENT_SECTORS;
    ByteBuffer run = writer.takeBuffer();
    long runStart = placed.from;
    for (long sector = placed.from; sector < placed.to(); sector++) {
      long here = sector;
      int page = layer.page(sector);
      boolean isGone = gone.stream().anyMatch(r -> r.from() <= here && here < r.to());
      if (page != DirtyFile.NO_PAGE) {
        arena.copyOut(page, 0, SECTOR, run);
      } else if (!isGone) {
        run.put(old, (int) (sector - placed.from) * SECTOR, SECTOR);
      }
      boolean isHole = page == DirtyFile.NO_PAGE && isGone;
      if (isHole || (sector + 1) % extentSectors == 0 || sector + 1 == placed.to()) {
        beginRun(runStart, run);
        run = writer.takeBuffer();
        runStart = sector + 1;
      }
    }
    writer.releaseBuffer(run);
  }

  private void beginRun(long from, ByteBuffer run) throws IOException {
    run.flip();
    if (run.hasRemaining()) {
      begin(from, List.of(run), run.remaining() / SECTOR, run);
    } else {
      writer.releaseBuffer(run);
    }
  }

  private void writeDirtySectors() throws IOException {
    int nextRewritten = 0;
    for (Range range : layer.dirtyRanges()) {
      long at = range.from();
      while (at < range.to()) {
        while (nextRewritten < rewritten.size() && rewritten.get(nextRewritten).to() <= at) {
          nextRewritten++;
        }
        Range skip = nextRewritten < rewritten.size() ? rewritten.get(nextRewritten) : null;
        if (skip != null && skip.from() <= at) {
          at = skip.to();
          continue;
        }
        long aligned = (at / EXTENT_SECTORS + 1) * EXTENT_SECTORS;
        long end = Math.min(range.to(), aligned);
        if (skip != null) {
          end = Math.min(end, skip.from());
        }
        begin(at, gather(at, end), (int) (end - at), null);
        at = end;
      }
    }
  }

  /** The pages of a run of dirty sectors, in as few pieces as their place in memory allows. */
  private List<ByteBuffer> gather(long from, long to) {
    List<ByteBuffer> pieces = new ArrayList<>();
    for (long sector = from; sector < to; ) {
      int count = layer.adjacentPages(sector, (int) (to - sector));
      pieces.add(arena.slice(layer.page(sector), count));
      sector += count;
    }
    return pieces;
  }

  /**
   * Sectors that are compressed while others are written.
   *
   * @param from the first one, in the file
   * @param misses how often the file had not compressed when this began
   * @param buffer that is free when they are written; null when there is none
   */
  private record Begun(
      long from, PreparedExtent extent, boolean compresses, int misses, ByteBuffer buffer) {}

  /** Writes what was begun first; more is begun at a time while the file compresses. */
  private void begin(long from, List<ByteBuffer> pieces, int sectors, ByteBuffer buffer)
      throws IOException {
    while (begun.size() >= beginMax) {
      finishFirst();
    }
    CompressionSetting setting = compressionFor(sectors);
    ByteBuffer[] content = pieces.toArray(ByteBuffer[]::new);
    // Dirty pages are dropped when their txg is published.
    Pieces stay = buffer == null ? Pieces.STAY_UNTIL_FLUSHED : Pieces.STAY_UNTIL_WRITTEN;
    ExtentPolicy policy = new ExtentPolicy(setting, layer.copies());
    begun.add(
        new Begun(
            from,
            writer.prepareExtent(content, stay, sectors * SECTOR, policy),
            setting.compression() != Compression.NONE,
            inode.compressionMisses,
            buffer));
  }

  private void finishAll() throws IOException {
    while (!begun.isEmpty()) {
      finishFirst();
    }
  }

  private void finishFirst() throws IOException {
    Begun first = begun.remove();
    long[] at = {first.from};
    boolean[] compressed = new boolean[1];
    writer.writeExtent(
        first.extent,
        extent -> {
          compressed[0] |= !extent.isPlain();
          changes.put(
              Items.extent(inode.number, DirtyFile.bytes(at[0])), DataExtentFormat.encode(extent));
          head.born(extent);
          allocatedSectors += extent.allocatedSectors();
          at[0] += extent.logicalBytes() / SECTOR;
        });
    if (first.buffer != null) {
      writer.releaseBuffer(first.buffer);
    }
    if (first.compresses) {
      judge(first, compressed[0]);
    }
  }

  /** Of several that were begun together and did not compress, one counts. */
  private void judge(Begun tried, boolean hasCompressed) {
    if (hasCompressed) {
      inode.compressionMisses = 0;
      beginMax = Math.min(2 * beginMax, BlockWriter.extentsAhead());
    } else {
      int misses = Math.min(COMPRESSION_MISSES_MAX, tried.misses + 1);
      inode.compressionMisses = Math.max(inode.compressionMisses, misses);
      beginMax = 1;
    }
    inode.compressionSkips = (1 << inode.compressionMisses) - 1;
  }

  /** A file that did not compress is tried ever more seldom, up to one extent in 32. */
  private CompressionSetting compressionFor(int sectors) {
    if (sectors < 2 || InodeFlags.has(inode, InodeFlag.NO_COMPRESSION)) {
      return CompressionSetting.NONE;
    }
    if (inode.compressionSkips > 0) {
      inode.compressionSkips--;
      return CompressionSetting.NONE;
    }
    return head.compression();
  }
}
