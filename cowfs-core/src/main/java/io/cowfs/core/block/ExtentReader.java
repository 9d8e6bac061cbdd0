package io.cowfs.core.block;

import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.MalformedDataException;
import io.cowfs.core.codec.SectorChecksums;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.memory.DirectBuffers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;

/**
 * Reads the extents of a range of a file with few reads of the device: what lies close together
 * there is read at once, in whatever order the file has it. A file that was overwritten at random
 * is in many pieces, but those of one txg lie in the order of the file, behind each other.
 * Thread-safe.
 */
final class ExtentReader {
  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** The most that is read from the device at once. */
  private static final int READ_BYTES_MAX = 1 << 20;

  /** What is not wanted is read as well where there is no more of it between what is. */
  private static final int GAP_SECTORS_MAX = 16;

  /** There may be many more threads that read; those that find none read piece by piece. */
  private static final int BUFFERS_MAX = 8;

  private static final Comparator<Wanted> BY_PLACE =
      Comparator.comparingLong(one -> one.extent.sector());

  private static final Comparator<Run> LONGEST_FIRST =
      Comparator.comparingInt(Run::sectors).reversed();

  private final BlockStore store;
  private final GoodCopy copies;

  /** Those that are not in use. */
  private final Deque<ByteBuffer> buffers = new ConcurrentLinkedDeque<>();

  /** How many more may be in use. */
  private final Semaphore buffersLeft;

  ExtentReader(BlockStore store, GoodCopy copies) {
    this(store, copies, BUFFERS_MAX);
  }

  /** With so many buffers; for tests. */
  ExtentReader(BlockStore store, GoodCopy copies, int buffers) {
    this.store = store;
    this.copies = copies;
    this.buffersLeft = new Semaphore(buffers);
  }

  /**
   * @param at where its content goes in the destination
   */
  private record Wanted(DataExtent extent, int at) {
    long endSector() {
      return extent.sector() + extent.sectors();
    }
  }

  /** What is read at once, by place on the device. */
  private record Run(List<Wanted> wanted, int sectors) {
    long sector() {
      return wanted.get(0).extent.sector();
    }

    int bytes() {
      return sectors * SECTOR_BYTES;
    }

    int offsetOf(Wanted one) {
      return (int) (one.extent.sector() - sector()) * SECTOR_BYTES;
    }

    /** Whether everything goes to where it is, gaps included. */
    boolean isInOrder() {
      int begin = wanted.get(0).at;
      for (Wanted one : wanted) {
        if (one.at - begin != offsetOf(one)) {
          return false;
        }
      }
      return true;
    }

    boolean hasGaps() {
      int left = sectors;
      for (Wanted one : wanted) {
        left -= one.extent.sectors();
      }
      return left != 0;
    }
  }

  /** See {@link BlockStore#readPlain}. */
  void readPlain(List<DataExtent> pieces, ByteBuffer destination) throws IOException {
    List<Wanted> wanted = new ArrayList<>(pieces.size());
    int at = destination.position();
    for (DataExtent piece : pieces) {
      wanted.add(new Wanted(piece, at));
      at += piece.sectors() * SECTOR_BYTES;
    }
    boolean first = true;
    for (Run run : runs(wanted)) {
      // What others fill later may be overwritten now.
      if (run.isInOrder() && (first || !run.hasGaps())) {
        readInPlace(run, destination);
      } else {
        readThroughBuffer(run, destination);
      }
      first = false;
    }
    destination.position(at);
  }

  /** See {@link BlockStore#readCompressed(List, ByteBuffer)}. */
  void readCompressed(List<DataExtent> extents, ByteBuffer destination) throws IOException {
    List<Wanted> wanted = new ArrayList<>(extents.size());
    int at = destination.position();
    for (DataExtent extent : extents) {
      wanted.add(new Wanted(extent, at));
      at += extent.logicalBytes();
    }
    for (Run run : runs(wanted)) {
      unpack(run, destination);
    }
    destination.position(at);
  }

  /** The longest first. */
  private List<Run> runs(List<Wanted> wanted) {
    List<Wanted> ordered = wanted;
    if (!isOrdered(wanted)) {
      ordered = new ArrayList<>(wanted);
      ordered.sort(BY_PLACE);
    }
    List<Run> runs = new ArrayList<>();
    int from = 0;
    while (from < ordered.size()) {
      long begin = ordered.get(from).extent.sector();
      long end = ordered.get(from).endSector();
      int to = from + 1;
      while (to < ordered.size() && joins(ordered.get(to), begin, end)) {
        end = Math.max(end, ordered.get(to).endSector());
        to++;
      }
      runs.add(new Run(ordered.subList(from, to), (int) (end - begin)));
      from = to;
    }
    if (runs.size() > 1) {
      runs.sort(LONGEST_FIRST);
    }
    return runs;
  }

  /** As most files are. */
  private static boolean isOrdered(List<Wanted> wanted) {
    for (int i = 1; i < wanted.size(); i++) {
      if (wanted.get(i).extent.sector() < wanted.get(i - 1).extent.sector()) {
        return false;
      }
    }
    return true;
  }

  private boolean joins(Wanted next, long begin, long end) {
    long gap = next.extent.sector() - end;
    return gap <= GAP_SECTORS_MAX
        && (next.endSector() - begin) * SECTOR_BYTES <= READ_BYTES_MAX
        && store.isOnDevice(next.extent.sector(), next.extent.sectors() * SECTOR_BYTES);
  }

  /** Returns what is wrong; null when it was read. */
  private IOException read(Run run, ByteBuffer destination) {
    try {
      store.checkPlace(run.sector(), run.bytes());
      copies.readFirst(destination, run.sector());
      return null;
    } catch (IOException failure) {
      return failure;
    }
  }

  private void readInPlace(Run run, ByteBuffer destination) throws IOException {
    IOException failure = read(run, destination.slice(run.wanted.get(0).at, run.bytes()));
    for (Wanted one : run.wanted) {
      if (failure == null) {
        verifySectors(one, destination);
      } else if (run.wanted.size() == 1) {
        recoverSectors(one, 0, one.extent.sectors(), destination, failure);
      } else {
        readAlone(one, destination); // Perhaps it failed because of another one.
      }
    }
  }

  private void readThroughBuffer(Run run, ByteBuffer destination) throws IOException {
    ByteBuffer buffer = takeBuffer();
    try {
      boolean isRead = buffer != null && read(run, buffer.slice(0, run.bytes())) == null;
      for (Wanted one : run.wanted) {
        if (isRead) {
          int bytes = one.extent.sectors() * SECTOR_BYTES;
          destination.put(one.at, buffer, run.offsetOf(one), bytes);
          verifySectors(one, destination);
        } else {
          readAlone(one, destination);
        }
      }
    } finally {
      giveBack(buffer);
    }
  }

  private void readAlone(Wanted one, ByteBuffer destination) throws IOException {
    Run alone = new Run(List.of(one), one.extent.sectors());
    IOException failure = read(alone, destination.slice(one.at, alone.bytes()));
    if (failure == null) {
      verifySectors(one, destination);
    } else {
      recoverSectors(one, 0, one.extent.sectors(), destination, failure);
    }
  }

  /** Verifies what was read of a piece; what is bad is taken from another copy. */
  private void verifySectors(Wanted one, ByteBuffer buffer) throws IOException {
    DataExtent piece = one.extent;
    int verified = 0;
    while (verified < piece.sectors()) {
      int bad =
          SectorChecksums.firstMismatch(
              buffer,
              one.at + verified * SECTOR_BYTES,
              piece.sectors() - verified,
              piece.checksumArray(),
              piece.firstChecksum() + verified);
      if (bad < 0) {
        return;
      }
      int sector = verified + bad;
      recoverSectors(one, sector, 1, buffer, mismatchOf(piece, sector, buffer, one.at));
      verified = sector + 1;
    }
  }

  private void recoverSectors(
      Wanted one, int first, int count, ByteBuffer buffer, IOException failure) throws IOException {
    for (int i = first; i < first + count; i++) {
      int sector = i;
      copies.recover(
          store.placesOnDevice(one.extent, sector),
          buffer.slice(one.at + sector * SECTOR_BYTES, SECTOR_BYTES),
          content -> verifySector(one.extent, sector, content),
          failure);
    }
  }

  private void verifySector(DataExtent piece, int sector, ByteBuffer content)
      throws CorruptBlockException {
    int expected = piece.firstChecksum() + sector;
    if (SectorChecksums.firstMismatch(content, 0, 1, piece.checksumArray(), expected) >= 0) {
      throw mismatchOf(piece.slice(sector, 1), 0, content, 0);
    }
  }

  private CorruptBlockException mismatchOf(
      DataExtent piece, int sector, ByteBuffer buffer, int at) {
    int[] actual = new int[1];
    SectorChecksums.compute(buffer, at + sector * SECTOR_BYTES, 1, actual, 0);
    return store.mismatch(
        piece.sector() + sector,
        ChecksumAlgorithm.CRC32C,
        Integer.toUnsignedLong(piece.sectorChecksum(sector)),
        Integer.toUnsignedLong(actual[0]));
  }

  private void unpack(Run run, ByteBuffer destination) throws IOException {
    ByteBuffer stored = takeBuffer();
    try {
      boolean isRead = stored != null && read(run, stored.slice(0, run.bytes())) == null;
      for (Wanted one : run.wanted) {
        DataExtent extent = one.extent;
        ByteBuffer content = destination.slice(one.at, extent.logicalBytes());
        boolean isWhole =
            isRead
                && unpack(extent, stored.slice(run.offsetOf(one), extent.storedBytes()), content);
        if (!isWhole) {
          content.put(store.readCompressed(extent)); // It has other copies, perhaps.
        }
      }
    } finally {
      giveBack(stored);
    }
  }

  /** False when it is damaged. */
  private static boolean unpack(DataExtent extent, ByteBuffer stored, ByteBuffer content) {
    try {
      if (extent.checksumAlgorithm().of(stored, 0, stored.capacity()) != extent.checksum()) {
        return false;
      }
      extent.compression().decompress(stored, content);
      return true;
    } catch (MalformedDataException damaged) {
      return false;
    }
  }

  /** Null when all of them are in use. */
  private ByteBuffer takeBuffer() {
    if (!buffersLeft.tryAcquire()) {
      return null;
    }
    ByteBuffer buffer = buffers.poll();
    while (buffer == null) {
      ByteBuffer memory = DirectBuffers.large(DirectBuffers.LARGE_PAGE_BYTES);
      for (int at = 0; at < memory.capacity(); at += READ_BYTES_MAX) {
        buffers.push(memory.slice(at, READ_BYTES_MAX));
      }
      buffer = buffers.poll();
    }
    return buffer;
  }

  private void giveBack(ByteBuffer bufferOrNull) {
    if (bufferOrNull != null) {
      buffers.push(bufferOrNull);
      buffersLeft.release();
    }
  }
}
