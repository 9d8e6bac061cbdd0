package io.cowfs.core.fs;

import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Tree;
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
 * layers are looked at in the same order as by a read. Thread-safe; the caller holds the inode's
 * lock.
 */
final class FileSeek {
  private static final int SECTOR = PageArena.PAGE_BYTES;

  private final TransactionalTree tree;

  FileSeek(TransactionalTree tree) {
    this.tree = tree;
  }

  long seek(Inode inode, long offset, SeekTarget target) throws FsException, IOException {
    if (offset < 0 || offset >= inode.size) {
      throw new FsException(FsError.NO_SUCH_DEVICE_OR_OFFSET);
    }
    NavigableMap<Long, Long> data = dataRanges(inode, offset / SECTOR);
    long at = offset;
    for (var range : data.entrySet()) {
      long from = DirtyFile.bytes(range.getKey());
      long to = DirtyFile.bytes(range.getValue());
      if (to <= at) {
        continue;
      }
      if (target == SeekTarget.DATA) {
        long found = Math.max(at, from);
        if (found < inode.size) {
          return found;
        }
        break;
      }
      if (from > at) {
        return at;
      }
      at = to;
    }
    if (target == SeekTarget.DATA) {
      throw new FsException(FsError.NO_SUCH_DEVICE_OR_OFFSET);
    }
    return Math.min(at, inode.size);
  }

  /** How many sectors of a range of bytes have data. */
  long dataSectors(Inode inode, long offset, long end) throws IOException {
    long first = offset / SECTOR;
    long behind = (end - 1) / SECTOR + 1;
    long sectors = 0;
    for (var range : dataRanges(inode, first).entrySet()) {
      sectors += Math.max(0, Math.min(behind, range.getValue()) - Math.max(first, range.getKey()));
    }
    return sectors;
  }

  /** Ranges of sectors with data, from the given sector on, disjoint and merged where they meet. */
  private NavigableMap<Long, Long> dataRanges(Inode inode, long fromSector) throws IOException {
    NavigableMap<Long, Long> data = new TreeMap<>();
    try (TransactionalTree.Pin pin = tree.pin()) {
      addCommitted(pin.tree(), inode, fromSector, data);
    }
    for (DirtyFile layer : new DirtyFile[] {inode.syncing, inode.dirty}) {
      if (layer != null) {
        layer.changedRanges().forEach(range -> remove(data, range.from(), range.to()));
        layer.dirtyRanges().forEach(range -> add(data, range.from(), range.to()));
      }
    }
    return data;
  }

  private static void addCommitted(
      Tree committed, Inode inode, long fromSector, NavigableMap<Long, Long> data)
      throws IOException {
    if (inode.allocatedSectors == 0) {
      if (committed.get(Items.inlineData(inode.number)) != null) {
        add(data, 0, 1);
      }
      return;
    }
    long start = Math.max(0, fromSector * SECTOR - FileReads.EXTENT_BYTES_MAX + 1);
    committed.scan(
        Items.extent(inode.number, start),
        Items.extent(inode.number, -1L),
        (key, source, offset, length) -> {
          long from = key.low() / SECTOR;
          int bytes =
              DataExtentFormat.decode(ByteBuffer.wrap(source, offset, length)).logicalBytes();
          add(data, from, from + bytes / SECTOR);
          return true;
        });
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
