package io.cowfs.core.alloc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.device.DamagedPoolException;

/** Decodes lists of freed ranges. */
public final class DeferredFreesFuzz {
  private static final long CAPACITY_SECTORS = 1L << 28;

  private DeferredFreesFuzz() {}

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) throws DamagedPoolException {
    long[] ranges;
    try {
      ranges = DeferredFreesFormat.decode(input, CAPACITY_SECTORS, "pool");
    } catch (DamagedPoolException refused) {
      return;
    }
    long end = 0;
    for (long range : ranges) {
      assertTrue(PackedRange.sector(range) >= end && PackedRange.count(range) > 0);
      end = PackedRange.end(range);
      assertTrue(end <= CAPACITY_SECTORS);
    }
    byte[] again = DeferredFreesFormat.encode(ranges);
    assertArrayEquals(ranges, DeferredFreesFormat.decode(again, CAPACITY_SECTORS, "pool"));
  }

  /** Inputs to begin with. */
  public static byte[][] seeds() {
    return new byte[][] {
      DeferredFreesFormat.encode(
          new long[] {
            PackedRange.of(130, 1), PackedRange.of(200, 5_000), PackedRange.of(1 << 20, 1 << 19)
          })
    };
  }
}
