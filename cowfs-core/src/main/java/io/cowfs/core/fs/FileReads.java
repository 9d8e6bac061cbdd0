package io.cowfs.core.fs;

import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads file content and link targets: dirty data first, then inline data or extents of the
 * committed tree. Thread-safe; the caller holds the inode's lock.
 */
final class FileReads {
  static final int SECTOR = PageArena.PAGE_BYTES;

  /** The most that one extent covers of a file, in bytes. */
  static final int EXTENT_BYTES_MAX = 128 << 10;

  private static final byte[] ZEROS = new byte[EXTENT_BYTES_MAX];

  private final TransactionalTree tree;
  private final BlockStore store;
  private final PageArena arena;

  FileReads(TransactionalTree tree, BlockStore store, PageArena arena) {
    this.tree = tree;
    this.store = store;
    this.arena = arena;
  }

  /**
   * Reads up to {@code length} bytes into the destination's position and advances it.
   *
   * @return how many; fewer only at the end of the file
   * @throws FsException INVALID when the offset is negative
   */
  int readUpTo(Inode inode, long offset, int length, ByteBuffer destination)
      throws IOException, FsException {
    if (offset < 0) {
      throw new FsException(FsError.INVALID);
    }
    int available = (int) Math.max(0, Math.min(length, inode.size - offset));
    if (available > 0) {
      read(inode, offset, available, destination);
    }
    return available;
  }

  /**
   * Reads exactly {@code length} bytes into the destination's position and advances it. What lies
   * behind the end of the file reads as zeros.
   */
  void read(Inode inode, long offset, int length, ByteBuffer destination) throws IOException {
    if (inode.dirty == null && inode.syncing == null) {
      readCommitted(inode, offset, length, destination);
      return;
    }
    long at = offset;
    long end = offset + length;
    while (at < end) {
      long sector = at / SECTOR;
      int page = dirtyPage(inode, sector);
      long runEnd = Math.min(end, DirtyFile.bytes(sector + 1));
      if (page >= 0) {
        arena.copyOut(page, (int) (at % SECTOR), (int) (runEnd - at), destination);
      } else if (page == HOLE) {
        zeros(destination, (int) (runEnd - at));
      } else {
        long next = sector + 1;
        while (DirtyFile.bytes(next) < end && dirtyPage(inode, next) == CLEAN) {
          next++;
        }
        runEnd = Math.min(end, DirtyFile.bytes(next));
        readCommitted(inode, at, (int) (runEnd - at), destination);
      }
      at = runEnd;
    }
  }

  /** The target of a symbolic link. */
  byte[] readSymlink(Inode inode) throws FsException, IOException {
    if (inode.type() != FileType.SYMLINK) {
      throw new FsException(FsError.INVALID);
    }
    if (inode.size > Creation.SYMLINK_BYTES_MAX) {
      throw new CorruptBlockException("symlink of " + inode.size + " bytes");
    }
    ByteArrayOutputStream target = new ByteArrayOutputStream();
    for (int chunk = 0; target.size() < inode.size; chunk++) {
      byte[] part = tree.get(Items.symlink(inode.number, chunk));
      if (part == null || part.length == 0 || part.length > inode.size - target.size()) {
        throw new CorruptBlockException("symlink without its target");
      }
      target.writeBytes(part);
    }
    return target.toByteArray();
  }

  private static final int CLEAN = -1;
  private static final int HOLE = -2;

  /** The page that holds the newest data of a sector, or {@link #CLEAN} or {@link #HOLE}. */
  private static int dirtyPage(Inode inode, long sector) {
    int page = dirtyPage(inode.dirty, sector);
    return page == CLEAN ? dirtyPage(inode.syncing, sector) : page;
  }

  private static int dirtyPage(DirtyFile layer, long sector) {
    if (layer == null) {
      return CLEAN;
    }
    int page = layer.page(sector);
    if (page != DirtyFile.NO_PAGE) {
      return page;
    }
    return layer.isHole(sector) ? HOLE : CLEAN;
  }

  /** True when no older data shows through at this sector: memory alone has it. */
  static boolean isInMemory(Inode inode, long sector) {
    return dirtyPage(inode, sector) != CLEAN;
  }

  /**
   * Reads what the commit of a change will read, which must not fail: the nodes of the tree with
   * the changed range, and the compressed extents that are cut at its ends, because what remains of
   * them will be written anew.
   *
   * @param offset where the change begins, in bytes; nothing is cut there if nothing remains before
   * @param end where it ends; likewise
   * @param openTxg extents that this txg has changed already are not counted
   * @return how many extents are cut
   */
  int cutExtents(Inode inode, long offset, long end, long openTxg) throws IOException {
    boolean isInline = inode.allocatedSectors == 0 || offset < EXTENT_BYTES_MAX;
    Key from =
        isInline
            ? Items.inlineData(inode.number)
            : Items.extent(inode.number, offset - EXTENT_BYTES_MAX);
    try (TransactionalTree.Pin pin = tree.pin()) {
      pin.tree().requireReadable(from.previous(), Items.extent(inode.number, end));
      if (inode.allocatedSectors == 0) {
        return 0;
      }
      Piece first = cutExtent(pin.tree(), inode, offset);
      Piece last = cutExtent(pin.tree(), inode, end);
      boolean same = first != null && last != null && first.start == last.start;
      return (isCounted(inode, first, openTxg) ? 1 : 0)
          + (!same && isCounted(inode, last, openTxg) ? 1 : 0);
    }
  }

  /** The compressed extent that has bytes on both sides of a place, read; or null. */
  private Piece cutExtent(Tree committed, Inode inode, long at) throws IOException {
    if (at <= 0 || at >= inode.size) {
      return null;
    }
    for (Piece piece : pieces(committed, inode.number, at, at + 1)) {
      if (piece.extent.compression() != Compression.NONE && piece.start < at) {
        store.readCompressed(piece.extent);
        return piece;
      }
    }
    return null;
  }

  private static boolean isCounted(Inode inode, Piece piece, long openTxg) {
    if (piece == null) {
      return false;
    }
    DirtyFile layer = inode.dirtyOf(openTxg);
    long from = piece.start / SECTOR;
    return layer == null || !layer.touches(from, from + piece.extent.logicalBytes() / SECTOR);
  }

  static void zeros(ByteBuffer destination, int length) {
    for (int left = length; left > 0; ) {
      int part = Math.min(left, ZEROS.length);
      destination.put(ZEROS, 0, part);
      left -= part;
    }
  }

  private void readCommitted(Inode inode, long offset, int length, ByteBuffer destination)
      throws IOException {
    try (TransactionalTree.Pin pin = tree.pin()) {
      if (inode.allocatedSectors == 0) {
        readInline(pin.tree(), inode.number, offset, length, destination);
      } else {
        readExtents(pin.tree(), inode.number, offset, length, destination);
      }
    }
  }

  private static void readInline(
      Tree committed, long inode, long offset, int length, ByteBuffer destination)
      throws IOException {
    int done = 0;
    if (offset < Items.INLINE_BYTES_MAX) {
      byte[] data = committed.get(Items.inlineData(inode));
      if (data != null && offset < data.length) {
        done = Math.min(length, data.length - (int) offset);
        destination.put(data, (int) offset, done);
      }
    }
    zeros(destination, length - done);
  }

  /** Goes through the extents of a range; what none covers is a hole. */
  private void readExtents(
      Tree committed, long inode, long offset, int length, ByteBuffer destination)
      throws IOException {
    long end = offset + length;
    List<Piece> pieces = pieces(committed, inode, offset, end);
    long at = offset;
    for (int i = 0; i < pieces.size(); ) {
      Piece piece = pieces.get(i);
      zeros(destination, (int) (piece.from - at));
      at = piece.from;
      if (piece.isWholeCompressed()) {
        List<DataExtent> whole = new ArrayList<>();
        while (i < pieces.size() && pieces.get(i).from == at && pieces.get(i).isWholeCompressed()) {
          whole.add(pieces.get(i).extent);
          at = pieces.get(i).to;
          i++;
        }
        store.readCompressed(whole, destination);
      } else if (piece.extent.compression() != Compression.NONE) {
        byte[] content = store.readCompressed(piece.extent);
        destination.put(content, (int) (at - piece.start), (int) (piece.to - at));
        at = piece.to;
        i++;
      } else {
        int last = i + 1;
        while (last < pieces.size() && pieces.get(last).continues(pieces.get(last - 1))) {
          last++;
        }
        long to = pieces.get(last - 1).to;
        readPlain(pieces.subList(i, last), at, to, destination);
        at = to;
        i = last;
      }
    }
    zeros(destination, (int) (end - at));
  }

  /** The part of an extent that a read wants; offsets in the file, in bytes. */
  private record Piece(DataExtent extent, long start, long from, long to) {
    /** A compressed extent all of which is wanted. */
    boolean isWholeCompressed() {
      return extent.compression() != Compression.NONE
          && from == start
          && to - start == extent.logicalBytes();
    }

    /** True when this one follows the other in the file without a gap, both stored plain. */
    boolean continues(Piece before) {
      return extent.compression() == Compression.NONE && from == before.to;
    }
  }

  private static List<Piece> pieces(Tree committed, long inode, long offset, long end)
      throws IOException {
    List<Piece> pieces = new ArrayList<>();
    committed.scan(
        Items.extent(inode, Math.max(0, offset - EXTENT_BYTES_MAX + 1)),
        Items.extent(inode, end - 1),
        (key, source, valueOffset, valueLength) -> {
          long start = key.low();
          DataExtent extent =
              DataExtentFormat.decode(ByteBuffer.wrap(source, valueOffset, valueLength));
          if (start % SECTOR != 0) {
            throw new CorruptBlockException("inode " + inode + ": an extent at byte " + start);
          }
          long from = Math.max(offset, start);
          long to = start + Math.min(end - start, extent.logicalBytes());
          if (from < to && !pieces.isEmpty() && from < pieces.get(pieces.size() - 1).to) {
            throw new CorruptBlockException(
                "inode " + inode + ": extents overlap at byte " + start);
          }
          if (from < to) {
            pieces.add(new Piece(extent, start, from, to));
          }
          return true;
        });
    return pieces;
  }

  /**
   * Reads neighbouring plain extents. Whole sectors are verified, so the ends of an unaligned read
   * go through a buffer of their own.
   */
  private void readPlain(List<Piece> pieces, long from, long to, ByteBuffer destination)
      throws IOException {
    List<DataExtent> wanted = new ArrayList<>(pieces.size());
    long alignedFrom = from / SECTOR * SECTOR;
    // At the very end of the largest file this is 2^63: only differences of it are used.
    long alignedTo = alignedFrom + (to - alignedFrom + SECTOR - 1) / SECTOR * SECTOR;
    for (Piece piece : pieces) {
      int first = (int) (Math.max(piece.start, alignedFrom) - piece.start) / SECTOR;
      long wantedBytes = Math.min(piece.extent.logicalBytes(), alignedTo - piece.start);
      int count = (int) ((wantedBytes + SECTOR - 1) / SECTOR) - first;
      boolean whole = first == 0 && count == piece.extent.sectors();
      wanted.add(whole ? piece.extent : piece.extent.slice(first, count));
    }
    if (alignedFrom == from && alignedTo == to) {
      store.readPlain(wanted, destination);
      return;
    }
    ByteBuffer whole = ByteBuffer.allocate((int) (alignedTo - alignedFrom));
    store.readPlain(wanted, whole);
    destination.put(whole.slice((int) (from - alignedFrom), (int) (to - from)));
  }
}
