package io.cowfs.core.pool;

import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.pool.DefragmentationReport.Ending;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Defragments files by itself while nothing is written to the pool, where its property {@code
 * defrag.background} asks for that: those with more surplus runs for each mebibyte than it says. It
 * ends as soon as anything is changed. A dataset is gone through once as a whole, later only what
 * was changed since. Thread-safe.
 */
final class BackgroundDefragmentation {
  private static final Logger LOG = System.getLogger(BackgroundDefragmentation.class.getName());

  /** When nothing was committed for so long, the pool is idle. */
  private static final Duration UNTIL_NEXT_LOOK = Duration.ofSeconds(15);

  private final Datasets datasets;
  private final TransactionGroups txgs;
  private final Defragmenter defragmenter;

  private volatile boolean closed;

  // ---- of the rounds

  /** By head: what was committed until then was gone through. */
  private final Map<Integer, Long> doneTxgs = new HashMap<>();

  private long lastTxg = -1;

  /** Does nothing before {@link #start}. */
  BackgroundDefragmentation(Datasets datasets, TransactionGroups txgs, Defragmenter defragmenter) {
    this.datasets = datasets;
    this.txgs = txgs;
    this.defragmenter = defragmenter;
  }

  /**
   * Looks again and again from now on.
   *
   * @return to be closed at the end, when the defragmenter was stopped
   */
  Environment.Ending start(Environment.Rounds rounds) {
    Environment.Ending ending = rounds.begin("cowfs-defrag", () -> UNTIL_NEXT_LOOK, this::round);
    return () -> {
      closed = true;
      ending.end();
    };
  }

  private void round() {
    try {
      look();
    } catch (IOException | RuntimeException failure) {
      LOG.log(Level.WARNING, "files are not defragmented", failure);
    }
  }

  /** Does what is to be done now. */
  void look() throws IOException {
    OptionalInt limit = datasets.defragRunsPerMebibyte();
    long txg = txgs.durableTxg();
    boolean isIdle = txg == lastTxg && !txgs.hasChanges();
    lastTxg = txg;
    if (limit.isEmpty()) {
      doneTxgs.clear();
      return;
    }
    if (!isIdle) {
      return;
    }
    for (DatasetHead head : datasets.heads()) {
      if (!head.settings().readonly() && !isDone(head, limit.getAsInt())) {
        return;
      }
    }
  }

  /** Goes through a dataset; false when it was interrupted, or cannot go on. */
  private boolean isDone(DatasetHead head, int limit) throws IOException {
    long last = doneTxgs.getOrDefault(head.id(), 0L);
    long until = datasets.node(head.id()).map(NodeRecord::txg).orElse(0L);
    if (until <= last) {
      return true;
    }
    DefragmentationReport report;
    try {
      report =
          defragmenter.runInBackground(
              head,
              limit,
              last,
              (soFar, part) ->
                  !closed
                      && !txgs.hasChanges()
                      && datasets.defragRunsPerMebibyte().equals(OptionalInt.of(limit)));
    } catch (DatasetException busy) {
      return false;
    }
    // What it has committed itself changes nothing about being idle.
    lastTxg = txgs.durableTxg();
    if (report.movedBytes() > 0) {
      LOG.log(
          Level.INFO,
          "defragmented in the background: {0,number,#} files, {1,number,#} runs became {2,number,#}",
          report.movedFiles(),
          report.before().runs(),
          report.after().runs());
    }
    if (report.ending() != Ending.COMPLETE) {
      return false;
    }
    doneTxgs.put(head.id(), until);
    return true;
  }
}
