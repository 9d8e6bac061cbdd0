package io.cowfs.core.pool;

import io.cowfs.core.fs.FileRuns;
import io.cowfs.core.pool.DefragmentationReport.Ending;
import java.util.ArrayList;
import java.util.List;

/** What a defragmentation has done so far. Belongs to one thread. */
final class RelocationTotals {
  private static final int DAMAGE_LINES_MAX = 100;

  private FileRuns before = FileRuns.NONE;
  private FileRuns after = FileRuns.NONE;
  private long movedFiles;
  private long movedBytes;
  private long sharedBytes;
  private long changedBytes;
  private long stuckBytes;
  private long consolidatedBytes;
  private long gainedBytes;
  private boolean outOfSpace;
  private final List<String> skipped = new ArrayList<>();
  private final List<String> damage = new ArrayList<>();

  /** It is done with a file. */
  void looked(FileRuns runsBefore, FileRuns runsAfter) {
    before = before.plus(runsBefore);
    after = after.plus(runsAfter);
  }

  void movedFile() {
    movedFiles++;
  }

  void moved(long bytes) {
    movedBytes += bytes;
  }

  void shared(long bytes) {
    sharedBytes += bytes;
  }

  void changed(long bytes) {
    changedBytes += bytes;
  }

  void stuck(long bytes) {
    stuckBytes += bytes;
  }

  void outOfSpace() {
    outOfSpace = true;
  }

  boolean isOutOfSpace() {
    return outOfSpace;
  }

  /**
   * Something was moved to make long runs of free space.
   *
   * @param gained what becomes free in such runs; bytes
   */
  void consolidated(RelocationTotals moved, long gained) {
    consolidatedBytes = moved.movedBytes;
    gainedBytes = gained;
    changedBytes += moved.changedBytes;
    stuckBytes += moved.stuckBytes;
    outOfSpace |= moved.outOfSpace;
    moved.damage.forEach(this::damaged);
  }

  void skipped(String dataset) {
    skipped.add(dataset);
  }

  void damaged(String line) {
    if (damage.size() < DAMAGE_LINES_MAX) {
      damage.add(line);
    }
  }

  DefragmentationReport report(Ending ending) {
    return new DefragmentationReport(
        ending,
        before,
        after,
        movedFiles,
        movedBytes,
        sharedBytes,
        changedBytes,
        stuckBytes,
        consolidatedBytes,
        gainedBytes,
        List.copyOf(skipped),
        List.copyOf(damage));
  }
}
