package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The compact table counts as an ordinary map does, while it grows and while entries leave. */
class ReferenceCountsTest {
  @Test
  void countsAsAMapDoes() {
    for (long seed = 1; seed <= 5; seed++) {
      check(seed);
    }
  }

  private static void check(long seed) {
    Random random = new Random(seed);
    int numbers = 1 << (4 + 3 * seed);
    ReferenceCounts counts = new ReferenceCounts();
    Map<Long, Long> model = new HashMap<>();
    for (int i = 0; i < 100_000; i++) {
      long inode = 1 + random.nextInt(numbers);
      if (random.nextInt(100) < (i / 20_000 % 2 == 0 ? 65 : 35)) {
        counts.add(inode);
        model.merge(inode, 1L, Long::sum);
      } else {
        long count = 1 + random.nextInt(3);
        long left = model.getOrDefault(inode, 0L) - count;
        assertEquals(left <= 0, counts.remove(inode, count), () -> "seed " + seed);
        if (left > 0) {
          model.put(inode, left);
        } else {
          model.remove(inode);
        }
      }
      long other = 1 + random.nextInt(numbers);
      assertEquals(model.containsKey(other), counts.contains(other), () -> "seed " + seed);
    }
    long[] held = counts.snapshot();
    Arrays.sort(held);
    assertArrayEquals(model.keySet().stream().mapToLong(n -> n).sorted().toArray(), held);
  }
}
