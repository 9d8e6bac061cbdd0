package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A txg may change very many ranges that lie close together. */
final class SharedRangesSpeedTest {
  private static final int RANGES = 100_000;

  @Test
  void eachChangeCostsTheSameHoweverManyTheTxgMadeBefore() {
    SharedRanges shared = new SharedRanges((sector, end, visitor) -> {}, 0, 0);
    long[] freed = {0};
    assertTimeout(
        Duration.ofSeconds(20),
        () -> {
          for (int i = 0; i < RANGES; i++) {
            shared.increment(1000 + 2L * i, 1);
          }
          // What dies from left to right leaves nothing behind but ranges that are gone.
          for (int i = 0; i < RANGES; i++) {
            shared.decrement(1000 + 2L * i, 1, (sector, sectors) -> freed[0] += sectors);
          }
        });
    assertEquals(0, freed[0]);
    assertEquals(0, shared.savedSectors());
  }
}
