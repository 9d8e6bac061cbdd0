package io.cowfs.tools.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A load that knows what it may have left in each state of a dataset that has a history: in the
 * present, and in the snapshots that were taken of it while it worked on.
 *
 * <p>Operations on the history come one at a time, between {@link #begin} and {@link #end}; at what
 * moment between the two they take effect is not known. The thread of the load works on meanwhile;
 * what it changes, and writes down about it, it does holding the monitor of this object, so at both
 * ends no change is half done.
 */
abstract class HistoryLoad extends CrashLoad {
  private final String name;
  private long moment;
  private boolean operating;
  private long rollbackEnd;

  /** Makes a directory of its own in the root of the dataset. */
  protected HistoryLoad(Path root, String name, long seed) throws IOException {
    super(Files.createDirectory(root.resolve(name)), seed);
    this.name = name;
    syncDirectory(root);
  }

  /** What one state of the dataset may hold of this load. Belongs to one thread. */
  interface Expectation {
    /**
     * Compares, and from then on expects exactly what was found.
     *
     * @param root where the state is mounted
     * @throws AssertionError when it is none of those that are possible
     */
    void check(Path root, String where) throws IOException;
  }

  /** The directory of this load in a state of the dataset that is mounted there. */
  protected final Path directoryIn(Path root) {
    return root.resolve(name);
  }

  /** An operation on the history that leaves the present as it is is about to be asked for. */
  final synchronized void begin() {
    moment++;
    operating = true;
    began();
  }

  /** A rollback is about to be asked for. */
  final synchronized void beginRollback() {
    rollbackEnd = Long.MAX_VALUE;
    begin();
  }

  /** The operation is done, or it will not be any more. */
  final synchronized void end() {
    moment++;
    operating = false;
    if (rollbackEnd == Long.MAX_VALUE) {
      rollbackEnd = moment;
    }
  }

  /** Called by {@link #begin}. */
  protected abstract void began();

  /** What the dataset was at some moment since {@link #begin}. */
  abstract Expectation stateSinceBegin();

  /** The dataset became, at some moment since {@link #begin}, what it was in that state. */
  abstract void rolledBackTo(Expectation state);

  /**
   * Makes everything durable and compares it with what is possible, while the load stands still.
   */
  final synchronized void checkNow(String where) throws IOException {
    sync();
    checkPresent(where);
  }

  /** Makes everything of this load durable, also what the kernel has yet to write. */
  protected abstract void sync() throws IOException;

  /** Compares the present with what is possible; the caller holds the monitor. */
  protected abstract void checkPresent(String where) throws IOException;

  /** This moment between the beginnings and the ends of operations. */
  protected final synchronized long now() {
    return moment;
  }

  /** Whether there has been no operation since that moment; for the holder of the monitor. */
  protected final boolean isUndisturbedSince(long then) {
    return !operating && moment == then;
  }

  /**
   * Around a rollback files vanish and handles go stale: then a failure is no failure, and what was
   * done is gone or refused.
   */
  protected final synchronized void throwUnlessRolledBackSince(long then, IOException e)
      throws IOException {
    if (isEnding() || rollbackEnd <= then) {
      throw e;
    }
  }
}
