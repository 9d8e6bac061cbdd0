package io.cowfs.core.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.PreparedExtent.Pieces;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.memory.DirectBuffers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Extents that several threads compress, and those that are read in one run. */
@Timeout(120)
class PreparedExtentTest {
  private static final int EXTENT_BYTES = DataExtent.LOGICAL_BYTES_MAX;

  private final FaultInjectingDevice device = new FaultInjectingDevice(256L << 20);
  private final BlockStore store =
      new BlockStore(
          device,
          Repair.IN_PLACE,
          Allocator.create(device),
          new CacheLimits(1 << 20, 0),
          BlockStore.writingThreads());

  @AfterEach
  void close() {
    store.close();
  }

  /** Text-like, another one for each seed; in one piece or several. */
  private static ByteBuffer[] text(long seed) {
    ByteBuffer text = ByteBuffer.allocateDirect(EXTENT_BYTES);
    Random random = new Random(seed);
    while (text.hasRemaining()) {
      text.put((byte) (random.nextInt(3) == 0 ? 'a' + random.nextInt(20) : 'a' + seed % 20));
    }
    if (seed % 2 == 0) {
      return new ByteBuffer[] {text.flip()};
    }
    return new ByteBuffer[] {
      text.slice(0, 8_192), text.slice(8_192, 4_096), text.slice(12_288, EXTENT_BYTES - 12_288)
    };
  }

  private static byte[] bytes(ByteBuffer[] pieces) {
    ByteBuffer all = ByteBuffer.allocate(EXTENT_BYTES);
    for (ByteBuffer piece : pieces) {
      all.put(piece.duplicate());
    }
    return all.array();
  }

  private static ExtentPolicy policy(String compression, int copies) {
    return new ExtentPolicy(CompressionSetting.parse(compression), copies);
  }

  private List<DataExtent> write(int count, String compression, int copies) throws IOException {
    List<DataExtent> extents = new ArrayList<>();
    try (BlockWriter writer = store.openWriter(2)) {
      List<PreparedExtent> prepared = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        prepared.add(
            writer.prepareExtent(
                text(i), Pieces.STAY_UNTIL_FLUSHED, EXTENT_BYTES, policy(compression, copies)));
      }
      for (PreparedExtent each : prepared) {
        each.work();
        each.packed();
      }
      for (PreparedExtent each : prepared) {
        writer.writeExtent(each, extents::add);
      }
      writer.flush();
    }
    return extents;
  }

  private static void requireContent(int first, int count, ByteBuffer read) {
    for (int i = first; i < first + count; i++) {
      byte[] content = new byte[EXTENT_BYTES];
      read.get(content);
      assertArrayEquals(bytes(text(i)), content, "extent " + i);
    }
    assertFalse(read.hasRemaining());
  }

  @ParameterizedTest
  @ValueSource(strings = {"lz4", "zstd"})
  void eachIsStoredAsItWas(String compression) throws IOException {
    int count = 3 * BlockWriter.extentsAhead();
    List<DataExtent> extents = write(count, compression, 1);
    assertEquals(count, extents.size());
    for (int i = 0; i < count; i++) {
      assertFalse(extents.get(i).isPlain());
      assertArrayEquals(bytes(text(i)), store.readCompressed(extents.get(i)));
    }
  }

  @Test
  void theyMayBeWrittenWhileOthersAreCompressed() throws IOException {
    List<DataExtent> extents = new ArrayList<>();
    try (BlockWriter writer = store.openWriter(2)) {
      List<PreparedExtent> prepared = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        prepared.add(
            writer.prepareExtent(
                text(i), Pieces.STAY_UNTIL_FLUSHED, EXTENT_BYTES, policy("lz4", 1)));
        if (prepared.size() == BlockWriter.extentsAhead()) {
          writer.writeExtent(prepared.remove(0), extents::add);
        }
      }
      for (PreparedExtent each : prepared) {
        writer.writeExtent(each, extents::add);
      }
      writer.flush();
    }
    for (int i = 0; i < extents.size(); i++) {
      assertArrayEquals(bytes(text(i)), store.readCompressed(extents.get(i)), "extent " + i);
    }
  }

  /** In pieces of many sizes, some of which lie on whole sectors, some do not. */
  private static ByteBuffer[] noise(Random random) {
    List<ByteBuffer> pieces = new ArrayList<>();
    for (int left = EXTENT_BYTES; left > 0; ) {
      int bytes = Math.min(left, 4096 << random.nextInt(6));
      ByteBuffer piece =
          random.nextBoolean() ? DirectBuffers.aligned(bytes) : ByteBuffer.allocate(bytes);
      byte[] content = new byte[bytes];
      random.nextBytes(content);
      pieces.add(piece.put(content).flip());
      left -= bytes;
    }
    return pieces.toArray(ByteBuffer[]::new);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void plainOnesAreWrittenFromWhereTheyAreWhileTheyStay(int copies) throws IOException {
    Random random = new Random(copies);
    List<byte[]> expected = new ArrayList<>();
    List<DataExtent> extents = new ArrayList<>();
    try (BlockWriter writer = store.openWriter(2)) {
      for (int i = 0; i < 100; i++) {
        ByteBuffer[] pieces = noise(random);
        Pieces stay = Pieces.values()[i % 2];
        PreparedExtent extent =
            writer.prepareExtent(pieces, stay, EXTENT_BYTES, policy("none", copies));
        writer.writeExtent(extent, extents::add);
        expected.add(bytes(pieces));
        if (stay == Pieces.STAY_UNTIL_WRITTEN) {
          for (ByteBuffer piece : pieces) {
            piece.put(0, new byte[piece.limit()]);
          }
        }
      }
      writer.flush();
    }
    ByteBuffer read = ByteBuffer.allocate(EXTENT_BYTES);
    for (int i = 0; i < expected.size(); i++) {
      store.readPlain(List.of(extents.get(i)), read.clear());
      assertArrayEquals(expected.get(i), read.array(), "extent " + i);
    }
  }

  @Test
  void neighboursAreReadAtOnce() throws IOException {
    List<DataExtent> extents = write(6, "lz4", 1);
    ByteBuffer content = ByteBuffer.allocateDirect(4 * EXTENT_BYTES);
    long before = device.count(Operation.READ);
    store.readCompressed(extents.subList(1, 5), content);
    assertEquals(1, device.count(Operation.READ) - before);
    requireContent(1, 4, content.flip());

    ByteBuffer apart = ByteBuffer.allocate(2 * EXTENT_BYTES);
    store.readCompressed(List.of(extents.get(5), extents.get(4)), apart);
    requireContent(5, 1, apart.flip().slice(0, EXTENT_BYTES));
    requireContent(4, 1, apart.slice(EXTENT_BYTES, EXTENT_BYTES));
  }

  @Test
  void aDamagedOneIsFoundAmongItsNeighbours() throws IOException {
    List<DataExtent> extents = write(4, "lz4", 1);
    device.rot(extents.get(2).sector() * 4096 + 2_000, 3);
    ByteBuffer content = ByteBuffer.allocateDirect(4 * EXTENT_BYTES);
    CorruptBlockException damaged =
        assertThrows(
            CorruptBlockException.class, () -> store.readCompressed(extents, content.clear()));
    assertTrue(damaged.getMessage().contains("" + extents.get(2).sector()), damaged.getMessage());
  }

  @Test
  void aDamagedOneIsTakenFromItsCopy() throws IOException {
    List<DataExtent> extents = write(4, "lz4", 2);
    device.rot(extents.get(2).sector() * 4096 + 2_000, 3);
    ByteBuffer content = ByteBuffer.allocateDirect(4 * EXTENT_BYTES);
    store.readCompressed(extents, content);
    requireContent(0, 4, content.flip());
  }

  @Test
  void anErrorOfTheWholeRunIsNotThatOfEach() throws IOException {
    List<DataExtent> extents = write(4, "lz4", 1);
    device.failOnce(Operation.READ, 1, Fault.IO_ERROR);
    ByteBuffer content = ByteBuffer.allocateDirect(4 * EXTENT_BYTES);
    store.readCompressed(extents, content);
    requireContent(0, 4, content.flip());
  }
}
