package io.cowfs.core.txg;

import io.cowfs.core.txg.SyncTask.TaskRefusedException;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Opens, freezes and commits the txgs of one pool, and holds writers back when too much is dirty.
 *
 * <p>Thread-safe. {@code lock} guards what the sync thread and its clients tell each other; it is
 * never held over I/O. {@link #join} never waits; {@link #throttle} may, and is called before any
 * lock of the file system is taken.
 */
public final class TransactionGroups implements Closeable {
  private static final Logger LOG = System.getLogger(TransactionGroups.class.getName());
  private static final long POLL_MILLIS = 100;

  /** Between commits that only work off an urgent backlog: foreground work comes through. */
  private static final long URGENT_MILLIS = 50;

  /** What a txg frees is reusable once that txg and the next two are durable. */
  private static final int COMMITS_TO_RELEASE = 3;

  /** A task with its outcome. */
  private record QueuedTask(
      SyncTask task, CompletableFuture<Void> outcome, List<Runnable> afterwards)
      implements CommitSequence.PendingTask {
    @Override
    public void run(long txg) throws IOException {
      try {
        Runnable then = task.run(txg);
        if (then != null) {
          afterwards.add(then);
        }
      } catch (TaskRefusedException refused) {
        outcome.completeExceptionally(refused);
      }
    }
  }

  /** What waits for a moment between two commits. */
  private record Change(Runnable work, CompletableFuture<Void> outcome) {
    void make() {
      try {
        work.run();
        outcome.complete(null);
      } catch (RuntimeException | Error e) {
        outcome.completeExceptionally(e);
      }
    }
  }

  /** What the sync thread is woken for. */
  private enum Work {
    CHANGES,
    COMMIT,
    /** The pool closes, or is suspended. */
    NONE
  }

  /** What may become of the pool. */
  private enum Access {
    CHANGE,
    READ
  }

  private final CommitSequence sequence;
  private final GroupCommit groupCommit;
  private final DirtyLimit limit;
  private final LongSupplier nanoTime;
  private final List<Participant> participants = new CopyOnWriteArrayList<>();
  private final ReadPins readPins = new ReadPins(this::durableTxg);
  private final AtomicLong dirtyBytes = new AtomicLong();
  private final Thread syncThread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition work = lock.newCondition();
  private final Condition progress = lock.newCondition();
  private final List<QueuedTask> tasks = new ArrayList<>();
  private final List<Change> changes = new ArrayList<>();
  private long wantedTxg;

  /** When something to commit was seen first; 0 where there is nothing. Sync thread. */
  private long firstDirtyNanos;

  /** Commits yet to come that have nothing to write but let freed space become reusable. */
  private volatile int commitsToRelease;

  private long durableTxg;
  private boolean closing;

  /** Epochs that are closed, neither in the log nor durable; from old to new. Guarded by lock. */
  private final List<Txg> unlogged = new ArrayList<>();

  private final Txg.Logging logging;

  private final Access access;
  private volatile Txg open;
  private volatile IOException suspended;
  private volatile boolean abandoned;
  private volatile boolean ended;

  /**
   * Starts the sync thread.
   *
   * @param log of the pool; what it had from before was recovered
   * @param nanoTime by which the time since a first change is measured, as {@link System#nanoTime}
   * @param durableTxg the newest txg in the index
   */
  public TransactionGroups(
      CommitSequence sequence,
      IntentLog log,
      DirtyLimit limit,
      LongSupplier nanoTime,
      long durableTxg) {
    this(sequence, log, limit, nanoTime, durableTxg, null);
  }

  /**
   * Those of a pool that is only read: nothing is ever committed, and every change fails.
   *
   * @param nanoTime as above
   * @param reason why, as one line
   */
  public static TransactionGroups readOnly(
      CommitSequence sequence,
      IntentLog log,
      DirtyLimit limit,
      LongSupplier nanoTime,
      long durableTxg,
      IOException reason) {
    return new TransactionGroups(sequence, log, limit, nanoTime, durableTxg, reason);
  }

  private TransactionGroups(
      CommitSequence sequence,
      IntentLog log,
      DirtyLimit limit,
      LongSupplier nanoTime,
      long durableTxg,
      IOException readOnlyReason) {
    this.access = readOnlyReason == null ? Access.CHANGE : Access.READ;
    this.suspended = readOnlyReason;
    this.sequence = sequence;
    this.limit = limit;
    this.nanoTime = nanoTime;
    this.durableTxg = durableTxg;
    this.wantedTxg = durableTxg;
    this.groupCommit = new GroupCommit(this, log, limit);
    this.logging = log.exists() ? Txg.Logging.KEPT : Txg.Logging.REFUSED;
    this.open = new Txg(durableTxg + 1, logging);
    this.participants.add(readPins);
    this.syncThread = new Thread(this::runSyncThread, "cowfs-txg-sync");
    syncThread.start();
  }

  /** Takes part in every commit from the next freeze on. Called with the txg that is open now. */
  public void register(java.util.function.LongFunction<? extends Participant> participant)
      throws IOException {
    if (access == Access.READ) {
      participants.add(participant.apply(open.number()));
      return;
    }
    // No txg is frozen then, so the newcomer misses none of its freezes.
    betweenCommits(() -> participants.add(participant.apply(open.number())));
  }

  /** Takes part from now on: for one that keeps nothing apart for each txg. */
  public void addIndependent(Participant participant) {
    participants.add(participant);
  }

  /** Takes part no more, likewise. Its changes must be durable. */
  public void removeIndependent(Participant participant) {
    participants.remove(participant);
  }

  /** Takes part no more. Its changes must be durable. */
  public void unregister(Participant participant) throws IOException {
    if (access == Access.READ) {
      participants.remove(participant);
      return;
    }
    betweenCommits(() -> participants.remove(participant));
  }

  /** Has the sync thread do something while it commits nothing, and waits for that. */
  private void betweenCommits(Runnable change) throws IOException {
    CompletableFuture<Void> outcome = new CompletableFuture<>();
    lock.lock();
    try {
      checkTakesTasks();
      changes.add(new Change(change, outcome));
      work.signal();
    } finally {
      lock.unlock();
    }
    await(outcome);
  }

  /**
   * Joins the open txg. Never waits. The member leaves soon, and does not wait for a commit before.
   *
   * @throws PoolSuspendedException when the pool takes no changes any more
   */
  public Txg join() throws PoolSuspendedException {
    checkNotSuspended();
    while (true) {
      Txg txg = open;
      txg.enter();
      if (open == txg) {
        return txg;
      }
      txg.leave();
    }
  }

  /** Holds of readers that no participant knows. */
  public ReadPins readPins() {
    return readPins;
  }

  /** The number of the open txg. */
  public long openTxg() {
    return open.number();
  }

  /** Counts file data held in memory for the given txg, in bytes. */
  public void addDirtyData(Txg txg, long bytes) {
    txg.addData(bytes);
    dirtyBytes.addAndGet(bytes);
    if (txg.dataBytes() >= limit.bytesToSync()) {
      requestSync(txg.number());
    }
  }

  /** File data has been written, or dropped. */
  public void removeDirtyData(long bytes) {
    long left = dirtyBytes.addAndGet(-bytes);
    if (left < limit.bytesMax()) {
      lock.lock();
      try {
        progress.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /** Freed or abandoned space is to be worked off by coming commits. */
  public boolean hasBacklog() {
    return participants.stream().anyMatch(Participant::hasBacklog);
  }

  /** There is a backlog now. */
  public void backlogGrew() {
    commitsToRelease = COMMITS_TO_RELEASE;
  }

  /** Bytes of file data that are not written yet. */
  public long dirtyDataBytes() {
    return dirtyBytes.get();
  }

  /** True while writers have to wait. */
  public boolean isThrottled() {
    return dirtyBytes.get() >= limit.bytesMax() || open.itemBytes() >= limit.itemBytesMax();
  }

  /**
   * Waits while too much is dirty. No lock may be held and no txg joined.
   *
   * @param interrupted ends the wait early when true
   */
  public void throttle(BooleanSupplier interrupted) throws PoolSuspendedException {
    Txg txg = open;
    if (txg.itemBytes() >= limit.itemBytesMax() / 2) {
      requestSync(txg.number());
    }
    if (!isThrottled()) {
      return;
    }
    lock.lock();
    try {
      while (isThrottled()) {
        checkNotSuspended();
        if (interrupted.getAsBoolean()) {
          return;
        }
        awaitMillis(progress, POLL_MILLIS);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Has the txg committed as soon as possible. Does not wait. */
  public void requestSync(long txg) {
    lock.lock();
    try {
      if (wantedTxg < txg) {
        wantedTxg = txg;
        work.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Has the txg committed and waits until it is durable. No lock may be held and no txg joined.
   *
   * @return false when {@code interrupted} became true before
   * @throws PoolSuspendedException when it will never be durable
   */
  public boolean awaitDurable(long txg, BooleanSupplier interrupted) throws PoolSuspendedException {
    requestSync(txg);
    lock.lock();
    try {
      while (durableTxg < txg) {
        checkNotSuspended();
        if (interrupted.getAsBoolean()) {
          return false;
        }
        awaitMillis(progress, POLL_MILLIS);
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Makes everything durable that was done before the call, unless {@code txg} is durable already:
   * by the intent log, where that can take it, or by a commit. Ends only when that is done. No lock
   * may be held and no txg joined.
   *
   * @throws PoolSuspendedException when it will never be durable
   */
  public void awaitSaved(long txg) throws PoolSuspendedException {
    if (durableTxg() < txg) {
      groupCommit.save();
    }
  }

  /**
   * Ends the epoch: what joins from now on belongs to the next.
   *
   * @return what is in no commit and not in the log
   */
  Cut cut() throws PoolSuspendedException {
    lock.lock();
    try {
      checkNotSuspended();
      if (!open.hasNothingToLog()) {
        unlogged.add(open);
        open = open.nextEpoch();
      }
      unlogged.removeIf(epoch -> epoch.number() <= durableTxg);
      return new Cut(List.copyOf(unlogged), durableTxg);
    } finally {
      lock.unlock();
    }
  }

  /**
   * Closed epochs, from old to new.
   *
   * @param durableTxg the newest txg that is durable; all later ones are in the log, but for these
   *     epochs
   */
  record Cut(List<Txg> epochs, long durableTxg) {}

  /** These are in the log now. */
  void logged(List<Txg> epochs) {
    lock.lock();
    try {
      unlogged.removeAll(epochs);
    } finally {
      lock.unlock();
    }
  }

  /** Whether the open txg has any change. */
  public boolean hasChanges() {
    return open.isDirty();
  }

  /** Commits everything done before the call; returns at once when there is nothing. */
  public void syncAll() throws PoolSuspendedException {
    Txg txg = open;
    awaitDurable(txg.isDirty() ? txg.number() : txg.number() - 1, () -> false);
  }

  /** The newest durable txg. */
  public long durableTxg() {
    lock.lock();
    try {
      return durableTxg;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Has the sync thread carry out a task in the next commit, and waits until that is durable.
   *
   * @throws IOException when the task is refused: the one that caused the refusal, or one with its
   *     message; or when the pool is suspended
   */
  public void runTask(SyncTask task) throws IOException {
    CompletableFuture<Void> outcome = new CompletableFuture<>();
    lock.lock();
    try {
      checkTakesTasks();
      tasks.add(new QueuedTask(task, outcome, new ArrayList<>()));
      wantedTxg = Math.max(wantedTxg, open.number());
      work.signal();
    } finally {
      lock.unlock();
    }
    await(outcome);
  }

  private void checkTakesTasks() throws PoolSuspendedException {
    checkNotSuspended();
    if (closing) {
      throw new PoolSuspendedException("the pool is closing");
    }
  }

  private static void await(CompletableFuture<Void> outcome) throws IOException {
    try {
      outcome.get();
    } catch (ExecutionException failure) {
      if (failure.getCause() instanceof TaskRefusedException refused
          && refused.getCause() instanceof IOException cause) {
        throw cause;
      }
      if (failure.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw new IOException(failure.getCause().getMessage(), failure.getCause());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for a commit", interrupted);
    }
  }

  /** Why the pool takes no changes any more; null while all is well. */
  public IOException suspendedBy() {
    return suspended;
  }

  /**
   * Drops all that is not durable, as a crash would: the last commit under way is finished, or
   * comes to nothing, and none follows. Returns when the sync thread has ended. Closing then
   * commits nothing, and succeeds.
   */
  public void abandon() {
    lock.lock();
    try {
      abandoned = true;
      if (suspended == null) {
        suspended = new IOException("it was shut down without a commit");
      }
      failTasks();
      work.signal();
      progress.signalAll();
    } finally {
      lock.unlock();
    }
    awaitSyncThread();
  }

  /** Whether every change fails from the beginning, and {@link #suspendedBy} says why. */
  public boolean isReadOnly() {
    return access == Access.READ;
  }

  /** True after {@link #abandon}. */
  public boolean isAbandoned() {
    return abandoned;
  }

  private void failTasks() {
    for (QueuedTask task : tasks) {
      task.outcome().completeExceptionally(suspended);
    }
    tasks.clear();
    for (Change change : changes) {
      change.outcome().completeExceptionally(suspended);
    }
    changes.clear();
  }

  private void checkNotSuspended() throws PoolSuspendedException {
    IOException cause = suspended;
    if (access == Access.READ) {
      throw new PoolSuspendedException(cause.getMessage(), cause);
    }
    if (ended) {
      throw new PoolSuspendedException("the pool is closed");
    }
    if (cause != null) {
      throw new PoolSuspendedException("the pool is suspended: " + cause.getMessage(), cause);
    }
  }

  @SuppressWarnings("WaitNotInLoop") // Its callers loop.
  private static void awaitMillis(Condition condition, long millis) {
    try {
      condition.await(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void runSyncThread() {
    try {
      for (Work next = awaitWork(); next != Work.NONE; next = awaitWork()) {
        makeChanges();
        if (next == Work.COMMIT) {
          commitOpenTxg();
        }
      }
      ended = true;
    } catch (IOException | RuntimeException | Error failure) {
      suspend(failure);
    }
  }

  private Work awaitWork() {
    lock.lock();
    try {
      while (true) {
        if (suspended != null) {
          return Work.NONE;
        }
        if (isCommitDue()) {
          return Work.COMMIT;
        }
        if (!changes.isEmpty()) {
          return Work.CHANGES;
        }
        if (closing) {
          return Work.NONE;
        }
        awaitMillis(work, Math.min(POLL_MILLIS, intervalMillis()));
      }
    } finally {
      lock.unlock();
    }
  }

  /** The lock is held. */
  private boolean isCommitDue() {
    if (wantedTxg >= open.number() || !tasks.isEmpty()) {
      return true;
    }
    boolean changed = open.isDirty();
    if (closing) {
      return changed;
    }
    if (!changed && !hasBacklog() && (commitsToRelease == 0 || !sequence.wantsCommit())) {
      return false;
    }
    long now = nanoTime.getAsLong();
    if (firstDirtyNanos == 0) {
      firstDirtyNanos = now;
    }
    return now - firstDirtyNanos >= TimeUnit.MILLISECONDS.toNanos(intervalMillis());
  }

  private void makeChanges() {
    List<Change> due;
    lock.lock();
    try {
      due = List.copyOf(changes);
      changes.clear();
    } finally {
      lock.unlock();
    }
    due.forEach(Change::make);
  }

  private long intervalMillis() {
    boolean urgent = participants.stream().anyMatch(Participant::isUrgent);
    return urgent ? Math.min(URGENT_MILLIS, limit.intervalMillis()) : limit.intervalMillis();
  }

  private void commitOpenTxg() throws IOException {
    firstDirtyNanos = 0;
    long next = open.number() + 1;
    List<Participant> members = List.copyOf(participants);
    // Overlays for the next txg are in place before the first change can join it.
    for (Participant participant : members) {
      participant.freeze(next);
    }
    List<QueuedTask> due;
    Txg txg;
    lock.lock();
    try {
      due = List.copyOf(tasks);
      tasks.clear();
      txg = open;
      unlogged.add(txg);
      open = new Txg(next, logging);
    } finally {
      lock.unlock();
    }
    txg.awaitAllEmpty();
    checkNotSuspended();
    boolean frees = txg.isDirty() || !due.isEmpty() || hasBacklog();
    commitsToRelease = frees ? COMMITS_TO_RELEASE : Math.max(0, commitsToRelease - 1);
    try {
      sequence.commit(txg.number(), members, due);
      for (QueuedTask task : due) {
        task.afterwards().forEach(Runnable::run);
      }
    } catch (IOException | RuntimeException | Error failure) {
      suspend(failure);
      for (QueuedTask task : due) {
        task.outcome().completeExceptionally(failure);
      }
      throw failure;
    }
    lock.lock();
    try {
      durableTxg = txg.number();
      unlogged.removeIf(epoch -> epoch.number() <= durableTxg);
      progress.signalAll();
    } finally {
      lock.unlock();
    }
    for (QueuedTask task : due) {
      task.outcome().complete(null);
    }
  }

  /**
   * Nothing is written any more, because something could not be: every later change and every wait
   * fails.
   */
  public void suspend(Throwable failure) {
    lock.lock();
    try {
      if (suspended == null) {
        LOG.log(Level.ERROR, "writing failed, the pool is suspended", failure);
        suspended =
            failure instanceof IOException io ? io : new IOException(failure.toString(), failure);
      }
      failTasks();
      progress.signalAll();
      work.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Commits what is left and ends the sync thread. The pool takes no changes any more. */
  @Override
  public void close() throws IOException {
    lock.lock();
    try {
      closing = true;
      work.signal();
    } finally {
      lock.unlock();
    }
    awaitSyncThread();
    if (suspended != null && !abandoned && access == Access.CHANGE) {
      checkNotSuspended();
    }
  }

  private void awaitSyncThread() {
    boolean interrupted = false;
    while (syncThread.isAlive()) {
      try {
        syncThread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
