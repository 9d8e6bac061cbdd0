package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class ByteSizeTest {
  @Test
  void sizesAreReadInPowersOf1024() {
    assertEquals(1, ByteSize.parse("1"));
    assertEquals(4096, ByteSize.parse("4k"));
    assertEquals(512L << 20, ByteSize.parse("512M"));
    assertEquals(10L << 30, ByteSize.parse("10GiB"));
    assertEquals(3L << 29, ByteSize.parse("1.5G"));
    assertEquals(2L << 40, ByteSize.parse("2TB"));
    assertEquals(Long.MAX_VALUE, ByteSize.parse("9223372036854775807"));
  }

  @Test
  void whatIsNoSizeIsRefused() {
    for (String text :
        List.of(
            "", "0", "-1", "G", "1X", "1.G", "1e9", "0.1", "8E", "99999999999999999999", "1 G")) {
      assertThrows(IllegalArgumentException.class, () -> ByteSize.parse(text), text);
    }
  }

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
