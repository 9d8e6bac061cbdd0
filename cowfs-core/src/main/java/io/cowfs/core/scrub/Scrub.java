package io.cowfs.core.scrub;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.dataset.ScrubChange;
import io.cowfs.core.dataset.ScrubLog;
import io.cowfs.core.dataset.ScrubRecord;
import io.cowfs.core.dataset.ScrubRecord.Stage;
import io.cowfs.core.dataset.ScrubRecord.State;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The scrub of an open pool, on a thread of its own while it runs. How far it came is committed
 * with the pool now and then, and whenever it stops.
 *
 * <p>Thread-safe. Commands are carried out one at a time; the monitor of this guards what is looked
 * at, and is never held over I/O.
 */
public final class Scrub {
  private static final Logger LOG = System.getLogger(Scrub.class.getName());

  /** After a crash, what was read since the last commit of the position is read once more. */
  private static final long KEEP_NANOS = TimeUnit.SECONDS.toNanos(10);

  /** How soon another limit takes effect. */
  private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

  /** What is read under one hold. */
  private static final long PIECE_BYTES_MAX = 32L << 20;

  private static final long PIECE_BYTES_MIN = 1L << 20;
  private static final long PIECES_PER_SECOND = 4;

  /** Who clones without end, and deletes what was cloned, keeps no scrub from its end. */
  private static final int ROUNDS_MAX = 4;

  private static final long NANOS_PER_MILLI = 1_000_000;
  private static final double NANOS_PER_SECOND = 1e9;

  private final Sources sources;
  private final TransactionGroups txgs;
  private final Clock clock;

  /** One command at a time, through all that it waits for. */
  private final Object commands = new Object();

  // ---- guarded by this

  /** Null when there was never one. */
  private ScrubRecord record;

  private final List<String> findings = new ArrayList<>();
  private Run run;
  private boolean stopped;

  // ----

  /** How many of the findings are durable. Guarded by commands, or owned by the run. */
  private int keptFindings;

  /**
   * What a scrub works on.
   *
   * @param nanoTime by which its work is measured, as {@link System#nanoTime}
   */
  public record Sources(
      Datasets datasets,
      BlockStore store,
      ItemReader items,
      MetadataCheck metadata,
      Supplier<OptionalLong> bytesPerSecond,
      LongSupplier nanoTime) {}

  /** Reads what belongs to no dataset. */
  @FunctionalInterface
  public interface MetadataCheck {
    /** Returns one line for each thing that is damaged, beginning with a stable id. */
    List<String> run() throws IOException;
  }

  /**
   * @param last the last one; does not go on before {@link #goOn}
   */
  public Scrub(Sources sources, TransactionGroups txgs, Clock clock, Optional<ScrubLog> last) {
    this.sources = sources;
    this.txgs = txgs;
    this.clock = clock;
    last.ifPresent(
        log -> {
          record = log.record();
          findings.addAll(log.findings());
          keptFindings = findings.size();
        });
  }

  // ---- commands

  /**
   * Begins a new one, in the background. One that was interrupted goes on instead.
   *
   * @throws DatasetException BUSY while one runs or is paused
   */
  public void start() throws IOException {
    synchronized (commands) {
      ScrubRecord now = current();
      if (isRunning()) {
        throw new DatasetException(Reason.BUSY, "a scrub is running already");
      }
      if (now != null && now.state() == State.PAUSED) {
        throw new DatasetException(Reason.BUSY, "a scrub is paused: --resume lets it go on");
      }
      if (now != null && now.state() == State.RUNNING) {
        launch(CloneKnowledge.LOST);
        return;
      }
      long clones = sources.datasets().clonedRanges();
      ScrubRecord[] begun = new ScrubRecord[1];
      txgs.runTask(
          txg -> {
            begun[0] = ScrubRecord.begin(txg, now(), totalBytes());
            sources.datasets().keep(new ScrubChange(begun[0], 0, List.of()));
            return null;
          });
      synchronized (this) {
        record = begun[0];
        findings.clear();
      }
      keptFindings = 0;
      launch(new CloneKnowledge(clones));
    }
  }

  private long totalBytes() {
    Datasets.SpaceTotals totals = sources.datasets().totals();
    return totals.referenced() * BlockPointer.SECTOR_BYTES;
  }

  /**
   * Stops it until {@link #resume}, over unmounts.
   *
   * @throws DatasetException NOT_FOUND when there is nothing to pause
   */
  public void pause() throws IOException {
    synchronized (commands) {
      ScrubRecord now = current();
      if (now == null || now.state() != State.RUNNING) {
        throw new DatasetException(
            Reason.NOT_FOUND,
            now != null && now.state() == State.PAUSED
                ? "the scrub is paused already"
                : "no scrub is running");
      }
      endRun();
      setState(State.RUNNING, State.PAUSED);
    }
  }

  /**
   * Lets one that is paused go on, in the background.
   *
   * @throws DatasetException NOT_FOUND when none is paused
   */
  public void resume() throws IOException {
    synchronized (commands) {
      ScrubRecord now = current();
      if (now == null || now.state() != State.PAUSED) {
        throw new DatasetException(
            Reason.NOT_FOUND, isRunning() ? "the scrub is running" : "no scrub is paused");
      }
      setState(State.PAUSED, State.RUNNING);
      launch(CloneKnowledge.LOST);
    }
  }

  /** Has one that was interrupted go on, if there is one: the pool is mounted. */
  public void goOn() {
    synchronized (commands) {
      ScrubRecord now = current();
      if (now != null && now.state() == State.RUNNING && !isRunning()) {
        launch(CloneKnowledge.LOST);
      }
    }
  }

  /**
   * Interrupts it where it is, and lets none begin any more: the pool is going to be closed. Who
   * waits for it goes on.
   */
  public void stop() {
    synchronized (this) {
      stopped = true;
      notifyAll();
    }
    synchronized (commands) {
      endRun();
    }
  }

  /** As of now. */
  public synchronized ScrubStatus status() {
    if (record == null) {
      return new ScrubStatus(
          ScrubStatus.State.NEVER,
          Optional.empty(),
          Optional.empty(),
          Duration.ZERO,
          0,
          0,
          0,
          Optional.empty(),
          0,
          0,
          0,
          List.of());
    }
    boolean running = run != null && !stopped && record.state() == State.RUNNING;
    long rate =
        running
            ? run.bytesPerSecond(record)
            : record.readBytes() * 1000 / Math.max(1, record.activeMillis());
    long total = Math.max(record.totalBytes(), record.readBytes());
    return new ScrubStatus(
        switch (record.state()) {
          case RUNNING -> running ? ScrubStatus.State.RUNNING : ScrubStatus.State.WAITING;
          case PAUSED -> ScrubStatus.State.PAUSED;
          case FINISHED -> ScrubStatus.State.FINISHED;
        },
        Optional.of(record.started()),
        record.ended(),
        Duration.ofMillis(record.activeMillis()),
        record.readBytes(),
        total,
        rate,
        running && rate > 0
            ? Optional.of(Duration.ofSeconds((total - record.readBytes() + rate - 1) / rate))
            : Optional.empty(),
        record.round(),
        record.errors(),
        record.repairedBytes(),
        List.copyOf(findings));
  }

  /**
   * Waits while it runs, but not longer than a time.
   *
   * @return what it is then
   */
  public ScrubStatus await(Duration atMost) {
    long deadline = System.nanoTime() + atMost.toNanos();
    synchronized (this) {
      long left = deadline - System.nanoTime();
      while (run != null && !stopped && left > 0) {
        waitNanos(left);
        left = deadline - System.nanoTime();
      }
    }
    return status();
  }

  // ----

  /** As exact as it is stored. */
  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MILLIS);
  }

  private synchronized ScrubRecord current() {
    return record;
  }

  private synchronized boolean isRunning() {
    return run != null;
  }

  /** Of a run that is not there: durable, or not at all. */
  private void setState(State from, State to) throws IOException {
    ScrubRecord now = current();
    if (now.state() != from) {
      return; // It came to its end before it could be stopped.
    }
    keep(now.withState(to, Optional.empty()));
  }

  private void keep(ScrubRecord newer) throws IOException {
    List<String> all;
    synchronized (this) {
      all = List.copyOf(findings);
    }
    int kept = keptFindings;
    txgs.runTask(
        txg -> {
          sources.datasets().keep(new ScrubChange(newer, kept, all.subList(kept, all.size())));
          return null;
        });
    keptFindings = all.size();
    synchronized (this) {
      record = newer;
    }
  }

  private void launch(CloneKnowledge clones) {
    synchronized (this) {
      if (stopped) {
        return;
      }
      run = new Run(clones);
    }
    run.thread.start();
  }

  /** Returns when no run is there any more. */
  private void endRun() {
    Run ending;
    synchronized (this) {
      ending = run;
      if (ending != null) {
        ending.interrupted = true;
        notifyAll();
      }
    }
    boolean interrupted = false;
    while (ending != null && ending.thread.isAlive()) {
      try {
        ending.thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @SuppressWarnings("WaitNotInLoop") // Its callers loop.
  private synchronized void waitNanos(long nanos) {
    try {
      TimeUnit.NANOSECONDS.timedWait(this, nanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What is known of ranges that were cloned since the round began. */
  private record CloneKnowledge(long atBegin) {
    /** Nothing: the pool was opened, or the scrub paused, since. */
    static final CloneKnowledge LOST = new CloneKnowledge(-1);
  }

  /** The scrub at work, from its start or continuation to where it ends or is interrupted. */
  private final class Run {
    private final Thread thread = new Thread(this::run, "cowfs-scrub");
    private final long startNanos = nanoTime();
    private final long startBytes = current().readBytes();
    private final DamageReport report =
        new DamageReport(
            sources.datasets()::nodes,
            sources.store()::readBlock,
            sources.items(),
            List.copyOf(findings));
    private final ScrubWalk walk =
        new ScrubWalk(
            sources.datasets()::nodes,
            sources.store(),
            sources.items(),
            report,
            this::isInterrupted);
    private volatile boolean interrupted;
    private CloneKnowledge clones;
    private long keptNanos = startNanos;

    Run(CloneKnowledge clones) {
      this.clones = clones;
      thread.setDaemon(true);
    }

    private long nanoTime() {
      return sources.nanoTime().getAsLong();
    }

    private boolean isInterrupted() {
      return interrupted;
    }

    long bytesPerSecond(ScrubRecord now) {
      double seconds = (nanoTime() - startNanos) / NANOS_PER_SECOND;
      return (long) ((now.readBytes() - startBytes) / Math.max(0.001, seconds));
    }

    private void run() {
      try {
        while (!interrupted && current().state() == State.RUNNING) {
          step();
        }
        if (current().state() == State.RUNNING) {
          keep(current());
        }
      } catch (IOException | RuntimeException | OutOfMemoryError failure) {
        LOG.log(Level.ERROR, "the scrub does not go on", failure);
      } finally {
        walk.close();
        synchronized (Scrub.this) {
          run = null;
          Scrub.this.notifyAll();
        }
      }
    }

    @SuppressWarnings("try") // The hold is for what is read.
    private void step() throws IOException {
      long start = nanoTime();
      long repairedBefore = sources.store().repairedBytes();
      ScrubRecord from = current();
      ScrubRecord at;
      OptionalLong limit = sources.bytesPerSecond().get();
      if (from.stage() == Stage.METADATA) {
        sources.metadata().run().forEach(report::ofPool);
        at = from.movedTo(Stage.SNAPSHOTS, 0, Optional.empty());
      } else if (from.stage() == Stage.COMPLETE) {
        at = complete(from);
      } else {
        try (ReadPins.Pin pin = txgs.readPins().pin()) {
          at = walk.piece(from, pieceBytes(limit));
        }
      }
      long bytes = walk.takeReadBytes();
      long repaired = sources.store().repairedBytes() - repairedBefore;
      at = at.withWork(millisSince(start), bytes, report.takeErrors(), repaired);
      synchronized (Scrub.this) {
        findings.addAll(report.takeAdded());
        record = at;
      }
      long paced = nanoTime();
      pace(bytes, start);
      at = at.withWork(millisSince(paced), 0, 0, 0);
      if (at.state() == State.FINISHED || nanoTime() - keptNanos >= KEEP_NANOS) {
        keep(at);
        keptNanos = nanoTime();
      }
      synchronized (Scrub.this) {
        record = at;
      }
    }

    private long millisSince(long nanos) {
      return (nanoTime() - nanos) / NANOS_PER_MILLI;
    }

    private long pieceBytes(OptionalLong limit) {
      return limit.isPresent()
          ? Math.min(
              PIECE_BYTES_MAX, Math.max(PIECE_BYTES_MIN, limit.getAsLong() / PIECES_PER_SECOND))
          : PIECE_BYTES_MAX;
    }

    /** Waits until what was read is within the limit, which may change meanwhile. */
    private void pace(long bytes, long sinceNanos) {
      while (!interrupted) {
        OptionalLong limit = sources.bytesPerSecond().get();
        double seconds = limit.isPresent() ? bytes / (double) limit.getAsLong() : 0;
        long left = sinceNanos + (long) (seconds * NANOS_PER_SECOND) - nanoTime();
        if (left <= 0) {
          return;
        }
        synchronized (Scrub.this) {
          if (!interrupted) {
            waitNanos(Math.min(left, LOOK_NANOS));
          }
        }
      }
    }

    /** A round is done: a further one is needed where ranges were cloned meanwhile. */
    private ScrubRecord complete(ScrubRecord round) throws IOException {
      long clonesNow = sources.datasets().clonedRanges();
      boolean cloned = clones.atBegin() != clonesNow;
      if (!cloned || round.round() == ROUNDS_MAX) {
        return round.withState(State.FINISHED, Optional.of(now()));
      }
      ScrubRecord[] next = new ScrubRecord[1];
      txgs.runTask(
          txg -> {
            next[0] = round.nextRound(txg, round.readBytes());
            return null;
          });
      clones = new CloneKnowledge(clonesNow);
      return next[0];
    }
  }
}
