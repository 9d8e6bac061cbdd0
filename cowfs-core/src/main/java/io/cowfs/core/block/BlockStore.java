package io.cowfs.core.block;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.MalformedDataException;
import io.cowfs.core.codec.SectorChecksums;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DeviceLayout;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;

/**
 * Reads blocks and extents, verified, with bounded caches; opens writers. Thread-safe, without
 * locks of its own. Does not own the device or the allocator.
 */
public final class BlockStore implements Closeable {
  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** The most that is read from the device at once. */
  private static final int READ_BYTES_MAX = 1 << 20;

  /** What a cache entry costs besides its content; roughly. */
  private static final int ENTRY_OVERHEAD_BYTES = 128;

  private final BlockDevice device;
  private final GoodCopy copies;
  private final Supplier<ExecutorService> readers;
  private final Allocator allocator;
  private final Cache<BlockKey, byte[]> nodes;
  private final Cache<BlockKey, byte[]> extents;
  private final StagingWriter stagingWriter;
  private final Packer packer = new Packer();

  /** For compressed extents; as many as threads have read at the same time. */
  private final Deque<ByteBuffer> readBuffers = new ConcurrentLinkedDeque<>();

  /** Blocks that were handed to a writer and may not be on the device yet. */
  private final Map<BlockKey, byte[]> unwritten = new ConcurrentHashMap<>();

  /**
   * @param repair of copies that are bad
   * @param writers that write to the device, such as {@link #writingThreads}; ended with this
   */
  public BlockStore(
      BlockDevice device,
      Repair repair,
      Allocator allocator,
      CacheLimits limits,
      ExecutorService writers) {
    this(device, repair, allocator, limits, writers, BlockStore::readingThreads);
  }

  /**
   * The same.
   *
   * @param readers makes the threads of a {@link MediumReader}, such as {@link #readingThreads}
   */
  public BlockStore(
      BlockDevice device,
      Repair repair,
      Allocator allocator,
      CacheLimits limits,
      ExecutorService writers,
      Supplier<ExecutorService> readers) {
    this.readers = readers;
    this.device = device;
    this.copies = new GoodCopy(device, repair);
    this.allocator = allocator;
    nodes = newCache(limits.nodeBytes());
    extents = newCache(limits.extentBytes());
    stagingWriter = new StagingWriter(device, unwritten::remove, writers);
  }

  /** Threads for the writers of one store: few, for the device is the same. */
  public static ExecutorService writingThreads() {
    return StagingWriter.newThreads();
  }

  /** Threads for one reader of the medium. */
  public static ExecutorService readingThreads() {
    return MediumReader.newThreads();
  }

  /** Entries are evicted by the thread that adds one, not by a pool of threads. */
  private static Cache<BlockKey, byte[]> newCache(long bytes) {
    return Caffeine.newBuilder()
        .maximumWeight(bytes)
        .weigher((BlockKey key, byte[] content) -> content.length + ENTRY_OVERHEAD_BYTES)
        .executor(Runnable::run)
        .build();
  }

  /**
   * The content of a block, verified. Shared: must not be changed. Threads that miss the same block
   * at the same time read it once.
   *
   * @throws CorruptBlockException when it does not match its checksum
   */
  public byte[] readBlock(BlockPointer pointer) throws IOException {
    BlockKey key = new BlockKey(pointer.sector(), pointer.checksum());
    byte[] content = nodes.getIfPresent(key);
    if (content == null) {
      content = unwritten.get(key);
    }
    if (content == null) {
      content = load(nodes, key, () -> readStored(pointer, pointer));
    }
    if (content.length != pointer.logicalBytes()) {
      throw new CorruptBlockException(
          place(pointer.sector())
              + ": "
              + content.length
              + " bytes instead of "
              + pointer.logicalBytes());
    }
    return content;
  }

  /**
   * The decompressed content of a compressed extent, verified. Shared: must not be changed.
   *
   * @throws CorruptBlockException when it does not match its checksum
   */
  public byte[] readCompressed(DataExtent extent) throws IOException {
    BlockPointer pointer = pointerTo(extent);
    byte[] content =
        load(
            extents,
            new BlockKey(extent.sector(), extent.checksum()),
            () -> readStored(pointer, extent));
    if (content.length != extent.logicalBytes()) {
      throw new CorruptBlockException(
          place(extent.sector())
              + ": "
              + content.length
              + " bytes instead of "
              + extent.logicalBytes());
    }
    return content;
  }

  private static BlockPointer pointerTo(DataExtent compressed) {
    return new BlockPointer(
        compressed.sector(),
        compressed.logicalBytes(),
        compressed.storedBytes(),
        compressed.compression(),
        compressed.checksumAlgorithm(),
        compressed.checksum(),
        compressed.birthTxg());
  }

  /**
   * Reads plain extents one after the other into the buffer, whole sectors each (the rest of a last
   * sector is zero), and verifies them. What is adjacent on the device is read at once.
   *
   * @param destination gets all sectors of all extents; direct buffers save a copy. Its content is
   *     undefined after an error.
   * @throws CorruptBlockException when a sector does not match its checksum
   */
  public void readPlain(List<DataExtent> pieces, ByteBuffer destination) throws IOException {
    forEachRun(pieces, (run, sectors) -> readAdjacent(run, sectors, destination));
  }

  /**
   * Reads compressed extents one after the other into the buffer, and verifies them. What is
   * adjacent on the device is read at once; nothing is cached.
   *
   * @param destination gets their content; direct buffers save a copy. Its content is undefined
   *     after an error.
   * @throws CorruptBlockException when one does not match its checksum
   */
  public void readCompressed(List<DataExtent> extents, ByteBuffer destination) throws IOException {
    forEachRun(extents, (run, sectors) -> readAdjacentCompressed(run, sectors, destination));
  }

  /** Reads something that is adjacent on the device, in the order of the file. */
  @FunctionalInterface
  private interface RunReader {
    void read(List<DataExtent> run, int sectors) throws IOException;
  }

  private static void forEachRun(List<DataExtent> pieces, RunReader reader) throws IOException {
    int first = 0;
    while (first < pieces.size()) {
      int end = first;
      int sectors = 0;
      long nextSector = pieces.get(first).sector();
      while (end < pieces.size()
          && pieces.get(end).sector() == nextSector
          && (end == first
              || (sectors + pieces.get(end).sectors()) * SECTOR_BYTES <= READ_BYTES_MAX)) {
        sectors += pieces.get(end).sectors();
        nextSector += pieces.get(end).sectors();
        end++;
      }
      reader.read(pieces.subList(first, end), sectors);
      first = end;
    }
  }

  private void readAdjacentCompressed(List<DataExtent> extents, int sectors, ByteBuffer destination)
      throws IOException {
    ByteBuffer stored = takeReadBuffer();
    try {
      long sector = extents.get(0).sector();
      boolean isRead = false;
      try {
        checkPlace(sector, sectors * SECTOR_BYTES);
        copies.readFirst(stored.slice(0, sectors * SECTOR_BYTES), sector);
        isRead = true;
      } catch (IOException unreadable) {
        // Each extent is read again below, from its other copies as well.
      }
      int at = 0;
      for (DataExtent extent : extents) {
        ByteBuffer content = destination.slice(destination.position(), extent.logicalBytes());
        if (!isRead || !unpack(extent, stored.slice(at, extent.storedBytes()), content)) {
          content.put(readCompressed(extent));
        }
        destination.position(destination.position() + extent.logicalBytes());
        at += extent.sectors() * SECTOR_BYTES;
      }
    } finally {
      readBuffers.push(stored);
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

  private ByteBuffer takeReadBuffer() {
    ByteBuffer buffer = readBuffers.poll();
    return buffer != null ? buffer : ByteBuffer.allocateDirect(READ_BYTES_MAX);
  }

  /**
   * Reads an extent as it is stored, compressed or not, and verifies it.
   *
   * @param destination gets its sectors; the rest of the last one of a compressed extent is zero
   * @throws CorruptBlockException when it does not match its checksum
   */
  public void readStored(DataExtent extent, ByteBuffer destination) throws IOException {
    if (extent.isPlain()) {
      readPlain(List.of(extent), destination);
      return;
    }
    byte[] stored = readVerified(pointerTo(extent), extent);
    destination.put(stored);
    destination.put(new byte[extent.sectors() * SECTOR_BYTES - stored.length]);
  }

  private void readAdjacent(List<DataExtent> pieces, int sectors, ByteBuffer destination)
      throws IOException {
    int bytes = sectors * SECTOR_BYTES;
    int start = destination.position();
    long sector = pieces.get(0).sector();
    IOException unreadable = null;
    try {
      checkPlace(sector, bytes);
      copies.readFirst(destination.slice(start, bytes), sector);
    } catch (IOException failure) {
      unreadable = failure;
    }
    int at = start;
    for (DataExtent piece : pieces) {
      if (unreadable != null) {
        recoverSectors(piece, 0, piece.sectors(), destination, at, unreadable);
      } else {
        verifySectors(piece, destination, at);
      }
      at += piece.sectors() * SECTOR_BYTES;
    }
    destination.position(at);
  }

  /** Verifies what was read of a piece; what is bad is taken from another copy. */
  private void verifySectors(DataExtent piece, ByteBuffer buffer, int at) throws IOException {
    int verified = 0;
    while (verified < piece.sectors()) {
      int bad =
          SectorChecksums.firstMismatch(
              buffer,
              at + verified * SECTOR_BYTES,
              piece.sectors() - verified,
              piece.checksumArray(),
              piece.firstChecksum() + verified);
      if (bad < 0) {
        return;
      }
      int sector = verified + bad;
      recoverSectors(piece, sector, 1, buffer, at, mismatchOf(piece, sector, buffer, at));
      verified = sector + 1;
    }
  }

  private void recoverSectors(
      DataExtent piece, int first, int count, ByteBuffer buffer, int at, IOException failure)
      throws IOException {
    for (int i = first; i < first + count; i++) {
      int sector = i;
      copies.recover(
          placesOnDevice(piece, sector),
          buffer.slice(at + sector * SECTOR_BYTES, SECTOR_BYTES),
          content -> verifySector(piece, sector, content),
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
    return mismatch(
        piece.sector() + sector,
        ChecksumAlgorithm.CRC32C,
        Integer.toUnsignedLong(piece.sectorChecksum(sector)),
        Integer.toUnsignedLong(actual[0]));
  }

  /** Reads the first of the places, or another one where that is damaged. */
  private byte[] readStored(BlockPointer pointer, Reference places) throws IOException {
    return decompress(pointer, readVerified(pointer, places));
  }

  /** The same as it is stored. */
  private byte[] readVerified(BlockPointer pointer, Reference places) throws IOException {
    byte[] stored = new byte[pointer.storedBytes()];
    try {
      checkPlace(pointer.sector(), pointer.storedBytes());
      copies.readFirst(ByteBuffer.wrap(stored), pointer.sector());
      verify(pointer, stored);
    } catch (IOException failure) {
      ByteBuffer sectors = ByteBuffer.allocate(pointer.sectors() * SECTOR_BYTES);
      copies.recover(placesOnDevice(places, 0), sectors, check(pointer), failure);
      sectors.get(0, stored);
      verify(pointer, stored);
    }
    return stored;
  }

  /** Of the sectors of a block. */
  GoodCopy.Check check(BlockPointer pointer) {
    return content -> {
      byte[] stored = new byte[pointer.storedBytes()];
      content.get(content.position(), stored);
      verify(pointer, stored);
    };
  }

  private void verify(BlockPointer pointer, byte[] stored) throws CorruptBlockException {
    long actual = pointer.checksumAlgorithm().of(stored);
    if (actual != pointer.checksum()) {
      throw mismatch(pointer.sector(), pointer.checksumAlgorithm(), pointer.checksum(), actual);
    }
  }

  /** Verifies what is stored of a block and decompresses it. */
  byte[] decode(BlockPointer pointer, byte[] stored) throws CorruptBlockException {
    verify(pointer, stored);
    return decompress(pointer, stored);
  }

  private byte[] decompress(BlockPointer pointer, byte[] stored) throws CorruptBlockException {
    if (pointer.compression() == Compression.NONE) {
      return stored;
    }
    byte[] content = new byte[pointer.logicalBytes()];
    try {
      pointer.compression().decompress(ByteBuffer.wrap(stored), ByteBuffer.wrap(content));
    } catch (MalformedDataException e) {
      throw new CorruptBlockException(place(pointer.sector()) + ": " + e.getMessage(), e);
    }
    return content;
  }

  /** Reads what the device has, to find damage; for one thread. */
  public MediumReader openMediumReader() {
    return new MediumReader(this, device, copies, readers);
  }

  /**
   * Where there should be copies of a sector of something.
   *
   * @param sector counted within it
   */
  List<Long> placesOnDevice(Reference reference, int sector) {
    List<Long> places = new ArrayList<>(reference.places());
    for (int i = 0; i < reference.places(); i++) {
      if (isOnDevice(reference.place(i), reference.sectors() * SECTOR_BYTES)) {
        places.add(reference.place(i) + sector);
      }
    }
    return places;
  }

  private void checkPlace(long sector, int bytes) throws CorruptBlockException {
    if (!isOnDevice(sector, bytes)) {
      throw new CorruptBlockException(place(sector) + " is not on the device");
    }
  }

  boolean isOnDevice(long sector, int bytes) {
    return sector >= DeviceLayout.DATA_FIRST_SECTOR
        && sector <= device.capacity() / SECTOR_BYTES
        && bytes <= device.capacity() - sector * SECTOR_BYTES;
  }

  private CorruptBlockException mismatch(
      long sector, ChecksumAlgorithm algorithm, long expected, long actual) {
    return new CorruptBlockException(
        String.format(
            "%s does not match its checksum (%s: expected %x, found %x)",
            place(sector), algorithm, expected, actual));
  }

  private String place(long sector) {
    return device.name() + ": sector " + sector;
  }

  private interface Loader {
    byte[] load() throws IOException;
  }

  /** Reads through a cache; nothing is cached after an error. */
  private static byte[] load(Cache<BlockKey, byte[]> cache, BlockKey key, Loader loader)
      throws IOException {
    try {
      return cache.get(
          key,
          missing -> {
            try {
              return loader.load();
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** A writer for the txg being synced; for one thread. */
  public BlockWriter openWriter(long txg) {
    return new BlockWriter(this, allocator, stagingWriter, packer, txg);
  }

  /** The block is known from now on, though it is not on the device yet. */
  void staged(BlockKey key, byte[] content) {
    unwritten.put(key, content);
    nodes.put(key, content);
  }

  /** A written block that did not make it to the device. */
  void forget(BlockKey key) {
    unwritten.remove(key);
    nodes.invalidate(key);
  }

  /** What was damaged and is repaired, since this store was made, in bytes; each copy counts. */
  public long repairedBytes() {
    return copies.repairedBytes();
  }

  /** Drops everything cached: for tests and measurements. */
  public void dropCaches() {
    nodes.invalidateAll();
    extents.invalidateAll();
  }

  /** The bytes of content that the caches hold now, nodes and extents. */
  public CacheLimits cached() {
    return new CacheLimits(weightOf(nodes), weightOf(extents));
  }

  private static long weightOf(Cache<BlockKey, byte[]> cache) {
    cache.cleanUp();
    return cache.policy().eviction().orElseThrow().weightedSize().orElseThrow();
  }

  /** Ends the writing threads. All writers were flushed or closed. */
  @Override
  public void close() {
    stagingWriter.close();
  }
}
