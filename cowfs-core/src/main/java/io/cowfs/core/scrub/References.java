package io.cowfs.core.scrub;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * References to ranges of sectors, compared sector by sector: an extent that was cut is a part of
 * what it was. A bag, not a set: a range that was cloned twice in one txg has two references that
 * look alike. Confined to one thread.
 */
final class References {
  private final List<Range> ranges = new ArrayList<>();

  /** Sectors of one birth. */
  record Range(long sector, long sectors, long birthTxg) {
    long end() {
      return sector + sectors;
    }

    @Override
    public String toString() {
      return "sectors %d to %d, born in %d".formatted(sector, end() - 1, birthTxg);
    }
  }

  /** From a sector on there are so many more, or fewer. */
  private record Step(long birthTxg, long sector, int change) {
    static final Comparator<Step> ORDER =
        Comparator.comparingLong(Step::birthTxg).thenComparingLong(Step::sector);
  }

  void add(long sector, long sectors, long birthTxg) {
    ranges.add(new Range(sector, sectors, birthTxg));
  }

  List<Range> ranges() {
    return ranges;
  }

  /** Sectors of what was born after a txg. */
  long sectorsBornAfter(long txg) {
    return ranges.stream().filter(range -> range.birthTxg() > txg).mapToLong(Range::sectors).sum();
  }

  /** What is more often in this than in the other. */
  References without(References other) {
    List<Step> steps = new ArrayList<>();
    ranges.forEach(range -> addSteps(range, 1, steps));
    other.ranges.forEach(range -> addSteps(range, -1, steps));
    steps.sort(Step.ORDER);
    References left = new References();
    int count = 0;
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      count += step.change();
      long next = i + 1 < steps.size() ? steps.get(i + 1).sector() : step.sector();
      for (int n = 0; n < count && next > step.sector(); n++) {
        left.add(step.sector(), next - step.sector(), step.birthTxg());
      }
    }
    return left;
  }

  private static void addSteps(Range range, int change, List<Step> steps) {
    steps.add(new Step(range.birthTxg(), range.sector(), change));
    steps.add(new Step(range.birthTxg(), range.end(), -change));
  }
}
