package io.cowfs.tools.differential;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Makes a sequence shorter that shows a difference, by leaving out ever smaller parts of it. */
final class Shrinking {
  private static final long LIMIT_NS =
      TimeUnit.SECONDS.toNanos(Integer.getInteger("cowfs.shrink", 60));

  private final Differential differential;
  private Sequence shortest;
  private String difference;

  Shrinking(Differential differential, Sequence sequence, String difference) {
    this.differential = differential;
    this.shortest = sequence;
    this.difference = difference;
  }

  /** The shortest script found, with what differs at its end. */
  String report() {
    long end = System.nanoTime() + LIMIT_NS;
    for (int part = Math.max(1, shortest.calls().size() / 2); part > 0; part /= 2) {
      for (int at = 0; at < shortest.calls().size() && System.nanoTime() < end; ) {
        List<Call> fewer = new ArrayList<>(shortest.calls());
        fewer.subList(at, Math.min(fewer.size(), at + part)).clear();
        if (!stillDiffers(shortest.with(fewer))) {
          at += part;
        }
      }
    }
    return difference + "\nscript:\n" + shortest.script();
  }

  private boolean stillDiffers(Sequence candidate) {
    String found = differential.difference(candidate, null);
    if (found == null) {
      return false;
    }
    shortest = candidate;
    difference = found;
    return true;
  }
}
