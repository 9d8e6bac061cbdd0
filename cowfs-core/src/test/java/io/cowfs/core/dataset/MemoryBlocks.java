package io.cowfs.core.dataset;

import io.cowfs.core.alloc.AllocationKind;
import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.alloc.SectorRange;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.device.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * What is written where, in memory. Each write has a number, every sector remembers the last write
 * to it: a block that was overwritten is no longer what its pointer says. Survives crashes.
 */
final class MemoryBlocks implements NodeReader {
  private static final int MAX_NODE_SECTORS = 4;

  /** By sector; 0 where nothing was ever written. */
  private long[] writeOfSector = new long[1 << 12];

  private final Map<Long, byte[]> nodeOfWrite = new HashMap<>();
  private long writes;

  /** Allocates and "writes" data. */
  Extent writeData(Allocator allocator, int wantedSectors, long txg) throws IOException {
    SectorRange range = allocate(allocator, wantedSectors, 1, AllocationKind.DATA);
    return new Extent(range.sector(), range.count(), txg, write(range));
  }

  BlockSink sink(Allocator allocator, long txg) {
    return content -> {
      int sectors = 1 + (int) (writes % MAX_NODE_SECTORS);
      SectorRange range = allocate(allocator, sectors, sectors, AllocationKind.NODE);
      long write = write(range);
      nodeOfWrite.put(write, content);
      long second = BlockPointer.NONE;
      if (writes % 5 != 0) {
        SectorRange copy = allocate(allocator, sectors, sectors, AllocationKind.NODE);
        put(copy, write);
        second = copy.sector();
      }
      return new BlockPointer(
          range.sector(),
          second,
          content.length,
          sectors * BlockPointer.SECTOR_BYTES,
          sectors == MAX_NODE_SECTORS ? Compression.NONE : Compression.LZ4,
          ChecksumAlgorithm.XXH3_64,
          write,
          txg);
    };
  }

  private static SectorRange allocate(Allocator allocator, int wanted, int min, AllocationKind kind)
      throws IOException {
    if (!allocator.tryReserve(wanted, ReserveTier.COMMIT)) {
      throw new IOException("the simulated pool is full");
    }
    SectorRange range = allocator.allocate(wanted, min, kind);
    allocator.unreserve(wanted);
    return range;
  }

  private long write(SectorRange range) {
    writes++;
    put(range, writes);
    return writes;
  }

  /** What was in the range before is gone. */
  private void put(SectorRange range, long write) {
    if (range.end() > writeOfSector.length) {
      writeOfSector = Arrays.copyOf(writeOfSector, Math.toIntExact(2 * range.end()));
    }
    for (int sector = (int) range.sector(); sector < range.end(); sector++) {
      nodeOfWrite.remove(writeOfSector[sector]);
      writeOfSector[sector] = write;
    }
  }

  /** How many writes there were. */
  long writes() {
    return writes;
  }

  /** Whether any of the sectors was written after that many writes. */
  boolean writtenSince(long writesThen, SectorReferences references) {
    return LongStream.of(references.sorted())
        .anyMatch(
            reference -> writeOfSector[(int) SectorReferences.sector(reference)] > writesThen);
  }

  /** Nothing but the block is in any of its places. */
  boolean holds(BlockPointer pointer) {
    boolean holds = true;
    for (int i = 0; i < pointer.places(); i++) {
      holds &= holds(pointer.place(i), pointer.sectors(), pointer.checksum());
    }
    return holds;
  }

  @Override
  public byte[] readNode(BlockPointer pointer) throws CorruptBlockException {
    byte[] node = nodeOfWrite.get(pointer.checksum());
    if (node == null || !holds(pointer)) {
      throw new CorruptBlockException("overwritten: " + pointer);
    }
    return node;
  }

  /** Makes a node unreadable; returns what repairs it. */
  Runnable damage(BlockPointer pointer) {
    byte[] node = nodeOfWrite.remove(pointer.checksum());
    return () -> nodeOfWrite.put(pointer.checksum(), node);
  }

  /** Whether the range still has what a write put there. */
  boolean holds(long sector, int sectors, long write) {
    if (sector + sectors > writeOfSector.length) {
      return false;
    }
    for (int s = (int) sector; s < sector + sectors; s++) {
      if (writeOfSector[s] != write) {
        return false;
      }
    }
    return true;
  }

  /** One "file block", the value of an item; {@code write} stands for its content. */
  record Extent(long sector, int sectors, long birthTxg, long write) {
    private static final int BYTES = Long.BYTES * 3 + Integer.BYTES;

    /** Padded, so that few items make a tree of several levels. */
    byte[] encode(int padding) {
      return ByteBuffer.allocate(BYTES + padding)
          .putLong(sector)
          .putInt(sectors)
          .putLong(birthTxg)
          .putLong(write)
          .array();
    }

    static Extent decode(byte[] value) {
      ByteBuffer buffer = ByteBuffer.wrap(value);
      return new Extent(buffer.getLong(), buffer.getInt(), buffer.getLong(), buffer.getLong());
    }
  }

  /** Gives the allocator a capacity; nothing is ever read or written through it. */
  record Space(long capacity) implements BlockDevice {
    @Override
    public void read(ByteBuffer destination, long offset) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void write(ByteBuffer source, long offset) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void write(ByteBuffer[] sources, long offset) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void sync() {}

    @Override
    public void punch(long offset, long length) {}

    @Override
    public void preallocate(long offset, long length) {}

    @Override
    public long usedExtent() {
      return 0;
    }

    @Override
    public long hostFreeBytes() {
      return Long.MAX_VALUE;
    }

    @Override
    public String name() {
      return "memory";
    }

    @Override
    public void close() {}
  }
}
