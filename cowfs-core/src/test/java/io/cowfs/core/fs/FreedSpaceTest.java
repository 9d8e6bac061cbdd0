package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Freed space is not used again while one of the two states before the newest reaches it. */
class FreedSpaceTest {
  private static final long SEED = Long.getLong("cowfs.test.seed", 20_261_127);

  /** So much that a third state that is kept does not leave room for a new one. */
  private static final int FILE_BYTES = 4 << 20;

  /** What is used too early is not always written over before the power fails. */
  private static final int CRASHES = 30;

  @TempDir Path directory;

  @Test
  void crashWhileSpaceIsScarceLeavesTheTwoStatesBeforeWhole() throws Exception {
    crashWhileOverwriting(FILE_BYTES, FILE_BYTES);
  }

  /** There is always room, but what was freed last often comes next. */
  @Test
  void crashWhileSpaceIsInPiecesLeavesTheTwoStatesBeforeWhole() throws Exception {
    crashWhileOverwriting(FILE_BYTES / 16, FILE_BYTES / 2);
  }

  private void crashWhileOverwriting(int bytesMin, int bytesMax) throws Exception {
    System.out.println("seed " + SEED);
    Random random = new Random(SEED);
    try (TestPool pool =
        TestPool.create(directory, 16L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND)) {
      FileSystem.Created created =
          pool.fileSystem().create(Caller.ROOT, 1, Model.bytes("file"), 0644, Set.of());
      pool.fileSystem().release(created.handle());
      for (int crash = 0; crash < CRASHES; crash++) {
        FileSystem fs = pool.fileSystem();
        int commits = 4 + random.nextInt(4);
        for (int i = 0; i < commits; i++) {
          overwrite(
              fs,
              created.attributes().inode(),
              bytesMin + random.nextInt(bytesMax - bytesMin + 1),
              random);
          pool.commit();
          pool.remember();
        }
        overwrite(
            fs,
            created.attributes().inode(),
            bytesMin + random.nextInt(bytesMax - bytesMin + 1),
            random);
        pool.device().failFrom(Operation.SYNC, 1, Fault.IO_ERROR);
        assertThrows(java.io.IOException.class, pool::commit);
        pool.crash(random);
        pool.open();
        pool.auditAsFound();
      }
    }
  }

  /** Nobody may open the file system again for long. */
  @Test
  void whatIsReleasedLastIsFreedWhenTheFileSystemIsClosed() throws Exception {
    try (TestPool pool =
        TestPool.create(directory, 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND)) {
      pool.pool().administration().createDataset("other", Map.of());
      FileSystem fs = pool.pool().fileSystem("other");
      FileSystem.Created created =
          fs.create(Caller.ROOT, 1, Model.bytes("file"), 0644, Set.of(OpenFlags.WRITE));
      fs.write(Caller.ROOT, created.handle(), 0, ByteBuffer.allocate(FILE_BYTES), false);
      fs.unlink(1, Model.bytes("file"));
      pool.commit();
      long before = usedBytes(pool);
      fs.release(created.handle());
      fs.forget(created.attributes().inode(), 1);
      pool.pool().closeFileSystem("other");
      long freed = before - usedBytes(pool);
      assertTrue(freed >= FILE_BYTES, () -> freed + " bytes are freed");
    }
  }

  private static long usedBytes(TestPool pool) {
    return pool.pool().status().allocatedBytes() - pool.pool().status().freeingBytes();
  }

  private static void overwrite(FileSystem fs, long inode, int length, Random random)
      throws FsException {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    FileHandle handle = fs.open(inode, Set.of(OpenFlags.WRITE));
    fs.write(Caller.ROOT, handle, 0, ByteBuffer.wrap(bytes), false);
    fs.release(handle);
  }
}
