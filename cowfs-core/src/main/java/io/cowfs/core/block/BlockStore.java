package io.cowfs.core.block;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.MalformedDataException;
import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DeviceLayout;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.function.Supplier;

/**
 * Reads blocks and extents, verified, with bounded caches; opens writers. Thread-safe, without
 * locks of its own. Does not own the device or the allocator.
 */
public final class BlockStore implements Closeable {
  private static final int SECTOR_BYTES = DeviceLayout.SECTOR_BYTES;

  /** What a cache entry costs besides its content; roughly. */
  private static final int ENTRY_OVERHEAD_BYTES = 128;

  private final BlockDevice device;
  private final GoodCopy copies;
  private final ExtentReader extentReader;
  private final Supplier<ExecutorService> readers;
  private final Allocator allocator;
  private final Cache<BlockKey, byte[]> nodes;
  private final Cache<BlockKey, byte[]> extents;
  private final StagingWriter stagingWriter;
  private final Packer packer = new Packer();

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
    this.extentReader = new ExtentReader(this, copies);
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
   * sector is zero), and verifies them. What is close together on the device is read at once.
   *
   * @param destination gets all sectors of all extents; direct buffers save a copy. Its content is
   *     undefined after an error.
   * @throws CorruptBlockException when a sector does not match its checksum
   */
  public void readPlain(List<DataExtent> pieces, ByteBuffer destination) throws IOException {
    extentReader.readPlain(pieces, destination);
  }

  /**
   * Reads compressed extents one after the other into the buffer, and verifies them. What is close
   * together on the device is read at once; nothing is cached.
   *
   * @param destination gets their content; direct buffers save a copy. Its content is undefined
   *     after an error.
   * @throws CorruptBlockException when one does not match its checksum
   */
  public void readCompressed(List<DataExtent> extents, ByteBuffer destination) throws IOException {
    extentReader.readCompressed(extents, destination);
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

  void checkPlace(long sector, int bytes) throws CorruptBlockException {
    if (!isOnDevice(sector, bytes)) {
      throw new CorruptBlockException(place(sector) + " is not on the device");
    }
  }

  boolean isOnDevice(long sector, int bytes) {
    return sector >= DeviceLayout.DATA_FIRST_SECTOR
        && sector <= device.capacity() / SECTOR_BYTES
        && bytes <= device.capacity() - sector * SECTOR_BYTES;
  }

  CorruptBlockException mismatch(
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
