package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem.AllocationMode;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Changes file content, in memory: the sync thread makes extents of it. Thread-safe.
 *
 * <p>A sector that is changed in part is read first, before the txg is joined, because reading may
 * fail.
 */
final class FileWrites {
  /** Where cloned ranges must end, whose ends are rounded up; a file may be longer. */
  static final long FILE_BYTES_MAX = Long.MAX_VALUE - (1 << 20);

  private static final int SECTOR = PageArena.PAGE_BYTES;
  private static final int CHUNK = SECTOR * PageArena.BLOCK_PAGES;

  private final VolumeState volume;
  private final FileReads reads;
  private final PageArena arena;

  FileWrites(VolumeState volume) {
    this.volume = volume;
    this.reads = volume.reads();
    this.arena = volume.arena();
  }

  void write(Caller caller, Handle handle, long offset, ByteBuffer source, boolean killPrivileges)
      throws FsException, IOException {
    int length = source.remaining();
    if (offset < 0 || offset > Long.MAX_VALUE - length) {
      throw new FsException(FsError.FILE_TOO_LARGE);
    }
    if (length == 0) {
      return;
    }
    long end = offset + length;
    int reserved = (int) ((end - 1) / SECTOR - offset / SECTOR) + 1;
    try (DataMutation change =
        DataMutation.begin(
            volume,
            caller,
            new DataMutation.Target(handle.inode(), offset, end, reserved),
            ReserveTier.WRITE)) {
      handle.check();
      Inode inode = change.inode();
      if (volume.inodes().isUnsettled(inode)) {
        source.position(source.limit());
        return;
      }
      byte[] head = offset % SECTOR == 0 ? null : sectorBefore(inode, offset / SECTOR);
      byte[] tail =
          end % SECTOR == 0 || (head != null && end / SECTOR == offset / SECTOR)
              ? null
              : sectorBefore(inode, end / SECTOR);
      DirtyFile layer = change.join();
      copyIn(layer, offset, source, head, tail);
      change.written(offset / SECTOR, (end - 1) / SECTOR + 1);
      inode.size = Math.max(inode.size, end);
      inode.mtime = inode.ctime = change.now();
      if (killPrivileges) {
        inode.killPrivileges(caller);
      }
      change.store();
    }
  }

  /**
   * The content of a sector that will be overwritten in part; null when it has a page in the newest
   * layer already, or nothing but zeros.
   */
  private byte[] sectorBefore(Inode inode, long sector) throws IOException {
    if (sector * SECTOR >= inode.size && !FileReads.isInMemory(inode, sector)) {
      return null;
    }
    ByteBuffer content = ByteBuffer.allocate(SECTOR);
    long start = sector * SECTOR;
    reads.read(inode, start, (int) Math.min(SECTOR, Long.MAX_VALUE - start), content);
    return content.array();
  }

  private void copyIn(DirtyFile layer, long offset, ByteBuffer source, byte[] head, byte[] tail) {
    long at = offset;
    int index = source.position();
    int left = source.remaining();
    while (left > 0) {
      long sector = at / SECTOR;
      int inSector = (int) (at % SECTOR);
      int chunkPage =
          left >= CHUNK && inSector == 0 ? layer.chunkForWriting(sector) : DirtyFile.NO_PAGE;
      int part;
      if (chunkPage != DirtyFile.NO_PAGE) {
        part = CHUNK;
        arena.copyIn(chunkPage, 0, source, index, part);
      } else {
        part = Math.min(left, SECTOR - inSector);
        byte[] before = part == SECTOR ? null : at == offset && head != null ? head : tail;
        int page = pageWith(layer, sector, part == SECTOR, before);
        arena.copyIn(page, inSector, source, index, part);
      }
      at += part;
      index += part;
      left -= part;
    }
    source.position(source.limit());
  }

  /** A page to write into; unless all of it will be written, with what was there before. */
  private int pageWith(DirtyFile layer, long sector, boolean whole, byte[] before) {
    int page = layer.page(sector);
    if (page != DirtyFile.NO_PAGE) {
      return page;
    }
    page = layer.pageForWriting(sector);
    if (!whole) {
      if (before != null) {
        arena.copyIn(page, 0, ByteBuffer.wrap(before), 0, SECTOR);
      } else {
        arena.zero(page, 0, SECTOR);
      }
    }
    return page;
  }

  /** The first sector that begins at this offset or behind it. */
  private static long firstWholeSector(long offset) {
    return offset / SECTOR + (offset % SECTOR == 0 ? 0 : 1);
  }

  /** Sets the size within a change that has not joined yet; {@code afterwards} completes it. */
  void truncate(DataMutation change, long newSize, Mutation.Body<Void> afterwards)
      throws FsException, IOException {
    if (newSize < 0) {
      throw new FsException(FsError.INVALID);
    }
    Inode inode = change.inode();
    boolean shrinks = newSize < inode.size;
    boolean cuts = shrinks && newSize % SECTOR != 0;
    byte[] last = cuts ? sectorBefore(inode, newSize / SECTOR) : null;
    DirtyFile layer = change.join();
    if (shrinks) {
      if (cuts) {
        int page = pageWith(layer, newSize / SECTOR, false, last);
        int keep = (int) (newSize % SECTOR);
        arena.zero(page, keep, SECTOR - keep);
        change.written(newSize / SECTOR, newSize / SECTOR + 1);
      }
      change.punch(firstWholeSector(newSize), DirtyFile.SECTORS_MAX);
    }
    inode.size = newSize;
    inode.mtime = inode.ctime = change.now();
    afterwards.run();
    change.store();
  }

  /**
   * fallocate(2). Space is not set aside: a copy-on-write file system would write elsewhere anyway.
   * That there is some was seen to.
   */
  void allocate(Handle handle, AllocationMode mode, long offset, long length)
      throws FsException, IOException {
    if (offset < 0 || length <= 0) {
      throw new FsException(FsError.INVALID);
    }
    if (offset > Long.MAX_VALUE - length) {
      throw new FsException(FsError.FILE_TOO_LARGE);
    }
    boolean zeroes = mode != AllocationMode.RESERVE && mode != AllocationMode.RESERVE_KEEP_SIZE;
    long changedEnd = zeroes ? offset + length : offset;
    try (DataMutation change =
        DataMutation.begin(
            volume,
            Caller.ROOT,
            new DataMutation.Target(handle.inode(), offset, changedEnd, 2),
            ReserveTier.DELETE)) {
      handle.check();
      Inode inode = change.inode();
      if (volume.inodes().isUnsettled(inode)) {
        return;
      }
      InodeFlags.checkAllocation(inode, mode);
      long end = offset + length;
      boolean keepSize = mode != AllocationMode.RESERVE && mode != AllocationMode.ZERO_RANGE;
      long zeroEnd = Math.min(end, inode.size);
      boolean any = zeroes && offset < zeroEnd;
      long firstWhole = firstWholeSector(offset);
      long endWhole = zeroEnd == inode.size ? DirtyFile.SECTORS_MAX : zeroEnd / SECTOR;
      byte[] head = any && offset % SECTOR != 0 ? sectorBefore(inode, offset / SECTOR) : null;
      boolean cutsTail =
          any && zeroEnd % SECTOR != 0 && zeroEnd != inode.size && zeroEnd / SECTOR >= firstWhole;
      byte[] tail = cutsTail ? sectorBefore(inode, zeroEnd / SECTOR) : null;

      DirtyFile layer = change.join();
      if (any && offset % SECTOR != 0) {
        int from = (int) (offset % SECTOR);
        int to = (int) Math.min(SECTOR, from + (zeroEnd - offset));
        arena.zero(pageWith(layer, offset / SECTOR, false, head), from, to - from);
        change.written(offset / SECTOR, offset / SECTOR + 1);
      }
      if (cutsTail) {
        arena.zero(pageWith(layer, zeroEnd / SECTOR, false, tail), 0, (int) (zeroEnd % SECTOR));
        change.written(zeroEnd / SECTOR, zeroEnd / SECTOR + 1);
      }
      if (any && firstWhole < endWhole) {
        change.punch(firstWhole, endWhole);
        inode.punchedTxg = layer.txg();
      }
      if (!keepSize && end > inode.size) {
        inode.size = end;
      }
      inode.mtime = inode.ctime = change.now();
      change.store();
    }
  }
}
