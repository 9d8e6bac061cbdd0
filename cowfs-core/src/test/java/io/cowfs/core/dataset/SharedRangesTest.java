package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random clones and deaths of ranges, compared with an array of counts. */
final class SharedRangesTest {
  private static final int SECTORS = 300;
  private static final int STEPS = 30_000;

  /** What is committed. */
  private final TreeMap<Long, SharedRange> index = new TreeMap<>();

  private final int[] counts = new int[SECTORS];
  private final int[] committedCounts = new int[SECTORS];
  private SharedRanges shared = new SharedRanges(this::overlapping, 0, 0);
  private Random random;

  private void overlapping(long sector, long end, SharedRanges.Visitor visitor) throws IOException {
    for (SharedRange range : index.values()) {
      if (range.sector() < end && range.end() > sector) {
        visitor.range(range);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 0})
  void agreesWithAnArrayOfCounts(long fixed) throws IOException {
    long seed = fixed == 0 ? System.nanoTime() : fixed;
    random = new Random(seed);
    try {
      for (int step = 0; step < STEPS; step++) {
        step();
      }
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  private void step() throws IOException {
    int first = random.nextInt(SECTORS);
    int length = 1 + random.nextInt(Math.min(random.nextBoolean() ? 5 : 60, SECTORS - first));
    switch (random.nextInt(12)) {
      case 0 -> commit();
      case 1 -> crash();
      case 2, 3 -> write(first, length);
      case 4, 5, 6, 7 -> clone(first, length);
      default -> die(first, length);
    }
    check();
  }

  /** New data in free sectors. */
  private void write(int first, int length) {
    for (int sector = first; sector < first + length; sector++) {
      counts[sector] = Math.max(1, counts[sector]);
    }
  }

  /** As far as there is anything. */
  private void clone(int first, int length) throws IOException {
    int used = used(first, length);
    if (used > 0) {
      shared.increment(first, used);
      add(first, used, 1);
    }
  }

  private void die(int first, int length) throws IOException {
    int used = used(first, length);
    if (used == 0) {
      return;
    }
    TreeSet<Long> expected = new TreeSet<>();
    for (long sector = first; sector < first + used; sector++) {
      if (counts[(int) sector] == 1) {
        expected.add(sector);
      }
    }
    TreeSet<Long> freed = new TreeSet<>();
    shared.decrement(
        first,
        used,
        (from, sectors) -> {
          for (long sector = from; sector < from + sectors; sector++) {
            assertTrue(freed.add(sector), "freed twice: " + sector);
          }
        });
    add(first, used, -1);
    assertEquals(expected, freed, "what lost its last reference");
  }

  private int used(int first, int length) {
    int used = 0;
    while (used < length && counts[first + used] > 0) {
      used++;
    }
    return used;
  }

  private void add(int first, int length, int by) {
    for (int sector = first; sector < first + length; sector++) {
      counts[sector] += by;
    }
  }

  private void commit() {
    for (Map.Entry<Long, SharedRange> change : shared.changes().entrySet()) {
      if (change.getValue() == null) {
        index.remove(change.getKey());
      } else {
        index.put(change.getKey(), change.getValue());
      }
    }
    shared.committed();
    System.arraycopy(counts, 0, committedCounts, 0, SECTORS);
    assertEquals(Map.of(), shared.changes());
    assertEquals(runs(0, SECTORS), List.copyOf(index.values()), "the index");
  }

  private void crash() {
    System.arraycopy(committedCounts, 0, counts, 0, SECTORS);
    long saved = index.values().stream().mapToLong(SharedRange::savedSectors).sum();
    shared = new SharedRanges(this::overlapping, index.size(), saved);
  }

  private void check() throws IOException {
    List<SharedRange> all = runs(0, SECTORS);
    assertEquals(all, shared.overlapping(0, SECTORS));
    long saved = all.stream().mapToLong(SharedRange::savedSectors).sum();
    assertEquals(new CatalogState.SharedTotals(all.size(), saved), shared.totals());
    assertEquals(saved, shared.savedSectors());
    assertEquals(all.isEmpty(), shared.isEmpty());
    int from = random.nextInt(SECTORS);
    int to = from + 1 + random.nextInt(SECTORS - from);
    assertEquals(runs(from, to), shared.overlapping(from, to), from + " to " + to);
  }

  /** The longest ranges of one count from 2 on, of those that overlap. */
  private List<SharedRange> runs(int from, int to) {
    List<SharedRange> runs = new ArrayList<>();
    int sector = 0;
    while (sector < SECTORS) {
      int end = sector + 1;
      while (end < SECTORS && counts[end] == counts[sector]) {
        end++;
      }
      if (counts[sector] > 1 && sector < to && end > from) {
        runs.add(new SharedRange(sector, end - sector, counts[sector]));
      }
      sector = end;
    }
    return runs;
  }

  @Test
  void aRangeIsNeverLongerThanItsMostAndIsFoundFromItsLastSector() throws IOException {
    int piece = ReferenceList.MAX_SECTORS;
    long end = 0;
    while (end < 3L * SharedRange.MAX_SECTORS) {
      shared.increment(end, piece);
      end += piece;
    }
    List<SharedRange> ranges = shared.overlapping(0, end);
    assertTrue(ranges.stream().allMatch(range -> range.sectors() <= SharedRange.MAX_SECTORS));
    assertEquals(end, ranges.stream().mapToLong(SharedRange::sectors).sum());
    assertEquals(end, shared.savedSectors());
    for (SharedRange range : ranges) {
      assertEquals(List.of(range), shared.overlapping(range.end() - 1, range.end()));
      assertEquals(List.of(range), shared.overlapping(range.sector(), range.sector() + 1));
    }
    dieAgain(end);
  }

  /** All of it dies again, from the index. */
  private void dieAgain(long end) throws IOException {
    shared
        .changes()
        .forEach(
            (sector, range) -> {
              if (range != null) {
                index.put(sector, range);
              }
            });
    shared.committed();
    for (long sector = 0; sector < end; sector += ReferenceList.MAX_SECTORS) {
      shared.decrement(
          sector,
          ReferenceList.MAX_SECTORS,
          (from, sectors) -> {
            throw new AssertionError("one reference is left");
          });
    }
    assertTrue(shared.isEmpty());
    assertEquals(0, shared.savedSectors());
  }
}
