package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.device.PoolLabel;
import io.cowfs.core.device.UnsupportedFormatException;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pool with features of a later version is read where that is possible, and never changed. */
final class FeaturesTest {
  private static final byte[] NAME = "file".getBytes(UTF_8);
  private static final byte[] CONTENT = "content".repeat(20_000).getBytes(UTF_8);

  @TempDir private Path directory;
  private TestPool pool;

  @BeforeEach
  void fillAndClose() throws Exception {
    pool = TestPool.create(directory, 64L << 20, CompressionSetting.LZ4, TestPool.ON_DEMAND);
    FileSystem files = pool.fileSystem();
    FileHandle file =
        files.create(Caller.ROOT, FileSystem.ROOT_INODE, NAME, 0644, Set.of()).handle();
    files.write(Caller.ROOT, file, 0, ByteBuffer.wrap(CONTENT), false);
    files.release(file);
    pool.snapshot("s");
    pool.close();
  }

  @AfterEach
  void close() throws Exception {
    pool.close();
  }

  private void setFeatures(long toRead, long toWrite) throws IOException {
    FaultInjectingDevice device = pool.device().reopen();
    PoolLabel label = PoolLabel.read(device);
    new PoolLabel(
            label.uuid(),
            label.capacityBytes(),
            label.createdMillis(),
            label.compressionId(),
            label.compressionLevel(),
            label.dataChecksumId(),
            label.blockChecksumId(),
            toRead,
            toWrite,
            label.logSectors(),
            PoolLabel.NO_MEMBER)
        .write(device);
    pool.setDevice(device);
  }

  @Test
  void whatTakesUnknownFeaturesToReadIsRefused() throws Exception {
    setFeatures(1L << 3 | 1L << 63, 0);
    IOException refused = assertThrows(UnsupportedFormatException.class, pool::open);
    assertTrue(refused.getMessage().endsWith("bits 3, 63"), refused.getMessage());
    assertThrows(UnsupportedFormatException.class, pool::rebuildIndex);
    assertThrows(UnsupportedFormatException.class, pool::rootRecords);
  }

  @Test
  void whatTakesUnknownFeaturesToWriteIsReadAndNotChanged() throws Exception {
    setFeatures(0, 1L << 5);
    byte[] index = Files.readAllBytes(directory.resolve("index/data.mdb"));
    pool.open();
    assertEquals(2, pool.pool().list().size());
    FileSystem files = pool.fileSystem();
    long inode = files.lookup(FileSystem.ROOT_INODE, NAME).inode();
    FileHandle file = files.open(inode, Set.of());
    ByteBuffer read = ByteBuffer.allocate(CONTENT.length);
    assertEquals(CONTENT.length, files.read(file, 0, CONTENT.length, read));
    assertArrayEquals(CONTENT, read.array());
    FsException change =
        assertThrows(
            FsException.class,
            () -> files.write(Caller.ROOT, file, 0, ByteBuffer.wrap(CONTENT), false));
    assertEquals(FsError.READ_ONLY, change.error());
    assertThrows(FsException.class, () -> files.unlink(FileSystem.ROOT_INODE, NAME));
    files.release(file);
    files.forget(inode, 1);

    for (IOException refused :
        List.of(
            assertThrows(IOException.class, () -> pool.snapshot("new")),
            assertThrows(IOException.class, () -> pool.rollback("s")),
            assertThrows(IOException.class, () -> pool.pool().scrub().start()),
            assertThrows(IOException.class, () -> pool.pool().requireWritable()))) {
      assertTrue(refused.getMessage().endsWith("bit 5"), refused.getMessage());
    }
    assertTrue(pool.pool().status().state().startsWith("read-only: "));
    pool.pool().startHousekeeping(() -> {});
    assertEquals(List.of(), pool.pool().audit());
    pool.pool().sync();
    pool.close();

    FaultInjectingDevice device = pool.device();
    assertEquals(0, device.count(Operation.WRITE) + device.count(Operation.PUNCH));
    assertArrayEquals(index, Files.readAllBytes(directory.resolve("index/data.mdb")));
    assertThrows(UnsupportedFormatException.class, pool::rebuildIndex);
    List<Rewind.Commit> commits = pool.rootRecords();
    long older = commits.get(1).txg();
    assertThrows(UnsupportedFormatException.class, () -> pool.rewind(older, Rewind.Mode.EXECUTE));
    assertEquals(0, pool.device().count(Operation.WRITE));
    assertArrayEquals(index, Files.readAllBytes(directory.resolve("index/data.mdb")));

    setFeatures(0, 0);
    pool.open();
    pool.snapshot("new");
    pool.audit();
  }
}
