package io.cowfs.core.pool;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.fs.FileRuns;
import io.cowfs.core.fs.RelocationPlanner;
import io.cowfs.core.pool.DefragmentationReport.Ending;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Puts the extents of fragmented files together, while the pool is in use; and of a whole pool,
 * then moves what keeps long runs of space from being free. What a file contains, and what it
 * shares with snapshots and clones, stays as it is.
 *
 * <p>A few mebibytes are read at a time, beside all other work and under a hold; then they are
 * handed in to the open txg and awaited ({@link RelocationBatch}). The lock of the pool is held
 * only to hand them in.
 *
 * <p>Thread-safe. One runs at a time, on the thread of whoever asks for it.
 */
public final class Defragmenter {
  private static final System.Logger LOG = System.getLogger(Defragmenter.class.getName());
  private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
  private static final double NANOS_PER_SECOND = 1e9;
  private static final int FILES_BETWEEN_LOOKS = 1000;

  /** Told how far it is; never under a lock. */
  @FunctionalInterface
  public interface Progress {
    /**
     * It has come further.
     *
     * @param part of the files that it is done with, from 0 to 1
     * @return false to end it
     */
    boolean goesOn(DefragmentationReport soFar, double part);
  }

  /** On whose behalf. */
  private enum Urgency {
    /** Somebody waits for it. */
    ASKED_FOR,
    /** Gives way to who asks. */
    BACKGROUND
  }

  private final Pool pool;
  private final Datasets datasets;
  private final TransactionGroups txgs;
  private final BlockStore store;
  private final Allocator allocator;
  private final LongSupplier nanoTime;

  // Guarded by this.
  private Run current;
  private boolean closed;

  Defragmenter(
      Pool pool,
      Datasets datasets,
      TransactionGroups txgs,
      BlockStore store,
      Allocator allocator,
      LongSupplier nanoTime) {
    this.pool = pool;
    this.datasets = datasets;
    this.txgs = txgs;
    this.store = store;
    this.allocator = allocator;
    this.nanoTime = nanoTime;
  }

  /**
   * Defragments all files of the pool, as far as their datasets may be changed, and its free space.
   *
   * @throws DatasetException BUSY while another one runs
   * @throws IOException also when the pool cannot be changed, or not any more
   */
  public DefragmentationReport run(Progress progress) throws IOException {
    pool.requireWritable();
    List<DatasetHead> heads = new ArrayList<>(datasets.heads());
    heads.sort(Comparator.comparing(DatasetHead::name));
    return run(new Run(Urgency.ASKED_FOR, 0, progress), heads, Selection.POOL);
  }

  /**
   * Defragments the files at and below a path of a dataset, mounted or not.
   *
   * @param path relative to the root of the dataset; empty for all of it
   * @throws DatasetException NOT_FOUND, INVALID_NAME, NAME_TOO_LONG; BUSY while another one runs
   * @throws IOException also when the dataset or the pool cannot be changed
   */
  public DefragmentationReport run(String dataset, byte[] path, Progress progress)
      throws IOException {
    pool.requireWritable();
    DatasetHead head = datasets.head(dataset);
    if (head.settings().readonly()) {
      throw new IOException("dataset '" + dataset + "' is read-only");
    }
    return run(
        new Run(Urgency.ASKED_FOR, 0, progress),
        List.of(head),
        path.length == 0 ? Selection.ALL : new Selection(path, 0));
  }

  /**
   * The same for one dataset, as long as nobody asks for one.
   *
   * @param surplusMax files with fewer surplus runs for each mebibyte are left
   * @param changedAfter a txg: files that were not changed since are left
   * @throws DatasetException BUSY while another one runs
   */
  DefragmentationReport runInBackground(
      DatasetHead head, int surplusMax, long changedAfter, Progress progress) throws IOException {
    return run(
        new Run(Urgency.BACKGROUND, surplusMax, progress),
        List.of(head),
        changedAfter == 0 ? Selection.ALL : new Selection(null, changedAfter));
  }

  /**
   * Which files of a dataset.
   *
   * @param path null for all
   * @param changedAfter a txg; 0 for all, -1 where it is the same for all datasets
   */
  private record Selection(byte[] path, long changedAfter) {
    static final Selection ALL = new Selection(null, 0);

    /** Of all datasets. */
    static final Selection POOL = new Selection(null, -1);

    boolean isAll() {
      return path == null && changedAfter <= 0;
    }

    void forEach(Tree tree, RelocationPlanner.FileVisitor visitor) throws IOException {
      if (path != null) {
        RelocationPlanner.forEachFile(tree, path, visitor);
      } else {
        RelocationPlanner.forEachChangedFile(tree, changedAfter, visitor);
      }
    }
  }

  private DefragmentationReport run(Run run, List<DatasetHead> heads, Selection selection)
      throws IOException {
    begin(run);
    try {
      return run.all(heads, selection);
    } finally {
      synchronized (this) {
        current = null;
        notifyAll();
      }
    }
  }

  private synchronized void begin(Run run) throws IOException {
    while (current != null) {
      if (run.urgency == Urgency.BACKGROUND || current.urgency == Urgency.ASKED_FOR) {
        throw new DatasetException(Reason.BUSY, "a defragmentation is running already");
      }
      current.stopped = true;
      notifyAll();
      waitNanos(LOOK_NANOS);
    }
    if (closed) {
      throw new DatasetException(Reason.BUSY, "the pool is being closed");
    }
    current = run;
  }

  /** Ends the one that runs, and lets none begin any more: the pool is going to be closed. */
  public synchronized void stop() {
    closed = true;
    while (current != null) {
      current.stopped = true;
      notifyAll();
      waitNanos(LOOK_NANOS);
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

  /** One defragmentation. Belongs to its thread, but for the field that says otherwise. */
  private final class Run implements RelocationBatch.Observer {
    private final Urgency urgency;
    private final int surplusMax;
    private final Progress progress;

    /** Written by others. */
    private volatile boolean stopped;

    private final RelocationTotals totals = new RelocationTotals();
    private ByteBuffer arena;

    /** Of the dataset in work; null until something is to be moved. */
    private RelocationBatch batch;

    // Of all files: the part before the dataset in work, and that of it.
    private double partBefore;
    private double share;

    // Files of it; of the last one, a part is done.
    private double expected;
    private long seen;
    private double partOfFile;

    private long paceStart;
    private long pacedBytes;

    Run(Urgency urgency, int surplusMax, Progress progress) {
      this.urgency = urgency;
      this.surplusMax = surplusMax;
      this.progress = progress;
    }

    DefragmentationReport all(List<DatasetHead> heads, Selection selection) throws IOException {
      txgs.syncAll();
      paceStart = nanoTime.getAsLong();
      long files = Math.max(1, heads.stream().mapToLong(DatasetHead::files).sum());
      long filesDone = 0;
      for (DatasetHead head : heads) {
        if (head.settings().readonly()) {
          totals.skipped(head.name());
        } else if (!isOver()) {
          partBefore = filesDone / (double) files;
          share = head.files() / (double) files;
          dataset(head, selection);
        }
        filesDone += head.files();
      }
      if (selection.equals(Selection.POOL) && !isOver()) {
        consolidate(heads);
      }
      return totals.report(
          totals.isOutOfSpace() ? Ending.NO_SPACE : stopped ? Ending.STOPPED : Ending.COMPLETE);
    }

    /** Moves what is alone in parts of the device: together it takes fewer of them. */
    private void consolidate(List<DatasetHead> heads) throws IOException {
      txgs.syncAll(); // What was moved frees its former place.
      SparseCensus census = new SparseCensus(allocator.findSparseChunks());
      for (DatasetHead head : heads) {
        count(head, census);
      }
      if (isOver() || !census.end()) {
        return;
      }
      RelocationTotals moved = new RelocationTotals();
      allocator.drain(census.chunks());
      try {
        for (Map.Entry<DatasetHead, FileNumbers> each : census.files().entrySet()) {
          if (isToBeMoved(each.getKey(), moved)) {
            moveOut(each.getKey(), each.getValue(), census, moved);
          }
        }
      } finally {
        allocator.endDraining();
        totals.consolidated(moved, census.chunks().gainBytes());
      }
    }

    /** Ends at what cannot be read: what was not counted keeps its part of the device. */
    @SuppressWarnings("try") // The hold is for the tree that is read.
    private void count(DatasetHead head, SparseCensus census) throws IOException {
      long keptUntilTxg = datasets.keptUntilTxg(head.id());
      RelocationPlanner.Sharing sharing = RelocationBatch.sharing(datasets, keptUntilTxg);
      long files = 0;
      long inode = 0;
      while (isToBeMoved(head, totals)) {
        try (ReadPins.Pin hold = txgs.readPins().pin()) {
          inode = RelocationPlanner.nextFile(tree(head), inode);
          if (inode == RelocationPlanner.END) {
            return;
          }
          census.count(head, tree(head), inode, sharing);
        } catch (CorruptBlockException damaged) {
          LOG.log(System.Logger.Level.WARNING, "free space of " + head.name(), damaged);
          return;
        }
        inode++;
        if (++files % FILES_BETWEEN_LOOKS == 0) {
          look();
        }
      }
    }

    private boolean isToBeMoved(DatasetHead head, RelocationTotals moved) {
      return !isOver() && !moved.isOutOfSpace() && isThere(head) && !head.settings().readonly();
    }

    private void moveOut(
        DatasetHead head, FileNumbers files, SparseCensus census, RelocationTotals moved)
        throws IOException {
      batch = newBatch(head, moved, census);
      try {
        long done = 0;
        long inode = files.next(0);
        // Where data has to go back into what is being emptied, there is nothing to be gained.
        while (inode != RelocationPlanner.END
            && allocator.isDraining()
            && isToBeMoved(head, moved)) {
          batch.begin(inode, FileRuns.NONE);
          long offset = 0;
          while (offset != RelocationPlanner.END && isToBeMoved(head, moved)) {
            offset = batch.move(inode, offset);
          }
          if (++done % FILES_BETWEEN_LOOKS == 0) {
            batch.settle();
            look();
          }
          inode = files.next(inode + 1);
        }
        batch.settle();
      } finally {
        pool.takeBack(head.name());
      }
    }

    private boolean isOver() {
      return stopped || totals.isOutOfSpace();
    }

    private void dataset(DatasetHead head, Selection selection) throws IOException {
      batch = null;
      FileNumbers numbers = selection.isAll() ? null : numbers(head, selection);
      expected = Math.max(1, numbers == null ? head.files() : numbers.size());
      seen = 0;
      try {
        for (long inode = next(head, numbers, 0);
            inode != RelocationPlanner.END && !isOver() && isThere(head);
            inode = next(head, numbers, inode + 1)) {
          partOfFile = 0;
          file(head, inode);
          seen++;
          if (seen % FILES_BETWEEN_LOOKS == 0) {
            look();
          }
        }
        if (batch != null) {
          batch.settle();
        }
      } finally {
        pool.takeBack(head.name());
      }
    }

    private boolean isThere(DatasetHead head) {
      return datasets.node(head.id()).isPresent();
    }

    private RelocationBatch newBatch(
        DatasetHead head, RelocationTotals counted, SparseCensus census) {
      if (arena == null) {
        arena = ByteBuffer.allocateDirect(RelocationBatch.ARENA_BYTES);
      }
      RelocationBatch.Sources sources =
          new RelocationBatch.Sources(pool, datasets, txgs, store, head);
      return new RelocationBatch(sources, counted, arena, this, census);
    }

    private double partDone() {
      return partBefore + share * Math.min(1, (seen + partOfFile) / expected);
    }

    @SuppressWarnings("try") // The hold is for the tree that is read.
    private FileNumbers numbers(DatasetHead head, Selection selection) throws IOException {
      FileNumbers numbers = new FileNumbers();
      try (ReadPins.Pin hold = txgs.readPins().pin()) {
        selection.forEach(tree(head), numbers::add);
      }
      numbers.sort();
      return numbers;
    }

    @SuppressWarnings("try") // The hold is for the tree that is read.
    private long next(DatasetHead head, FileNumbers numbers, long from) throws IOException {
      if (numbers != null) {
        return numbers.next(from);
      }
      try (ReadPins.Pin hold = txgs.readPins().pin()) {
        return RelocationPlanner.nextFile(tree(head), from);
      }
    }

    private Tree tree(DatasetHead head) {
      return new Tree(
          datasets.node(head.id()).flatMap(node -> node.root()).orElse(null), store::readBlock);
    }

    @SuppressWarnings("try") // The hold is for the tree that is read.
    private void file(DatasetHead head, long inode) throws IOException {
      FileRuns before;
      try (ReadPins.Pin hold = txgs.readPins().pin()) {
        before = RelocationPlanner.runs(tree(head), inode);
      } catch (CorruptBlockException damaged) {
        totals.damaged("%s: inode %d: %s".formatted(head.name(), inode, damaged.getMessage()));
        return;
      }
      boolean isFragmented =
          before.surplusRuns() > 0
              && before.surplusRuns() > surplusMax * (before.storedBytes() >> 20);
      if (before.files() == 0) {
        return;
      }
      if (!isFragmented) {
        totals.looked(before, before);
        return;
      }
      if (batch == null) {
        batch = newBatch(head, totals, null);
      }
      batch.begin(inode, before);
      long offset = 0;
      while (offset != RelocationPlanner.END && !isOver()) {
        offset = batch.move(inode, offset);
        partOfFile = offset / (double) Math.max(1, before.sizeBytes());
      }
    }

    private void look() {
      if (!progress.goesOn(totals.report(Ending.NONE), partDone())) {
        stopped = true;
      }
    }

    /** Something was moved: waits until that is within the limit, which may change meanwhile. */
    @Override
    public boolean goesOn(long movedBytes) {
      look();
      pacedBytes += movedBytes;
      while (!isOver()) {
        var limit = datasets.defragBytesPerSecond();
        double seconds = limit.isPresent() ? pacedBytes / (double) limit.getAsLong() : 0;
        long left = paceStart + (long) (seconds * NANOS_PER_SECOND) - nanoTime.getAsLong();
        if (left <= 0) {
          break;
        }
        synchronized (Defragmenter.this) {
          if (!stopped) {
            waitNanos(Math.min(left, LOOK_NANOS));
          }
        }
        look();
      }
      paceStart = nanoTime.getAsLong();
      pacedBytes = 0;
      return !isOver();
    }
  }
}
