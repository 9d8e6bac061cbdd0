package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.device.DamagedPoolException;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.scrub.ScrubStatus;
import io.cowfs.core.scrub.SpaceAudit;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The index of a pool is made anew, from the newest root record that leads to something whole. */
final class IndexRecoveryTest {
  private static final int SECTOR_BYTES = 4096;
  private static final int RING_SLOTS = 128;

  @TempDir private Path directory;
  private TestPool pool;

  /** Of the last commit, which the file "new" came with; the one before has all others. */
  private long newestTxg;

  private BlockPointer newestDirectory;

  @BeforeEach
  void fillAndClose() throws Exception {
    pool = TestPool.create(directory, 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND);
    for (int i = 0; i < 20; i++) {
      write("file" + i);
      pool.snapshot("s" + i);
    }
    pool.destroySnapshot("s3");
    pool.rollback("s5");
    write("old");
    write("new");
    newestTxg = pool.pool().status().txg();
    newestDirectory = pool.pool().auditSources().directoryRoot();
    pool.close();
    pool.open();
    assertEquals(newestTxg, pool.pool().status().txg(), "closing commits nothing");
    pool.close();
  }

  @AfterEach
  void close() throws Exception {
    pool.close();
  }

  @Test
  void aLostIndexComesBackAsItWas() throws Exception {
    Files.delete(index());
    DamagedPoolException refused = assertThrows(DamagedPoolException.class, pool::open);
    assertTrue(
        refused.getMessage().contains("cowfs check --rebuild-index " + directory),
        refused.getMessage());

    IndexRecovery.Result result = pool.rebuildIndex();
    assertEquals(newestTxg, result.txg());
    assertEquals(List.of(), result.passedOver());
    assertNull(result.damagedIndex());
    pool.open();
    assertEquals(newestTxg, pool.pool().status().txg());
    pool.auditAsFound();
    requireFile("new");
    goOn();
  }

  @Test
  void aStaleIndexIsReplaced() throws Exception {
    Path copy = directory.resolve("copy");
    Files.copy(index(), copy);
    pool.open();
    write("newer");
    pool.close();
    Files.copy(copy, index(), StandardCopyOption.REPLACE_EXISTING);
    DamagedPoolException refused = assertThrows(DamagedPoolException.class, pool::open);
    assertTrue(refused.getMessage().contains("--rebuild-index"), refused.getMessage());

    IndexRecovery.Result result = pool.rebuildIndex();
    assertArrayEquals(Files.readAllBytes(copy), Files.readAllBytes(result.damagedIndex()));
    pool.open();
    pool.auditAsFound();
    requireFile("newer");
    goOn();
  }

  @Test
  void whereTheNewestRootIsDamagedTheOneBeforeIsUsed() throws Exception {
    Files.write(index(), new byte[10_000]);
    pool.rot(newestDirectory, 100, 2);
    requireOneLost();
  }

  @Test
  void oneCopyOfEachNodeIsEnough() throws Exception {
    pool.open();
    SpaceAudit.Sources now = pool.sources();
    List<BlockPointer> nodes = new ArrayList<>(List.of(newestDirectory));
    for (NodeRecord node : now.nodes()) {
      new Tree(node.root().orElse(null), now.store()::readBlock)
          .walk(
              -1,
              new NodeVisitor() {
                @Override
                public void item(Key key, byte[] source, int offset, int length) {}

                @Override
                public void node(BlockPointer pointer, int level) {
                  nodes.add(pointer);
                }
              });
    }
    pool.close();
    Files.write(index(), new byte[10_000]);
    int turn = 0;
    for (BlockPointer node : Set.copyOf(nodes)) {
      assertEquals(BlockPointer.COPIES, node.places());
      pool.rot(node.atPlace(turn++ % 2), 100, 2);
    }
    assertEquals(newestTxg, pool.rebuildIndex().txg());
    pool.open();
    requireFile("new");
    pool.pool().scrub().start();
    ScrubStatus scrubbed = pool.pool().scrub().await(Duration.ofMinutes(1));
    assertEquals(List.of(), scrubbed.findings());
    pool.audit();
  }

  @Test
  void whereTheNewestRecordIsDamagedTheOneBeforeIsUsed() throws Exception {
    Files.write(index(), new byte[10_000]);
    pool.device().flipBit((2 + newestTxg % RING_SLOTS) * SECTOR_BYTES + 30, 2);
    requireOneLost();
  }

  @Test
  void aLostIndexDirectoryComesBack() throws Exception {
    try (Stream<Path> files = Files.list(index().getParent())) {
      for (Path each : files.toList()) {
        Files.delete(each);
      }
    }
    Files.delete(index().getParent());
    DamagedPoolException refused = assertThrows(DamagedPoolException.class, pool::open);
    assertTrue(refused.getMessage().contains("--rebuild-index"), refused.getMessage());
    assertEquals(newestTxg, pool.rebuildIndex().txg());
    pool.open();
    pool.auditAsFound();
    requireFile("new");
  }

  /** Power fails while the ring is mended: the new index is in place, its record may be lost. */
  @Test
  void aCrashBeforeTheRingIsMendedLeavesAPoolThatOpens() throws Exception {
    pool.rot(newestDirectory, 100, 2);
    pool.setFaults(device -> device.failOnce(Operation.SYNC, 1, Fault.IO_ERROR));
    assertThrows(IOException.class, pool::rebuildIndex);
    FaultInjectingDevice cutOff = pool.device();
    assertEquals(1, cutOff.unsyncedWrites(), "the record of the new commit");
    pool.setFaults(device -> {});
    byte[] made = Files.readAllBytes(index());
    for (int seed = 0; seed < 8; seed++) {
      Files.write(index(), made);
      pool.setDevice(cutOff.crash(new Random(seed)));
      pool.open();
      assertEquals(newestTxg + 1, pool.pool().status().txg());
      assertEquals(List.of(), pool.pool().auditNow());
      requireFile("old");
      goOn();
    }
  }

  /** Before the new index is in place, the old one is. */
  @Test
  void aNewIndexThatCannotBeWrittenLeavesTheOldOne() throws Exception {
    byte[] old = Files.readAllBytes(index());
    pool.setFaults(device -> device.failFrom(Operation.READ, 5, Fault.IO_ERROR));
    assertThrows(IOException.class, pool::rebuildIndex);
    pool.setFaults(device -> {});
    assertArrayEquals(old, Files.readAllBytes(index()));
    pool.open();
    pool.auditAsFound();
    requireFile("new");
  }

  /** The index is whole: nothing is lost. */
  @Test
  void aDamagedRecordIsMended() throws Exception {
    requireMended(newestTxg - 3);
  }

  /** Here the index still has the commit. */
  @Test
  void theNewestRecordIsMended() throws Exception {
    requireMended(newestTxg);
  }

  private void requireMended(long txg) throws Exception {
    pool.device().flipBit((2 + txg % RING_SLOTS) * SECTOR_BYTES + 30, 2);
    DamagedPoolException refused = assertThrows(DamagedPoolException.class, pool::open);
    assertTrue(refused.getMessage().contains("--rebuild-index"), refused.getMessage());
    IndexRecovery.Result result = pool.rebuildIndex();
    assertEquals(newestTxg, result.txg());
    assertEquals(List.of(), result.passedOver());
    pool.open();
    assertEquals(newestTxg, pool.pool().status().txg());
    pool.auditAsFound();
    requireFile("new");
    goOn();
  }

  /** As a crash leaves it after a commit: the index has it, and its record was not durable. */
  @Test
  void aCommitWithoutItsRecordIsKept() throws Exception {
    pool.open();
    write("newer");
    pool.close();
    pool.open();
    long last = pool.pool().status().txg();
    pool.close();
    assertTrue(last < RING_SLOTS, "its slot was empty before");
    FaultInjectingDevice cutOff = pool.device().reopen();
    cutOff.write(ByteBuffer.allocate(SECTOR_BYTES), (2 + last) * SECTOR_BYTES);
    pool.setDevice(cutOff);

    IndexRecovery.Result result = pool.rebuildIndex();
    assertEquals(last, result.txg());
    assertEquals(List.of(), result.passedOver());
    pool.open();
    assertEquals(last, pool.pool().status().txg());
    pool.auditAsFound();
    requireFile("newer");
  }

  @Test
  void whereNoRootIsWholeNothingIsChanged() throws Exception {
    byte[] noise = "noise".getBytes(UTF_8);
    Files.write(index(), noise);
    for (int slot = 0; slot < RING_SLOTS; slot++) {
      pool.device().flipBit((2L + slot) * SECTOR_BYTES + 30, 2);
    }
    assertThrows(DamagedPoolException.class, pool::rebuildIndex);
    assertArrayEquals(noise, Files.readAllBytes(index()));
  }

  private void requireOneLost() throws Exception {
    IndexRecovery.Result result = pool.rebuildIndex();
    assertTrue(result.txg() < newestTxg, result::toString);
    assertEquals(1, result.passedOver().size(), result::toString);
    assertNotNull(result.damagedIndex());
    pool.open();
    pool.auditAsFound();
    requireFile("old");
    goOn();
    // The next time, too.
    Files.delete(index());
    assertEquals(List.of(), pool.rebuildIndex().passedOver());
    pool.open();
    pool.audit();
    requireFile("old");
    requireFile("after");
  }

  /** It can be written to, and opened again. */
  private void goOn() throws Exception {
    write("after");
    pool.snapshot("after");
    pool.destroySnapshot("s8");
    pool.audit();
    pool.reopen();
    pool.auditAsFound();
    requireFile("after");
    pool.close();
  }

  private Path index() {
    return directory.resolve("index/data.mdb");
  }

  /** Commits. */
  private void write(String name) throws Exception {
    FileSystem files = pool.fileSystem();
    FileHandle file =
        files
            .create(Caller.ROOT, FileSystem.ROOT_INODE, name.getBytes(UTF_8), 0644, Set.of())
            .handle();
    byte[] content = name.repeat(9_000).getBytes(UTF_8);
    files.write(Caller.ROOT, file, 0, ByteBuffer.wrap(content), false);
    files.release(file);
    pool.pool().sync();
  }

  private void requireFile(String name) throws Exception {
    assertEquals(
        name.length() * 9_000L,
        pool.fileSystem().lookup(FileSystem.ROOT_INODE, name.getBytes(UTF_8)).size());
  }
}
