package io.cowfs.core.block;

import io.cowfs.core.alloc.AllocationKind;
import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.alloc.OutOfSpaceException;
import io.cowfs.core.alloc.SectorRange;
import io.cowfs.core.block.PreparedExtent.Pieces;
import io.cowfs.core.block.StagingWriter.Staging;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.SectorChecksums;
import io.cowfs.core.device.DeviceLayout;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Writes the blocks and extents of one txg: compresses, checksums, allocates, and hands the bytes
 * to the writing threads in large runs. Used by one thread, the one that syncs; others help it to
 * compress.
 *
 * <p>After an error nothing is written any more; what was allocated is not given back, because the
 * txg cannot be committed.
 */
public final class BlockWriter implements Closeable {
  /** For blocks and compressed extents; see the decision record on checksums. */
  public static final ChecksumAlgorithm BLOCK_CHECKSUM = ChecksumAlgorithm.XXH3_64;

  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** Smaller pieces are copied: many of them would make a request long to set up. */
  private static final int REFERRED_BYTES_MIN = 32 << 10;

  private static final AllocationKind[] KINDS_OF_COPIES = {
    AllocationKind.DATA, AllocationKind.DATA_COPY, AllocationKind.DATA_THIRD_COPY
  };

  private final BlockStore store;
  private final Allocator allocator;
  private final StagingWriter stagingWriter;
  private final Packer packer;
  private final long txg;
  private final Map<AllocationKind, Staging> open = new EnumMap<>(AllocationKind.class);

  private final Object completionLock = new Object();
  private int inFlight;
  private IOException failure;

  BlockWriter(
      BlockStore store, Allocator allocator, StagingWriter stagingWriter, Packer packer, long txg) {
    this.store = store;
    this.packer = packer;
    this.allocator = allocator;
    this.stagingWriter = stagingWriter;
    this.txg = txg;
  }

  /**
   * Writes a block, twice unless the pool is too full for that; it can be read at once.
   *
   * @param content at most {@link BlockPointerFormat#LOGICAL_BYTES_MAX}; belongs to the store from
   *     now on and must not be changed
   */
  public BlockPointer writeBlock(byte[] content) throws IOException {
    checkFailure();
    Compression compression = Compression.LZ4;
    int room = compression.maxCompressedBytes(content.length);
    byte[] packed = new byte[room];
    int storedBytes = compression.compress(ByteBuffer.wrap(content), ByteBuffer.wrap(packed), 0);
    byte[] stored = packed;
    if (DataExtent.sectorsOf(storedBytes) >= DataExtent.sectorsOf(content.length)) {
      compression = Compression.NONE;
      stored = content;
      storedBytes = content.length;
    }
    long checksum = BLOCK_CHECKSUM.of(stored, 0, storedBytes);
    int sectors = DataExtent.sectorsOf(storedBytes);
    SectorRange range = allocator.allocate(sectors, sectors, AllocationKind.NODE);
    ByteBuffer target = stage(AllocationKind.NODE, range.sector(), sectors);
    target.put(stored, 0, storedBytes);
    fillWithZeros(target);
    BlockKey key = new BlockKey(range.sector(), checksum);
    open.get(AllocationKind.NODE).addBlock(key);
    store.staged(key, content);
    return new BlockPointer(
        range.sector(),
        writeCopy(range, stored, storedBytes),
        content.length,
        storedBytes,
        compression,
        BLOCK_CHECKSUM,
        checksum,
        txg);
  }

  /** Returns where the copy of a block is, {@link BlockPointer#NONE} where it has none. */
  private long writeCopy(SectorRange first, byte[] stored, int storedBytes) throws IOException {
    SectorRange copy = allocator.allocateNodeCopy(first);
    if (copy == null) {
      return BlockPointer.NONE;
    }
    ByteBuffer target = stage(AllocationKind.NODE_COPY, copy.sector(), copy.count());
    target.put(stored, 0, storedBytes);
    fillWithZeros(target);
    return copy.sector();
  }

  /**
   * Has file data compressed by other threads, if that is its policy, while this one goes on.
   *
   * @param pieces buffers to gather, each a multiple of 4 KiB, together as many sectors as {@code
   *     logicalBytes} take; what is beyond those is zeros. Their positions do not move.
   * @param stay how long they are not changed
   * @param logicalBytes at most {@link DataExtent#LOGICAL_BYTES_MAX}
   * @return to be written before what is prepared later
   */
  public PreparedExtent prepareExtent(
      ByteBuffer[] pieces, Pieces stay, int logicalBytes, ExtentPolicy policy) {
    PreparedExtent extent = new PreparedExtent(pieces, stay, logicalBytes, policy, packer);
    if (extent.isToBePacked()) {
      packer.begin(extent);
    }
    return extent;
  }

  /**
   * A direct buffer with room for the data of any extent. It is used again by later writers when it
   * is released, which is not before what was prepared from it is written.
   */
  public ByteBuffer takeBuffer() {
    return packer.take();
  }

  /** Gives a buffer back that {@link #takeBuffer} gave. */
  public void releaseBuffer(ByteBuffer buffer) {
    packer.release(buffer);
  }

  /** How many extents it pays to prepare before the first of them is written. */
  public static int extentsAhead() {
    return Packer.aheadMax();
  }

  /**
   * Writes file data as one extent, or as several where space is in pieces.
   *
   * @param result gets each extent, in the order of the file, before this returns
   */
  public void writeExtent(PreparedExtent extent, Consumer<DataExtent> result) throws IOException {
    checkFailure();
    if (extent.isToBePacked()) {
      PreparedExtent.Packed packed = packer.finish(extent);
      if (packed != null) {
        DataExtent written = writePacked(packed, extent);
        packer.release(packed.content());
        if (written != null) {
          result.accept(written);
          return;
        }
      }
    }
    new PlainWrite(extent, result).run();
  }

  /** The same of data that was not prepared, whose pieces stay until it is written. */
  public void writeExtent(
      ByteBuffer[] pieces, int logicalBytes, ExtentPolicy policy, Consumer<DataExtent> result)
      throws IOException {
    writeExtent(
        new PreparedExtent(pieces, Pieces.STAY_UNTIL_WRITTEN, logicalBytes, policy, packer),
        result);
  }

  /** Null where there is no run for it. */
  private DataExtent writePacked(PreparedExtent.Packed packed, PreparedExtent extent)
      throws IOException {
    ByteBuffer content = packed.content();
    int sectors = DataExtent.sectorsOf(content.limit());
    long[] places = allocatePlaces(sectors, extent.policy().copies());
    if (places == null) {
      return null; // plain data can be split over smaller runs
    }
    for (int i = 0; i < places.length; i++) {
      ByteBuffer target = stage(KINDS_OF_COPIES[i], places[i], sectors);
      target.put(content.duplicate());
      fillWithZeros(target);
    }
    return withCopies(
        DataExtent.compressed(
            places[0],
            extent.logicalBytes(),
            content.limit(),
            extent.compression(),
            BLOCK_CHECKSUM,
            packed.checksum(),
            txg),
        places);
  }

  /**
   * Writes extents anew as they are stored, one behind the other in a few long runs: all of them,
   * or nothing where there are no such runs. Further copies go where those of new data go.
   *
   * @param extents each with as many copies as the others
   * @param stored their sectors one after the other, as {@link BlockStore#readStored} gave them;
   *     its position does not move
   * @param runsMax more runs are not worth it
   * @return the extents where they are now, born in this txg; empty when nothing was written
   */
  public List<DataExtent> move(List<DataExtent> extents, ByteBuffer stored, int runsMax)
      throws IOException {
    checkFailure();
    long[][] places = new MovedPlaces(extents, runsMax).allocate();
    if (places == null) {
      return List.of();
    }
    List<DataExtent> moved = new ArrayList<>(extents.size());
    int at = stored.position();
    for (int i = 0; i < places.length; i++) {
      DataExtent extent = extents.get(i);
      ByteBuffer content = stored.slice(at, extent.sectors() * SECTOR_BYTES);
      for (int copy = 0; copy < places[i].length; copy++) {
        stage(KINDS_OF_COPIES[copy], places[i][copy], extent.sectors()).put(content.duplicate());
      }
      at += content.capacity();
      moved.add(extent.movedTo(places[i], txg));
    }
    return moved;
  }

  /** Looks for places to move extents to. */
  private final class MovedPlaces {
    private final List<DataExtent> extents;
    private final int runsMax;
    private final long[][] places;
    private final List<SectorRange> allocated = new ArrayList<>();

    MovedPlaces(List<DataExtent> extents, int runsMax) {
      this.extents = extents;
      this.runsMax = runsMax;
      this.places = new long[extents.size()][extents.get(0).places()];
    }

    /** By extent and copy; null when there are none, and nothing is allocated. */
    long[][] allocate() throws IOException {
      boolean done = false;
      try {
        done = runsFor(0, extents.size()) && furtherCopies();
        return done ? places : null;
      } catch (OutOfSpaceException none) {
        return null;
      } finally {
        if (!done) {
          allocated.forEach(allocator::takeBack);
        }
      }
    }

    /** A run for some extents, or two for their halves. */
    private boolean runsFor(int from, int to) throws IOException {
      int sectors = 0;
      for (DataExtent extent : extents.subList(from, to)) {
        sectors += extent.sectors();
      }
      SectorRange run = allocated.size() < runsMax ? allocator.allocateRun(sectors) : null;
      if (run == null) {
        int middle = (from + to) >>> 1;
        return to - from > 1
            && allocated.size() < runsMax
            && runsFor(from, middle)
            && runsFor(middle, to);
      }
      allocated.add(run);
      long sector = run.sector();
      for (int i = from; i < to; i++) {
        places[i][0] = sector;
        sector += extents.get(i).sectors();
      }
      return true;
    }

    private boolean furtherCopies() throws IOException {
      for (int i = 0; i < places.length; i++) {
        int sectors = extents.get(i).sectors();
        for (int copy = 1; copy < places[i].length; copy++) {
          SectorRange range = BlockWriter.this.allocate(sectors, sectors, places[i], copy);
          allocated.add(range);
          places[i][copy] = range.sector();
        }
      }
      return true;
    }
  }

  /** One run for each copy; null when there are not so many. */
  private long[] allocatePlaces(int sectors, int copies) throws IOException {
    long[] places = new long[copies];
    int allocated = 0;
    try {
      while (allocated < copies) {
        places[allocated] = allocate(sectors, sectors, places, allocated).sector();
        allocated++;
      }
      return places;
    } catch (OutOfSpaceException e) {
      for (int i = 0; i < allocated; i++) {
        allocator.takeBack(new SectorRange(places[i], sectors));
      }
      return null;
    }
  }

  /** A run for one more copy of data that is in some places already. */
  private SectorRange allocate(int wanted, int min, long[] places, int count) throws IOException {
    return count == 0
        ? allocator.allocate(wanted, min, AllocationKind.DATA)
        : allocator.allocateDataCopy(
            wanted, min, KINDS_OF_COPIES[count], Arrays.copyOf(places, count));
  }

  private static DataExtent withCopies(DataExtent extent, long[] places) {
    return places.length == 1
        ? extent
        : extent.withCopies(Arrays.copyOfRange(places, 1, places.length));
  }

  /** Writes plain data, in as many extents as the runs require that are found for its copies. */
  private final class PlainWrite {
    private final Gathered content;
    private final boolean copied;
    private final int copies;
    private final Consumer<DataExtent> result;
    private int bytesLeft;

    PlainWrite(PreparedExtent extent, Consumer<DataExtent> result) {
      this.content = new Gathered(extent.pieces());
      this.copied = extent.stay() == Pieces.STAY_UNTIL_WRITTEN;
      this.bytesLeft = extent.logicalBytes();
      this.copies = extent.policy().copies();
      this.result = result;
    }

    /**
     * Finds places for the first copy, then for each further one of a run that the one before it
     * has; all of them may be in pieces.
     */
    void run() throws IOException {
      long[] places = new long[copies];
      int[] room = new int[copies];
      int left = DataExtent.sectorsOf(bytesLeft);
      while (left > 0) {
        int sectors = left;
        for (int copy = 0; copy < copies; copy++) {
          if (room[copy] == 0) {
            SectorRange range = allocate(sectors, 1, places, copy);
            places[copy] = range.sector();
            room[copy] = range.count();
          }
          sectors = room[copy];
        }
        write(places, sectors);
        for (int copy = 0; copy < copies; copy++) {
          places[copy] += sectors;
          room[copy] -= sectors;
        }
        left -= sectors;
      }
    }

    private void write(long[] places, int sectors) {
      ByteBuffer[] further = new ByteBuffer[copies - 1];
      for (int i = 1; i < copies; i++) {
        further[i - 1] = stage(KINDS_OF_COPIES[i], places[i], sectors);
      }
      Staging first = staging(AllocationKind.DATA, places[0], sectors * SECTOR_BYTES);
      int[] checksums = new int[sectors];
      int done = 0;
      while (done < sectors) {
        ByteBuffer piece = content.next((sectors - done) * SECTOR_BYTES);
        ByteBuffer staged = piece;
        if (copied || piece.remaining() < REFERRED_BYTES_MIN) {
          staged = first.append(piece.remaining()).put(piece.duplicate()).flip();
        } else {
          first.refer(piece);
        }
        int count = piece.remaining() / SECTOR_BYTES;
        SectorChecksums.compute(staged, staged.position(), count, checksums, done);
        for (ByteBuffer copy : further) {
          copy.put(staged.duplicate());
        }
        done += count;
      }
      int bytes = Math.min(bytesLeft, sectors * SECTOR_BYTES);
      result.accept(withCopies(DataExtent.plain(places[0], bytes, txg, checksums), places));
      bytesLeft -= bytes;
    }
  }

  /** The room for newly allocated sectors, behind their neighbours where those are staged. */
  private ByteBuffer stage(AllocationKind kind, long sector, int sectors) {
    int bytes = sectors * SECTOR_BYTES;
    return staging(kind, sector, bytes).append(bytes);
  }

  private Staging staging(AllocationKind kind, long sector, int bytes) {
    Staging staging = open.get(kind);
    if (staging == null || !staging.accepts(sector, bytes)) {
      submit(kind);
      staging = stagingWriter.acquire(sector);
      open.put(kind, staging);
    }
    return staging;
  }

  private void submit(AllocationKind kind) {
    Staging staging = open.remove(kind);
    if (staging != null) {
      synchronized (completionLock) {
        inFlight++;
      }
      stagingWriter.submit(staging, this::completed);
    }
  }

  private void completed(IOException failureOrNull) {
    synchronized (completionLock) {
      inFlight--;
      if (failure == null) {
        failure = failureOrNull;
      }
      completionLock.notifyAll();
    }
  }

  private void checkFailure() throws IOException {
    synchronized (completionLock) {
      if (failure != null) {
        throw failure;
      }
    }
  }

  private static void fillWithZeros(ByteBuffer buffer) {
    while (buffer.hasRemaining()) {
      buffer.put((byte) 0);
    }
  }

  /**
   * Hands everything to the device and waits until it has it; not yet durable.
   *
   * @throws IOException the first error of any write of this writer
   */
  public void flush() throws IOException {
    for (AllocationKind kind : AllocationKind.values()) {
      submit(kind);
    }
    awaitWrites();
    checkFailure();
  }

  private void awaitWrites() {
    boolean interrupted = false;
    synchronized (completionLock) {
      while (inFlight > 0) {
        try {
          completionLock.wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Drops what was not flushed; nothing to do after {@link #flush}. */
  @Override
  public void close() {
    packer.forget();
    List<Staging> dropped = new ArrayList<>(open.values());
    open.clear();
    for (Staging staging : dropped) {
      staging.blocks().forEach(store::forget);
      stagingWriter.release(staging);
    }
    awaitWrites();
  }

  /** Goes through several buffers as if they were one. */
  private static final class Gathered {
    private final ByteBuffer[] pieces;
    private int current;
    private int taken;

    Gathered(ByteBuffer[] pieces) {
      this.pieces = pieces;
    }

    /** What follows in one piece, as far as it is wanted. */
    ByteBuffer next(int bytesMax) {
      ByteBuffer piece = pieces[current];
      int bytes = Math.min(bytesMax, piece.remaining() - taken);
      ByteBuffer view = piece.slice(piece.position() + taken, bytes);
      taken += bytes;
      if (taken == piece.remaining()) {
        current++;
        taken = 0;
      }
      return view;
    }
  }
}
