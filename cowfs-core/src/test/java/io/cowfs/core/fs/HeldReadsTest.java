package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a scrub reads cannot be used again meanwhile. */
class HeldReadsTest {
  @TempDir Path directory;

  @Test
  void aScrubHoldsAllThatItReads() throws Exception {
    try (TestPool pool =
        TestPool.create(directory, 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND)) {
      FileSystem fs = pool.fileSystem();
      FileHandle file = fs.create(Caller.ROOT, 1, Model.bytes("f"), 0644, Set.of()).handle();
      fs.write(Caller.ROOT, file, 0, ByteBuffer.allocate(300_000), false);
      pool.snapshot("s");
      fs.write(Caller.ROOT, file, 0, ByteBuffer.allocate(200_000), false);
      pool.commit();
      ReadPins pins = ((Volume) fs).services().txgs().readPins();
      AtomicInteger reads = new AtomicInteger();
      AtomicInteger unheld = new AtomicInteger();
      pool.device()
          .onMediumReads(
              () -> {
                reads.incrementAndGet();
                unheld.addAndGet(pins.oldestPinnedTxg() == Long.MAX_VALUE ? 1 : 0);
              });
      pool.pool().scrub().start();
      assertEquals(List.of(), pool.pool().scrub().await(Duration.ofMinutes(2)).findings());
      assertTrue(reads.get() > 3, reads::toString);
      assertEquals(0, unheld.get(), "of " + reads + " reads");
      assertEquals(Long.MAX_VALUE, pins.oldestPinnedTxg());
    }
  }
}
