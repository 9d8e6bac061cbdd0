package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was destroyed and is too damaged to be freed costs its space, and nothing else. */
final class DamagedDestructionTest {
  private static final String DOOMED = "root/doomed";

  @TempDir Path directory;

  @Test
  void aWriterIsRefusedWhereTheSpaceThatItWaitsForNeverComesBack() throws Exception {
    try (TestPool pool =
        TestPool.create(directory, 32L << 20, CompressionSetting.NONE, TestPool.RESTLESS)) {
      pool.pool().administration().createDataset(DOOMED, Map.of());
      fill(pool.pool().fileSystem(DOOMED), 4);
      pool.pool().closeFileSystem(DOOMED);
      pool.rot(pool.rootOf(DOOMED), 0, 3);
      pool.pool().auditSources().store().dropCaches();
      pool.pool().administration().destroyDataset(DOOMED, Scope.ONE, Mode.EXECUTE);

      FsException refused =
          assertTimeoutPreemptively(
              Duration.ofSeconds(60),
              () -> assertThrows(FsException.class, () -> fill(pool.fileSystem(), 64)));
      assertEquals(FsError.NO_SPACE, refused.error());
      assertTrue(pool.pool().status().destroyingBytes() >= 4 << 20, "it stays condemned");
      assertEquals("active", pool.pool().status().state());
    }
  }

  private static void fill(FileSystem fileSystem, int mebibytes) throws FsException {
    byte[] data = new byte[1 << 20];
    new Random(mebibytes).nextBytes(data);
    FileHandle file =
        fileSystem
            .create(Caller.ROOT, FileSystem.ROOT_INODE, "file".getBytes(UTF_8), 0644, Set.of())
            .handle();
    try {
      for (int i = 0; i < mebibytes; i++) {
        fileSystem.write(Caller.ROOT, file, (long) i << 20, ByteBuffer.wrap(data), false);
      }
    } finally {
      fileSystem.release(file);
    }
  }
}
