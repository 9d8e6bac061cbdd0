package io.cowfs.core.block;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import java.io.ByteArrayOutputStream;
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

/** Pieces of a file that are read together, wherever they are on the device. */
@Timeout(120)
class ExtentReaderTest {
  private static final long SEED = Long.getLong("cowfs.test.seed", 20_261_129);
  private static final int ROUNDS = 2_000;
  private static final int PIECES_MAX = 40;
  private static final int SECTORS = DataExtent.SECTORS_MAX;

  private final FaultInjectingDevice device = new FaultInjectingDevice(256L << 20);
  private final BlockStore store =
      new BlockStore(
          device,
          Repair.IN_PLACE,
          Allocator.create(device),
          new CacheLimits(1 << 20, 0),
          BlockStore.writingThreads());
  private final GoodCopy copies = new GoodCopy(device, Repair.IN_PLACE);
  private ExtentReader reader = new ExtentReader(store, copies);
  private final List<DataExtent> extents = new ArrayList<>();
  private final List<byte[]> contents = new ArrayList<>();

  @AfterEach
  void close() {
    store.close();
  }

  /** Writes extents, most of which are neighbours on the device. */
  private void write(int count, int copies) throws IOException {
    try (BlockWriter writer = store.openWriter(2)) {
      for (int i = 0; i < count; i++) {
        byte[] content = new byte[DataExtent.LOGICAL_BYTES_MAX];
        new Random(i).nextBytes(content);
        contents.add(content);
        ByteBuffer direct = ByteBuffer.allocateDirect(content.length).put(content).flip();
        writer.writeExtent(
            new ByteBuffer[] {direct},
            content.length,
            new ExtentPolicy(CompressionSetting.NONE, copies),
            extents::add);
      }
      writer.flush();
    }
    assertEquals(count, extents.size());
  }

  /** What is to be read, and what that is. */
  private final class Expected {
    private final List<DataExtent> pieces = new ArrayList<>();
    private final ByteArrayOutputStream content = new ByteArrayOutputStream();

    Expected with(int extent, int sector, int count) {
      boolean all = sector == 0 && count == SECTORS;
      pieces.add(all ? extents.get(extent) : extents.get(extent).slice(sector, count));
      content.write(contents.get(extent), sector * 4096, count * 4096);
      return this;
    }

    /** Returns how often the device was read. */
    long requireRead(boolean direct) throws IOException {
      int before = 100;
      int bytes = before + content.size();
      ByteBuffer target =
          direct ? ByteBuffer.allocateDirect(bytes + 50) : ByteBuffer.allocate(bytes + 50);
      target.position(before);
      long reads = device.count(Operation.READ);
      reader.readPlain(pieces, target);
      assertEquals(bytes, target.position());
      byte[] found = new byte[target.capacity()];
      target.get(0, found);
      byte[] all = new byte[found.length];
      System.arraycopy(content.toByteArray(), 0, all, before, content.size());
      assertArrayEquals(all, found);
      return device.count(Operation.READ) - reads;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 0})
  void piecesInAnyOrderComeBack(int buffers) throws IOException {
    reader = new ExtentReader(store, copies, buffers);
    write(24, 1);
    Random random = new Random(SEED);
    for (int round = 0; round < ROUNDS; round++) {
      Expected expected = new Expected();
      int at = random.nextInt(extents.size());
      for (int i = random.nextInt(PIECES_MAX); i >= 0; i--) {
        at = random.nextInt(4) == 0 ? random.nextInt(extents.size()) : at;
        int sector = random.nextInt(SECTORS);
        expected.with(at, sector, 1 + random.nextInt(Math.min(4, SECTORS - sector)));
      }
      try {
        expected.requireRead(random.nextBoolean());
      } catch (AssertionError | IOException failure) {
        throw new AssertionError("-Dcowfs.test.seed=" + SEED + ", round " + round, failure);
      }
    }
  }

  @Test
  void aFileThatWasOverwrittenAtRandomTakesFewReads() throws IOException {
    write(10, 1);
    Expected expected = new Expected();
    for (int i = 0; i < 8; i++) {
      for (int sector = 0; sector < SECTORS; sector += 4) {
        expected.with(i, sector, 3).with(8, i * 2 + sector / 16, 1);
      }
    }
    assertEquals(2, expected.requireRead(true));
  }

  @Test
  void whatLiesBetweenIsNotReadOverOtherPieces() throws IOException {
    write(20, 1);
    Expected expected = new Expected();
    expected.with(0, 0, 1).with(19, 1, 1).with(0, 2, 1).with(19, 3, 1);
    assertEquals(2, expected.requireRead(true));
  }

  @Test
  void damageBetweenThePiecesDoesNotMatter() throws IOException {
    write(1, 1);
    device.rot((extents.get(0).sector() + 1) * 4096 + 5, 2);
    new Expected().with(0, 0, 1).with(0, 2, 3).requireRead(true);
  }

  @Test
  void aRunThatCannotBeReadIsReadInPieces() throws IOException {
    write(20, 1);
    for (boolean direct : new boolean[] {true, false}) {
      device.failOnce(Operation.READ, 1, Fault.IO_ERROR);
      new Expected().with(0, 0, 2).with(0, 4, 2).with(0, 9, 1).requireRead(direct);
      device.failOnce(Operation.READ, 1, Fault.IO_ERROR);
      new Expected().with(0, 9, 2).with(0, 4, 2).with(19, 0, 1).requireRead(direct);
    }
  }

  @Test
  void whoFindsNoBufferReadsPieceByPiece() throws IOException {
    write(2, 1);
    reader = new ExtentReader(store, copies, 0);
    assertEquals(3, new Expected().with(0, 9, 2).with(0, 4, 2).with(0, 0, 1).requireRead(true));
    reader = new ExtentReader(store, copies, 1);
    for (int i = 0; i < 3; i++) { // It is given back.
      assertEquals(1, new Expected().with(0, 9, 2).with(0, 4, 2).with(0, 0, 1).requireRead(true));
    }
  }

  @Test
  void aDamagedPieceIsFoundOrTakenFromItsCopy() throws IOException {
    write(2, 2);
    device.rot((extents.get(0).sector() + 4) * 4096 + 5, 2);
    new Expected().with(1, 0, 2).with(0, 3, 2).with(0, 0, 2).requireRead(true);
    device.rot((extents.get(1).place(0) + 7) * 4096, 1);
    device.rot((extents.get(1).place(1) + 7) * 4096, 1);
    Expected lost = new Expected().with(0, 5, 1).with(1, 6, 2).with(1, 0, 2);
    CorruptBlockException damaged =
        assertThrows(CorruptBlockException.class, () -> lost.requireRead(true));
    assertTrue(
        damaged.getMessage().contains("sector " + (extents.get(1).sector() + 7)),
        damaged.getMessage());
  }
}
