package io.cowfs.core.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.cowfs.core.alloc.AllocationKind;
import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.alloc.SectorRange;
import io.cowfs.core.alloc.SpaceStatus;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.device.HostFullException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class BlockStoreTest {
  private static final long SLOW_MS = 200;

  private final FaultInjectingDevice device = new FaultInjectingDevice(256L << 20);
  private final Allocator allocator = Allocator.create(device);
  private final BlockStore store =
      new BlockStore(
          device,
          Repair.IN_PLACE,
          allocator,
          new CacheLimits(1 << 20, 1 << 20),
          BlockStore.writingThreads());

  @AfterEach
  void close() {
    store.close();
  }

  private static byte[] content(int bytes, boolean compressible, long seed) {
    byte[] content = new byte[bytes];
    Random random = new Random(seed);
    if (!compressible) {
      random.nextBytes(content);
      return content;
    }
    for (int i = 0; i < bytes; i++) {
      content[i] = (byte) (i % 50 == 0 ? random.nextInt() : i % 50);
    }
    return content;
  }

  /** The content in direct buffers of random whole sectors. */
  private static ByteBuffer[] pieces(byte[] content, Random random) {
    List<ByteBuffer> pieces = new ArrayList<>();
    int at = 0;
    while (at < content.length) {
      int bytes = Math.min((1 + random.nextInt(8)) * 4096, (content.length - at + 4095) & -4096);
      ByteBuffer piece = ByteBuffer.allocateDirect(bytes);
      piece.put(0, content, at, Math.min(bytes, content.length - at));
      pieces.add(piece);
      at += bytes;
    }
    return pieces.toArray(ByteBuffer[]::new);
  }

  private List<DataExtent> write(BlockWriter writer, byte[] content, String setting)
      throws IOException {
    return write(writer, content, setting, 1);
  }

  private List<DataExtent> write(BlockWriter writer, byte[] content, String setting, int copies)
      throws IOException {
    List<DataExtent> extents = new ArrayList<>();
    writer.writeExtent(
        pieces(content, new Random(content.length)),
        content.length,
        new ExtentPolicy(CompressionSetting.parse(setting), copies),
        extents::add);
    return extents;
  }

  private byte[] read(List<DataExtent> extents) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(1 << 20);
    for (DataExtent extent : extents) {
      if (extent.isPlain()) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(extent.sectors() * 4096);
        store.readPlain(List.of(extent), buffer);
        assertFalse(buffer.hasRemaining());
        all.put(buffer.flip().limit(extent.logicalBytes()));
      } else {
        all.put(store.readCompressed(extent));
      }
    }
    return Arrays.copyOf(all.array(), all.position());
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "lz4", "zstd", "zstd-7"})
  void extentsOfAllSizesComeBack(String setting) throws IOException {
    List<byte[]> contents = new ArrayList<>();
    List<List<DataExtent>> written = new ArrayList<>();
    try (BlockWriter writer = store.openWriter(7)) {
      for (int bytes : new int[] {1, 100, 4096, 4097, 8192, 50_000, 131_071, 131_072}) {
        for (boolean compressible : new boolean[] {true, false}) {
          byte[] content = content(bytes, compressible, bytes);
          contents.add(content);
          List<DataExtent> extents = write(writer, content, setting);
          written.add(extents);
          assertEquals(1, extents.size());
          boolean worthIt = compressible && bytes > 4096 && !setting.equals("none");
          assertEquals(worthIt, !extents.get(0).isPlain(), bytes + " bytes");
          assertEquals(7, extents.get(0).birthTxg());
        }
      }
      writer.flush();
    }
    for (int i = 0; i < contents.size(); i++) {
      assertArrayEquals(contents.get(i), read(written.get(i)));
      for (DataExtent extent : written.get(i)) {
        byte[] value = DataExtentFormat.encode(extent);
        assertTrue(value.length < 200);
        assertEquals(extent, DataExtentFormat.decode(value));
      }
    }
  }

  @Test
  void blocksCanBeReadBeforeAndAfterTheyAreOnTheDevice() throws IOException {
    List<BlockPointer> pointers = new ArrayList<>();
    BlockWriter writer = store.openWriter(3);
    for (int i = 0; i < 500; i++) {
      BlockPointer pointer = writer.writeBlock(content(16_384, i % 2 == 0, i));
      assertEquals(i % 2 == 0, pointer.compression() == Compression.LZ4);
      pointers.add(pointer);
    }
    checkBlocks(pointers);
    store.dropCaches();
    checkBlocks(pointers);
    writer.flush();
    store.dropCaches();
    checkBlocks(pointers);
    assertTrue(store.cached().nodeBytes() <= 1 << 20, store.cached().toString());
  }

  private void checkBlocks(List<BlockPointer> pointers) throws IOException {
    for (int i = 0; i < pointers.size(); i++) {
      BlockPointer pointer = pointers.get(i);
      assertArrayEquals(content(16_384, i % 2 == 0, i), store.readBlock(pointer));
      ByteBuffer buffer = ByteBuffer.allocate(100);
      BlockPointerFormat.encode(pointer, buffer, 11);
      assertEquals(pointer, BlockPointerFormat.decode(buffer, 11));
    }
  }

  @Test
  void aFlushWaitsForWritesThatAreSlow() throws Exception {
    ExecutorService threads = Executors.newSingleThreadExecutor();
    CountDownLatch mayWrite = new CountDownLatch(1);
    threads.execute(
        () -> {
          try {
            mayWrite.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    try (BlockStore slow =
            new BlockStore(
                device, Repair.IN_PLACE, allocator, new CacheLimits(1 << 20, 1 << 20), threads);
        BlockWriter writer = slow.openWriter(1)) {
      writer.writeBlock(content(16_384, false, 1));
      assertEquals(0, device.count(Operation.WRITE));
      Executor later = CompletableFuture.delayedExecutor(SLOW_MS, TimeUnit.MILLISECONDS);
      later.execute(mayWrite::countDown);
      writer.flush();
      assertEquals(BlockPointer.COPIES, device.count(Operation.WRITE));
    }
  }

  @Test
  void everyFlippedBitIsFound() throws IOException {
    BlockWriter writer = store.openWriter(1);
    BlockPointer block = writer.writeBlock(content(16_384, true, 1));
    DataExtent compressed = write(writer, content(20_000, true, 2), "zstd").get(0);
    DataExtent plain = write(writer, content(12_000, false, 3), "none").get(0);
    writer.flush();
    for (int at = 0; at < block.storedBytes(); at++) {
      flipAndExpect(block.sector(), at, () -> store.readBlock(block.atPlace(0)));
    }
    for (int at = 0; at < compressed.storedBytes(); at++) {
      flipAndExpect(compressed.sector(), at, () -> store.readCompressed(compressed));
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect(plain.sectors() * 4096);
    for (int at = 0; at < plain.sectors() * 4096; at++) {
      flipAndExpect(plain.sector(), at, () -> store.readPlain(List.of(plain), buffer.clear()));
    }
  }

  private interface Read {
    void run() throws IOException;
  }

  private void flipAndExpect(long sector, int at, Read read) throws IOException {
    store.dropCaches();
    read.run();
    store.dropCaches();
    device.flipBit(sector * 4096 + at, at % 8);
    CorruptBlockException e = assertThrows(CorruptBlockException.class, read::run);
    assertTrue(e.getMessage().startsWith("memory: sector "), e.getMessage());
    device.flipBit(sector * 4096 + at, at % 8);
  }

  private void destroy(Reference reference, int place) throws IOException {
    byte[] garbage = content(reference.sectors() * 4096, false, place);
    device.write(ByteBuffer.wrap(garbage), reference.place(place) * 4096);
    store.dropCaches();
  }

  private byte[] stored(Reference reference, int place) throws IOException {
    byte[] stored = new byte[reference.sectors() * 4096];
    device.read(ByteBuffer.wrap(stored), reference.place(place) * 4096);
    return stored;
  }

  @Test
  void aBlockIsReadFromEitherPlaceAndTheOtherIsRepaired() throws IOException {
    byte[] content = content(16_384, true, 1);
    BlockWriter writer = store.openWriter(1);
    BlockPointer block = writer.writeBlock(content);
    writer.flush();
    assertEquals(2, block.places());
    byte[] good = stored(block, 0);
    assertArrayEquals(good, stored(block, 1));

    destroy(block, 0);
    assertArrayEquals(content, store.readBlock(block));
    assertArrayEquals(good, stored(block, 0));

    destroy(block, 1);
    assertArrayEquals(content, store.readBlock(block));
    try (MediumReader medium = store.openMediumReader()) {
      assertArrayEquals(content, medium.readBlock(block));
      assertArrayEquals(good, stored(block, 1));
      destroy(block, 0);
      destroy(block, 1);
      assertThrows(CorruptBlockException.class, () -> medium.readBlock(block));
    }
    assertThrows(CorruptBlockException.class, () -> store.readBlock(block));
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "lz4"})
  void dataIsReadFromAnyOfThreePlacesAndTheOthersAreRepaired(String setting) throws IOException {
    byte[] content = content(100_000, true, 1);
    BlockWriter writer = store.openWriter(1);
    List<DataExtent> extents = write(writer, content, setting, 3);
    writer.flush();
    assertEquals(1, extents.size());
    DataExtent extent = extents.get(0);
    assertEquals(3, extent.places());
    assertEquals(3 * extent.sectors(), extent.allocatedSectors());
    assertEquals(extent, DataExtentFormat.decode(DataExtentFormat.encode(extent)));
    byte[] good = stored(extent, 0);
    for (int whole = 0; whole < 3; whole++) {
      for (int place = 0; place < 3; place++) {
        if (place != whole) {
          destroy(extent, place);
        }
      }
      assertArrayEquals(content, read(extents));
      assertArrayEquals(good, stored(extent, 0));
      try (MediumReader medium = store.openMediumReader()) {
        medium.verify(extents, (bad, sectors, what) -> fail(what));
      }
      assertArrayEquals(good, stored(extent, 1));
      assertArrayEquals(good, stored(extent, 2));
    }
    for (int place = 0; place < 3; place++) {
      destroy(extent, place);
    }
    assertThrows(CorruptBlockException.class, () -> read(extents));
    List<DataExtent> damaged = new ArrayList<>();
    try (MediumReader medium = store.openMediumReader()) {
      medium.verify(extents, (bad, sectors, what) -> damaged.add(bad));
    }
    assertEquals(extents, damaged);
  }

  @Test
  void whereEachCopyHasAnotherBadSectorAllIsRead() throws IOException {
    byte[] content = content(131_072, false, 1);
    BlockWriter writer = store.openWriter(1);
    List<DataExtent> extents = write(writer, content, "none", 2);
    writer.flush();
    DataExtent extent = extents.get(0);
    destroy(extent.slice(0, 16), 0);
    destroy(extent.slice(16, 16), 1);
    DataExtent slice = extent.slice(10, 12);
    assertEquals(2, slice.places());
    ByteBuffer buffer = ByteBuffer.allocateDirect(12 * 4096);
    store.readPlain(List.of(slice), buffer);
    assertEquals(ByteBuffer.wrap(content, 10 * 4096, 12 * 4096), buffer.flip());
    assertArrayEquals(content, read(extents));
  }

  @Test
  void copiesOfPlainExtentsAreSplitWhereSpaceIsInPieces() throws IOException {
    List<SectorRange> ranges = new ArrayList<>();
    while (allocator.status().free() > allocator.status().reserve()) {
      ranges.add(allocator.allocate(1, 1, AllocationKind.DATA));
    }
    for (int i = 0; i < ranges.size(); i += i % 2 == 0 ? 1 : 3) {
      allocator.free(ranges.get(i).sector(), 1, 1);
    }
    allocator.takeChanges(1);
    allocator.beginTxg(4, Long.MAX_VALUE);
    long before = allocator.status().free();
    BlockWriter writer = store.openWriter(4);
    byte[] content = content(131_072, true, 5);
    for (String setting : List.of("none", "zstd")) {
      List<DataExtent> extents = write(writer, content, setting, 3);
      writer.flush();
      assertArrayEquals(content, read(extents));
      long taken = extents.stream().mapToLong(DataExtent::allocatedSectors).sum();
      assertEquals(before - taken, allocator.status().free(), setting);
      before -= taken;
    }
  }

  @Test
  void slicesAreReadWithoutTheRest() throws IOException {
    byte[] content = content(100_000, false, 4);
    BlockWriter writer = store.openWriter(1);
    DataExtent extent = write(writer, content, "none").get(0);
    writer.flush();
    DataExtent slice = extent.slice(3, 5).slice(1, 3);
    ByteBuffer buffer = ByteBuffer.allocateDirect(3 * 4096);
    store.readPlain(List.of(slice), buffer);
    assertEquals(ByteBuffer.wrap(content, 4 * 4096, 3 * 4096), buffer.flip());
    DataExtent tail = extent.slice(20, extent.sectors() - 20);
    assertEquals(100_000 - 20 * 4096, tail.logicalBytes());
    assertEquals(tail, DataExtentFormat.decode(DataExtentFormat.encode(tail)));
    assertEquals(9, slice.withBirthTxg(9).birthTxg());
    assertThrows(IllegalArgumentException.class, () -> extent.slice(20, 10));
  }

  @Test
  void adjacentExtentsAreReadAtOnce() throws IOException {
    BlockWriter writer = store.openWriter(1);
    List<DataExtent> extents = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      extents.addAll(write(writer, content(131_072, false, i), "none"));
    }
    writer.flush();
    assertTrue(device.count(Operation.WRITE) <= 2, device.count(Operation.WRITE) + " writes");
    ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
    long before = device.count(Operation.READ);
    store.readPlain(extents, buffer);
    assertEquals(before + 1, device.count(Operation.READ));
    for (int i = 0; i < 8; i++) {
      assertEquals(ByteBuffer.wrap(content(131_072, false, i)), buffer.slice(i * 131_072, 131_072));
    }
  }

  @Test
  void plainExtentsAreSplitWhereSpaceIsInPieces() throws IOException {
    List<SectorRange> ranges = new ArrayList<>();
    while (allocator.status().free() > allocator.status().reserve()) {
      ranges.add(allocator.allocate(1, 1, AllocationKind.DATA));
    }
    for (int i = 0; i < ranges.size(); i += 3) {
      allocator.free(ranges.get(i).sector(), 1, 1);
    }
    allocator.takeChanges(1);
    allocator.beginTxg(4, Long.MAX_VALUE);
    BlockWriter writer = store.openWriter(4);
    byte[] content = content(70_000, true, 5);
    List<DataExtent> extents = write(writer, content, "none");
    writer.flush();
    assertTrue(extents.size() > 1);
    assertArrayEquals(content, read(extents));
  }

  @Test
  void aReusedSectorIsNeverServedFromTheCache() throws IOException {
    BlockWriter writer = store.openWriter(1);
    BlockPointer first = writer.writeBlock(content(16_384, true, 1));
    writer.flush();
    BlockWriter later = store.openWriter(5);
    BlockPointer second = later.writeBlock(content(16_384, true, 2));
    later.flush();
    BlockPointer reused =
        new BlockPointer(
            first.sector(),
            second.logicalBytes(),
            second.storedBytes(),
            second.compression(),
            second.checksumAlgorithm(),
            second.checksum(),
            5);
    ByteBuffer bytes = ByteBuffer.allocate(second.storedBytes());
    device.read(bytes, second.sector() * 4096);
    device.write(bytes.flip(), first.sector() * 4096);
    assertArrayEquals(content(16_384, true, 2), store.readBlock(reused));
  }

  @Test
  void concurrentMissesReadOnce() throws Exception {
    BlockWriter writer = store.openWriter(1);
    BlockPointer pointer = writer.writeBlock(content(16_384, false, 1));
    writer.flush();
    store.dropCaches();
    long before = device.count(Operation.READ);
    ExecutorService threads = Executors.newFixedThreadPool(8);
    CountDownLatch start = new CountDownLatch(1);
    List<Future<byte[]>> results = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      results.add(
          threads.submit(
              () -> {
                start.await();
                return store.readBlock(pointer);
              }));
    }
    start.countDown();
    for (Future<byte[]> result : results) {
      assertSame(results.get(0).get(), result.get());
    }
    threads.shutdown();
    assertEquals(before + 1, device.count(Operation.READ));
  }

  @Test
  void aFailedWriteSurfacesAtTheFlushAndStays() throws IOException {
    device.failOnce(Operation.WRITE, 1, Fault.IO_ERROR);
    BlockWriter writer = store.openWriter(1);
    writer.writeBlock(content(16_384, false, 1));
    assertThrows(IOException.class, writer::flush);
    assertThrows(IOException.class, writer::flush);
    assertThrows(IOException.class, () -> writer.writeBlock(new byte[4096]));
  }

  @Test
  void manyFailedWritesDoNotExhaustTheBuffers() throws IOException {
    device.failFrom(Operation.WRITE, 1, Fault.HOST_FULL);
    for (int i = 0; i < 20; i++) {
      try (BlockWriter writer = store.openWriter(1)) {
        writer.writeBlock(content(16_384, false, i));
        write(writer, content(131_072, false, i), "none");
        if (i % 2 == 0) {
          assertThrows(HostFullException.class, writer::flush);
        }
      }
    }
    device.failNoMore(Operation.WRITE);
    BlockWriter writer = store.openWriter(1);
    List<DataExtent> extents = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      extents.addAll(write(writer, content(131_072, false, i), "none"));
    }
    writer.flush();
    assertArrayEquals(content(131_072, false, 399), read(extents.subList(399, 400)));
  }

  @Test
  void aFailedReadIsNotCached() throws IOException {
    BlockWriter writer = store.openWriter(1);
    BlockPointer pointer = writer.writeBlock(content(16_384, false, 1)).atPlace(0);
    writer.flush();
    store.dropCaches();
    device.failOnce(Operation.READ, 1, Fault.IO_ERROR);
    assertThrows(IOException.class, () -> store.readBlock(pointer));
    assertArrayEquals(content(16_384, false, 1), store.readBlock(pointer));
  }

  @Test
  void whereAllSpaceIsPromisedABlockHasOnePlace() throws IOException {
    SpaceStatus status = allocator.status();
    long promised = status.free() - status.reserve() / 4;
    assertTrue(allocator.tryReserve(promised, ReserveTier.DESTROY));
    BlockWriter writer = store.openWriter(1);
    BlockPointer once = writer.writeBlock(content(16_384, false, 1));
    allocator.unreserve(promised);
    BlockPointer twice = writer.writeBlock(content(16_384, false, 2));
    writer.flush();
    store.dropCaches();
    assertEquals(1, once.places());
    assertEquals(1, allocator.nodesWithoutCopy());
    assertEquals(2, twice.places());
    assertArrayEquals(content(16_384, false, 1), store.readBlock(once));
    assertArrayEquals(content(16_384, false, 2), store.readBlock(twice));
  }

  @Test
  void copiesThatOverlapAreRefused() {
    int sectors = 4;
    for (long second : new long[] {5, 1000 - sectors + 1, 1000, 1000 + sectors - 1, 1L << 41}) {
      BlockPointer pointer =
          new BlockPointer(
              1000, second, 16_384, 16_384, Compression.NONE, BlockWriter.BLOCK_CHECKSUM, 7, 5);
      ByteBuffer buffer = ByteBuffer.allocate(BlockPointerFormat.BYTES);
      BlockPointerFormat.encode(pointer, buffer, 0);
      assertThrows(CorruptBlockException.class, () -> BlockPointerFormat.decode(buffer, 0));
      DataExtent extent = DataExtent.plain(1000, 16_384, 5, new int[4]);
      for (DataExtent bad :
          List.of(
              extent.withCopies(second), extent.withCopies(2000, second == 1000 ? 2003 : second))) {
        byte[] value = DataExtentFormat.encode(bad);
        assertThrows(CorruptBlockException.class, () -> DataExtentFormat.decode(value));
      }
    }
    byte[] four = DataExtentFormat.encode(DataExtent.plain(1000, 4096, 5, new int[1]));
    byte[] tooMany = Arrays.copyOf(four, four.length + 3 * Long.BYTES);
    assertThrows(CorruptBlockException.class, () -> DataExtentFormat.decode(tooMany));
    byte[] cut = Arrays.copyOf(four, four.length + 3);
    assertThrows(CorruptBlockException.class, () -> DataExtentFormat.decode(cut));
  }

  @Test
  void pointersOutsideOfTheDeviceAreCorrupt() {
    DataExtent extent = DataExtent.plain(1L << 39, 4096, 1, new int[1]);
    assertThrows(
        CorruptBlockException.class,
        () -> store.readPlain(List.of(extent), ByteBuffer.allocate(4096)));
  }

  @Test
  void damagedFormatsAreRefusedOrDecodedNeverMore() {
    long seed = Long.getLong("cowfs.seed", System.nanoTime());
    System.out.println("BlockStoreTest seed " + seed);
    Random random = new Random(seed);
    byte[] plain = DataExtentFormat.encode(DataExtent.plain(1000, 131_072, 5, new int[32]));
    byte[] compressed =
        DataExtentFormat.encode(
            DataExtent.compressed(
                1000, 131_072, 50_000, Compression.LZ4, BlockWriter.BLOCK_CHECKSUM, 7, 5));
    byte[] pointer = new byte[BlockPointerFormat.BYTES];
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] good = random.nextBoolean() ? plain : compressed;
      byte[] bad = Arrays.copyOf(good, random.nextInt(10) == 0 ? random.nextInt(200) : good.length);
      if (bad.length > 0) {
        bad[random.nextInt(Math.min(26, bad.length))] = (byte) random.nextInt();
      }
      random.nextBytes(pointer);
      try {
        DataExtent decoded = DataExtentFormat.decode(bad);
        assertBounded(decoded.storedBytes(), decoded.logicalBytes(), DataExtent.LOGICAL_BYTES_MAX);
      } catch (CorruptBlockException e) {
        refused++;
      }
      try {
        BlockPointer decoded = BlockPointerFormat.decode(ByteBuffer.wrap(pointer), 0);
        assertBounded(
            decoded.storedBytes(), decoded.logicalBytes(), BlockPointerFormat.LOGICAL_BYTES_MAX);
      } catch (CorruptBlockException e) {
        refused++;
      }
    }
    assertTrue(refused > 20_000);
  }

  /** As much is allocated to read it. */
  private static void assertBounded(int storedBytes, int logicalBytes, int bytesMax) {
    assertTrue(
        0 < storedBytes && storedBytes <= logicalBytes && logicalBytes <= bytesMax,
        () -> storedBytes + " bytes stored of " + logicalBytes);
  }

  /** A commit would wait for ever for a thread that never comes. */
  @Test
  void whatNoThreadTakesIsWrittenByWhoeverHandsItIn() throws IOException {
    ExecutorService none = BlockStore.writingThreads();
    none.shutdown();
    byte[] content = content(100 << 10, false, 5);
    List<DataExtent> extents;
    try (BlockStore alone =
            new BlockStore(
                device, Repair.IN_PLACE, allocator, new CacheLimits(1 << 20, 1 << 20), none);
        BlockWriter writer = alone.openWriter(2)) {
      extents = write(writer, content, "none");
      writer.flush();
    }
    assertArrayEquals(content, read(extents));
  }

  @Test
  void theDeviceStoresWhatItHasWhileMoreIsWritten() throws IOException {
    AtomicInteger syncs = new AtomicInteger();
    device.beforeSync(syncs::incrementAndGet);
    byte[] content = content(128 << 10, false, 6);
    try (BlockWriter writer = store.openWriter(2)) {
      for (int i = 0; i < 400; i++) {
        write(writer, content, "none");
      }
      writer.flush();
    }
    assertTrue(syncs.get() > 0, "50 MiB and no sync");
  }
}
