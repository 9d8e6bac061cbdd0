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
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What nobody waits for becomes durable all the same, after a time. */
@Timeout(60)
class CommitIntervalTest {
  private static final int BYTES = 100_000;
  private static final int INTERVAL_MILLIS = 20;

  @TempDir Path directory;

  @Test
  void aChangeThatNobodyWaitsForSurvivesAPowerCut() throws Exception {
    DirtyLimit limit =
        new DirtyLimit(256L << 20, 64L << 20, 8L << 20, 100, 1L << 40, INTERVAL_MILLIS);
    try (TestPool pool = TestPool.create(directory, 64L << 20, CompressionSetting.NONE, limit)) {
      FileSystem fs = pool.fileSystem();
      awaitQuiet(pool);
      FileSystem.Created file = fs.create(Caller.ROOT, 1, Model.bytes("f"), 0644, Set.of());
      fs.write(Caller.ROOT, file.handle(), 0, ByteBuffer.allocate(BYTES), false);
      while (pool.pool().status().dirtyBytes() > 0) {
        Thread.sleep(5);
      }
      pool.crash(new Random(1));
      pool.open();
      assertEquals(BYTES, pool.fileSystem().lookup(1, Model.bytes("f")).size());
      pool.audit();
    }
  }

  /** They join between two commits, without one of their own. */
  @Test
  void openingOthersDoesNotPutItOff() throws Exception {
    int interval = 500;
    int others = 20;
    DirtyLimit limit = new DirtyLimit(256L << 20, 64L << 20, 8L << 20, 100, 1L << 40, interval);
    try (TestPool pool = TestPool.create(directory, 64L << 20, CompressionSetting.NONE, limit)) {
      FileSystem fs = pool.fileSystem();
      for (int i = 0; i < others; i++) {
        pool.pool().administration().createDataset("other" + i, Map.of());
      }
      pool.commit();
      long before = pool.pool().status().txg();
      fs.release(fs.create(Caller.ROOT, 1, Model.bytes("f"), 0644, Set.of()).handle());
      for (int i = 0; i < others; i++) {
        pool.pool().fileSystem("other" + i);
        Thread.sleep(interval / 4);
      }
      assertTrue(pool.pool().status().txg() > before, "nothing was committed meanwhile");
    }
  }

  /** Commits that only release space would take the change along. */
  private static void awaitQuiet(TestPool pool) throws Exception {
    long before;
    do {
      before = pool.pool().status().txg();
      Thread.sleep(10 * INTERVAL_MILLIS);
    } while (pool.pool().status().txg() != before);
  }

  @Test
  void theTimeIsUnderFiveSeconds() {
    assertTrue(DirtyLimit.DEFAULT.intervalMillis() < 5_000);
  }
}
