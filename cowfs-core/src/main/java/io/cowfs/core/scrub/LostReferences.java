package io.cowfs.core.scrub;

import io.cowfs.core.block.CorruptBlockException;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;

/**
 * The references that a state of the history lacks of its parent: a bag of references to ranges, to
 * which is added and of which is taken in any order and however ranges are cut. Confined to one
 * thread.
 */
final class LostReferences {
  /** By birth: by how much the number of references changes at a sector. */
  private final Map<Long, TreeMap<Long, Integer>> changes = new TreeMap<>();

  /** Receives references. */
  interface Visitor {
    void lost(long sector, long sectors, long birthTxg) throws IOException;
  }

  void add(long sector, int sectors, long birthTxg) {
    change(sector, sectors, birthTxg, 1);
  }

  /** Takes out what was added, or is still to be. */
  void subtract(long sector, int sectors, long birthTxg) {
    change(sector, sectors, birthTxg, -1);
  }

  private void change(long sector, int sectors, long birthTxg, int by) {
    TreeMap<Long, Integer> ofBirth = changes.computeIfAbsent(birthTxg, txg -> new TreeMap<>());
    step(ofBirth, sector, by);
    step(ofBirth, sector + sectors, -by);
  }

  private static void step(Map<Long, Integer> steps, long sector, int by) {
    steps.merge(sector, by, (a, b) -> a + b == 0 ? null : Integer.valueOf(a + b));
  }

  /**
   * Reports what is left, each reference once.
   *
   * @throws CorruptBlockException when more was taken out than was in
   */
  void forEach(Visitor visitor) throws IOException {
    for (Map.Entry<Long, TreeMap<Long, Integer>> ofBirth : changes.entrySet()) {
      long from = 0;
      int references = 0;
      for (Map.Entry<Long, Integer> step : ofBirth.getValue().entrySet()) {
        for (int i = 0; i < references; i++) {
          visitor.lost(from, step.getKey() - from, ofBirth.getKey());
        }
        from = step.getKey();
        references += step.getValue();
        if (references < 0) {
          throw new CorruptBlockException(
              "sector %d, born in %d, is not in the snapshot before"
                  .formatted(from, ofBirth.getKey()));
        }
      }
    }
  }
}
