package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.txg.DirtyLimit;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Writers wait when too much is dirty. */
@Timeout(60)
class ThrottleTest {
  private static final long LIMIT_BYTES = 8L << 20;
  private static final int WRITE_BYTES = 256 << 10;
  private static final int THREADS = 4;

  @TempDir Path directory;

  @Test
  void dirtyDataExceedsTheLimitByAtMostOneWritePerThread() throws Exception {
    DirtyLimit limit =
        new DirtyLimit(LIMIT_BYTES, LIMIT_BYTES / 4, 8L << 20, 100, 1L << 40, 3_600_000);
    try (TestPool pool = TestPool.create(directory, 256L << 20, CompressionSetting.NONE, limit)) {
      FileSystem fs = pool.fileSystem();
      ExecutorService threads = Executors.newFixedThreadPool(THREADS);
      List<Future<Long>> maxima = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        byte[] name = Model.bytes("f" + i);
        maxima.add(
            threads.submit(
                () -> {
                  FileSystem.Created file = fs.create(Caller.ROOT, 1, name, 0644, Set.of());
                  long max = 0;
                  for (int k = 0; k < 60; k++) {
                    ByteBuffer source = ByteBuffer.allocate(WRITE_BYTES);
                    fs.write(Caller.ROOT, file.handle(), (long) k * WRITE_BYTES, source, false);
                    max = Math.max(max, pool.pool().status().dirtyBytes());
                  }
                  fs.release(file.handle());
                  return max;
                }));
      }
      long max = 0;
      for (Future<Long> each : maxima) {
        max = Math.max(max, each.get());
      }
      threads.shutdown();
      System.out.println("at most " + (max >> 10) + " KiB dirty");
      assertTrue(max <= LIMIT_BYTES + THREADS * WRITE_BYTES, max + " bytes");
      pool.commit();
      assertEquals(0, pool.pool().status().dirtyBytes());
      pool.audit();
    }
  }
}
