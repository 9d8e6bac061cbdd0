package io.cowfs.tools.exerciser;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The last operations on one file, for the message of a failure. Owned by one thread. */
final class OperationLog {
  private static final int KEPT = 4096;
  private static final int SHOWN_LAST = 25;
  private static final int SHOWN_THERE = 40;

  private final String[] what = new String[KEPT];
  private final long[] from = new long[KEPT];
  private final long[] to = new long[KEPT];
  private long count;

  /** What is done now, and the bytes of the file that it is about. */
  void add(String operation, long start, long end) {
    int slot = (int) (count++ % KEPT);
    what[slot] = operation;
    from[slot] = start;
    to[slot] = end;
  }

  /** The last operations that had to do with a range, and then the last ones of all. */
  String around(long start, long end) {
    List<String> there = new ArrayList<>();
    List<String> last = new ArrayList<>();
    for (long i = count - 1; i >= Math.max(0, count - KEPT); i--) {
      int slot = (int) (i % KEPT);
      String line = "  " + i + ": " + what[slot] + " [" + from[slot] + ", " + to[slot] + ")";
      if (last.size() < SHOWN_LAST) {
        last.add(line);
      }
      if (there.size() < SHOWN_THERE && from[slot] < end && start < to[slot]) {
        there.add(line);
      }
    }
    Collections.reverse(there);
    Collections.reverse(last);
    return "operations on the range:\n"
        + String.join("\n", there)
        + "\nlast operations:\n"
        + String.join("\n", last);
  }
}
