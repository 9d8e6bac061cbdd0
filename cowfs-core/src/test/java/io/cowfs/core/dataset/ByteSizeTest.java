package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class ByteSizeTest {
  @Test
  void theExactTextIsReadBack() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 10_000; i++) {
      long bytes = (random.nextLong() >>> (1 + random.nextInt(62))) << random.nextInt(62);
      if (bytes > 0) {
        assertEquals(bytes, ByteSize.parse(ByteSize.exact(bytes)), "seed " + seed);
      }
    }
  }

  @Test
  void theExactTextIsShort() {
    assertEquals("1", ByteSize.exact(1));
    assertEquals("1K", ByteSize.exact(1024));
    assertEquals("1025", ByteSize.exact(1025));
    assertEquals("4E", ByteSize.exact(1L << 62));
    assertTrue(ByteSize.exact(Long.MAX_VALUE).endsWith("807"));
  }
}
