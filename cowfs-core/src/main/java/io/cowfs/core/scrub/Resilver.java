package io.cowfs.core.scrub;

import io.cowfs.core.dataset.ScrubRecord;
import io.cowfs.core.dataset.ScrubRecord.Stage;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.txg.SyncTask.TaskRefusedException;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Copies to the members of a mirror that are behind what they have missed, on a thread of its own
 * while the pool is in use.
 *
 * <p>It is a scrub of what was born after the last txg of which such a member has everything: the
 * scrub reads all copies, and writes over those that are bad from one that is good. The member gets
 * all that is written from before on, so what is born later needs no copying. A range that is
 * cloned meanwhile is younger than its data: then another round covers what was born since, until
 * nothing was cloned in one. A tree that was destroyed meanwhile, and is still being freed, is
 * reached by no walk: so its end is waited for.
 *
 * <p>Thread-safe. Where it was is not kept: after an interruption it begins again.
 */
public final class Resilver {
  private static final Logger LOG = System.getLogger(Resilver.class.getName());

  /** What is read under one hold. */
  private static final long PIECE_BYTES = 32L << 20;

  private static final long WAIT_MILLIS = 100;

  private final Scrub.Sources sources;
  private final TransactionGroups txgs;
  private final Targets targets;

  // ---- guarded by this

  private Thread thread;
  private boolean stopped;
  private long checkedBytes;

  /** The members that are behind. */
  public interface Targets {
    /** Those that are written again, and do not have everything; empty when there is none. */
    Optional<Group> behind();

    /** Nobody is behind for now, as far as that can be mended. Called in no txg. */
    void settled() throws IOException;
  }

  /** Some members that are behind. */
  public interface Group {
    /** What was born up to this txg is on all of them. */
    long completeTxg();

    /**
     * They have everything. Called by the sync thread, in a txg.
     *
     * @throws IOException when that cannot be made known now; nothing has changed
     */
    void complete(long txg) throws IOException;
  }

  /** The metadata of the sources is the dataset directory alone. */
  public Resilver(Scrub.Sources sources, TransactionGroups txgs, Targets targets) {
    this.sources = sources;
    this.txgs = txgs;
    this.targets = targets;
  }

  /** Begins where some member is behind, unless it runs already. */
  public synchronized void start() {
    if (thread == null && !stopped) {
      thread = new Thread(this::run, "cowfs-resilver");
      thread.setDaemon(true);
      thread.start();
    }
  }

  public synchronized boolean isRunning() {
    return thread != null;
  }

  /** What the one that runs, or the last one, has compared; bytes. */
  public synchronized long checkedBytes() {
    return checkedBytes;
  }

  /** Waits until none runs. */
  public synchronized void await() {
    boolean interrupted = false;
    while (thread != null) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Interrupts it, and lets none begin any more: the pool is going to be closed. */
  public void stop() {
    synchronized (this) {
      stopped = true;
      notifyAll();
    }
    await();
  }

  private synchronized boolean isStopped() {
    return stopped;
  }

  private void run() {
    try {
      Optional<Group> group = next();
      while (group.isPresent()) {
        run(group.get());
        group = next();
      }
    } catch (IOException | RuntimeException | OutOfMemoryError failure) {
      LOG.log(Level.ERROR, "the resilver does not go on", failure);
      ended();
    }
  }

  private Optional<Group> next() throws IOException {
    Optional<Group> group = targets.behind();
    if (group.isEmpty() && !isStopped()) {
      targets.settled();
    }
    return lastLook();
  }

  /** Whoever is behind when this finds nobody starts another thread. */
  private synchronized Optional<Group> lastLook() {
    Optional<Group> group = stopped ? Optional.empty() : targets.behind();
    if (group.isEmpty()) {
      ended();
    }
    return group;
  }

  private synchronized void ended() {
    thread = null;
    notifyAll();
  }

  private void run(Group group) throws IOException {
    synchronized (this) {
      checkedBytes = 0;
    }
    DamageReport report =
        new DamageReport(
            sources.datasets()::nodes, sources.store()::readBlock, sources.items(), List.of());
    try (ScrubWalk walk =
        new ScrubWalk(
            sources.datasets()::nodes, sources.store(), sources.items(), report, this::isStopped)) {
      long bornAfter = group.completeTxg();
      boolean cloned = true;
      while (cloned && !isStopped()) {
        long clones = sources.datasets().clonedRanges();
        long bornUpTo = currentTxg();
        round(walk, bornAfter, bornUpTo);
        awaitFrees();
        cloned = sources.datasets().clonedRanges() != clones;
        bornAfter = bornUpTo;
      }
      report.takeAdded().forEach(line -> LOG.log(Level.ERROR, "not resilvered: " + line));
    }
    if (!isStopped()) {
      txgs.runTask(
          txg -> {
            try {
              group.complete(txg);
            } catch (IOException notNow) {
              throw new TaskRefusedException(notNow);
            }
            return null;
          });
    }
  }

  /** All that is written from now on belongs to a later txg, or is reached once this is durable. */
  private long currentTxg() throws IOException {
    long[] now = new long[1];
    txgs.runTask(
        txg -> {
          now[0] = txg;
          return null;
        });
    return now[0];
  }

  @SuppressWarnings("try") // The hold is for what is read.
  private void round(ScrubWalk walk, long bornAfter, long bornUpTo) throws IOException {
    sources.metadata().run().forEach(line -> LOG.log(Level.ERROR, "not resilvered: " + line));
    ScrubRecord at =
        new ScrubRecord(
            ScrubRecord.State.RUNNING,
            1,
            bornAfter,
            bornUpTo,
            Stage.SNAPSHOTS,
            0,
            Optional.empty(),
            Instant.EPOCH,
            Optional.empty(),
            0,
            0,
            0,
            0,
            0);
    while (at.stage() != Stage.COMPLETE && !isStopped()) {
      try (ReadPins.Pin pin = txgs.readPins().pin()) {
        at = walk.piece(at, PIECE_BYTES);
      }
      long bytes = walk.takeReadBytes();
      synchronized (this) {
        checkedBytes += bytes;
      }
    }
  }

  /** Until nothing that was destroyed is still to be read. */
  private synchronized void awaitFrees() {
    while (!stopped && sources.datasets().backgroundFrees().hasBacklog()) {
      try {
        TimeUnit.MILLISECONDS.timedWait(this, WAIT_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }
}
