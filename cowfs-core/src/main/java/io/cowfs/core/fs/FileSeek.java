package io.cowfs.core.fs;

import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.fs.DirtyFile.Range;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FileSystem.SeekTarget;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * SEEK_DATA and SEEK_HOLE. Data is what has dirty pages, is inline or is covered by an extent; the
 * layers are looked at in the same order as by a read. Extents are looked at from the offset on, a
 * few at first, and no more than it takes: who walks a file from hole to hole asks as often as it
 * has extents. Thread-safe; the caller holds the inode's lock.
 */
final class FileSeek {
  private static final int SECTOR = PageArena.PAGE_BYTES;
  private static final int EXTENTS_AT_FIRST = 16;
  private static final int EXTENTS_AT_ONCE_MAX = 4_096;

  private final TransactionalTree tree;

  FileSeek(TransactionalTree tree) {
    this.tree = tree;
  }

  long seek(Inode inode, long offset, SeekTarget target) throws FsException, IOException {
    if (offset < 0 || offset >= inode.size) {
      throw new FsException(FsError.NO_SUCH_DEVICE_OR_OFFSET);
    }
    try (TransactionalTree.Pin pin = tree.pin()) {
      long at = offset;
      int extents = EXTENTS_AT_FIRST;
      while (true) {
        Known known = known(pin.tree(), inode, at / SECTOR, DirtyFile.SECTORS_MAX, extents);
        long end = Math.min(inode.size, DirtyFile.bytes(known.endSector));
        long found =
            target == SeekTarget.DATA
                ? firstData(known.data, at, end)
                : firstHole(known.data, at, end);
        if (found < end) {
          return found;
        }
        if (end == inode.size) {
          break;
        }
        at = end;
        extents = Math.min(EXTENTS_AT_ONCE_MAX, 4 * extents);
      }
    }
    if (target == SeekTarget.DATA) {
      throw new FsException(FsError.NO_SUCH_DEVICE_OR_OFFSET);
    }
    return inode.size;
  }

  /** The first byte with data from {@code at} on; {@code end} if there is none before it. */
  private static long firstData(NavigableMap<Long, Long> data, long at, long end) {
    for (var range : data.entrySet()) {
      if (DirtyFile.bytes(range.getValue()) > at) {
        return Math.min(end, Math.max(at, DirtyFile.bytes(range.getKey())));
      }
    }
    return end;
  }

  /** The first byte without data from {@code at} on; {@code end} if there is none before it. */
  private static long firstHole(NavigableMap<Long, Long> data, long at, long end) {
    for (var range : data.entrySet()) {
      long to = DirtyFile.bytes(range.getValue());
      if (to > at) {
        // Ranges do not meet: behind the first one is a hole, if not before it.
        return Math.min(end, DirtyFile.bytes(range.getKey()) > at ? at : to);
      }
    }
    return at;
  }

  /** How many sectors of a range of bytes have data. */
  long dataSectors(Inode inode, long offset, long end) throws IOException {
    long first = offset / SECTOR;
    long behind = (end - 1) / SECTOR + 1;
    long sectors = 0;
    try (TransactionalTree.Pin pin = tree.pin()) {
      Known known = known(pin.tree(), inode, first, behind, Integer.MAX_VALUE);
      for (var range : known.data.entrySet()) {
        long from = Math.max(first, range.getKey());
        sectors += Math.max(0, Math.min(behind, range.getValue()) - from);
      }
    }
    return sectors;
  }

  /**
   * What is known of the data of a file from some sector on.
   *
   * @param data ranges of sectors, disjoint and merged where they meet
   * @param endSector up to which they are all the data there is
   */
  private record Known(NavigableMap<Long, Long> data, long endSector) {}

  /** Looks at so many extents, and not behind {@code toSector}. */
  private static Known known(
      Tree committed, Inode inode, long fromSector, long toSector, int extentsMax)
      throws IOException {
    NavigableMap<Long, Long> data = new TreeMap<>();
    long end = addCommitted(committed, inode, new Range(fromSector, toSector), extentsMax, data);
    for (DirtyFile layer : new DirtyFile[] {inode.syncing, inode.dirty}) {
      if (layer != null) {
        layer.changedRanges().forEach(range -> remove(data, range.from(), range.to()));
        layer.dirtyRanges().forEach(range -> add(data, range.from(), range.to()));
      }
    }
    return new Known(data, end);
  }

  /** Gives the sector up to which all extents were added. */
  private static long addCommitted(
      Tree committed, Inode inode, Range wanted, int extentsMax, NavigableMap<Long, Long> data)
      throws IOException {
    if (inode.allocatedSectors == 0) {
      if (committed.get(Items.inlineData(inode.number)) != null) {
        add(data, 0, 1);
      }
      return wanted.to();
    }
    long start = Math.max(0, wanted.from() * SECTOR - FileReads.EXTENT_BYTES_MAX + 1);
    long[] end = {wanted.to()};
    int[] extents = {0};
    committed.scan(
        Items.extent(inode.number, start),
        Items.extent(inode.number, DirtyFile.bytes(wanted.to()) - 1),
        (key, source, offset, length) -> {
          long from = key.low() / SECTOR;
          // Those that begin before it are few, and do not count: each look gets further.
          if (from >= wanted.from() && extents[0]++ == extentsMax) {
            end[0] = from;
            return false;
          }
          int bytes =
              DataExtentFormat.decode(ByteBuffer.wrap(source, offset, length)).logicalBytes();
          add(data, from, from + bytes / SECTOR);
          return true;
        });
    return end[0];
  }

  private static void add(NavigableMap<Long, Long> data, long from, long to) {
    long start = from;
    long end = to;
    var before = data.floorEntry(from);
    if (before != null && before.getValue() >= from) {
      start = before.getKey();
      end = Math.max(end, before.getValue());
    }
    var met = data.subMap(start, true, end, true);
    for (long metEnd : met.values()) {
      end = Math.max(end, metEnd);
    }
    met.clear();
    data.put(start, end);
  }

  private static void remove(NavigableMap<Long, Long> data, long from, long to) {
    var before = data.lowerEntry(from);
    if (before != null && before.getValue() > from) {
      data.put(before.getKey(), from);
      if (before.getValue() > to) {
        data.put(to, before.getValue());
        return;
      }
    }
    var last = data.lowerEntry(to);
    if (last != null && last.getKey() >= from && last.getValue() > to) {
      data.put(to, last.getValue());
    }
    data.subMap(from, true, to, false).clear();
  }
}
