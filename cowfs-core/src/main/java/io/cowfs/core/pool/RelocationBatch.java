package io.cowfs.core.pool;

import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.fs.FileRuns;
import io.cowfs.core.fs.Relocation;
import io.cowfs.core.fs.RelocationPlanner;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Parts of files of one dataset that are moved in one commit. They are read first, then handed in
 * together; when they are durable, those whose files were changed meanwhile are read once more.
 * Belongs to one thread.
 */
final class RelocationBatch {
  /** What is in memory at once. */
  static final int ARENA_BYTES = 4 * RelocationPlanner.WINDOW_BYTES;

  private static final int TRIES = 3;

  /** What was moved is free two commits later, some more to be sure. */
  private static final int COMMITS_TO_WAIT_FOR = 4;

  /** What is worked on. */
  record Sources(
      Pool pool, Datasets datasets, TransactionGroups txgs, BlockStore store, DatasetHead head) {}

  /** Told before something is moved, and of what was moved. */
  @FunctionalInterface
  interface Observer {
    /** Returns false when nothing more is to be moved: what was read is dropped then. */
    boolean goesOn(long movedBytes);
  }

  /** Whether a part of a file was looked at before. */
  private enum Look {
    FIRST,
    AGAIN
  }

  /** A part that was read. */
  private record Pending(long inode, long from, Relocation relocation) {}

  /** A file that is in work, or done. */
  private record Begun(long inode, FileRuns before, long[] movedBytes) {}

  private final Sources sources;
  private final RelocationTotals totals;
  private final Observer observer;
  private final RelocationPlanner planner;
  private final SparseCensus census;
  private final ByteBuffer arena;
  private final List<Pending> pending = new ArrayList<>();
  private final List<Begun> begun = new ArrayList<>();
  private long keptUntilTxg;

  /**
   * @param arena of {@link #ARENA_BYTES}; nobody else's until this was settled. After an error it
   *     may be in use until the next commit, so it must not be used again
   * @param census of what is to be moved, and is told of it; null to move what is in pieces
   */
  RelocationBatch(
      Sources sources,
      RelocationTotals totals,
      ByteBuffer arena,
      Observer observer,
      SparseCensus census) {
    this.arena = arena;
    this.census = census;
    this.sources = sources;
    this.totals = totals;
    this.observer = observer;
    this.planner = new RelocationPlanner(sources.store);
    refresh();
  }

  private void refresh() {
    arena.clear();
    keptUntilTxg = sources.datasets.keptUntilTxg(sources.head.id());
  }

  /** What others than the head of a dataset refer to. */
  static RelocationPlanner.Sharing sharing(Datasets datasets, long keptUntilTxg) {
    return extent -> extent.birthTxg() <= keptUntilTxg || datasets.hasFurtherReferences(extent);
  }

  private boolean isThere() {
    return sources.datasets.node(sources.head.id()).isPresent();
  }

  /** Another file comes next. */
  void begin(long inode, FileRuns before) {
    begun.add(new Begun(inode, before, new long[1]));
  }

  /**
   * Moves a part of the file that was begun last, or has it moved with others that follow.
   *
   * @param from the offset to go on from, in bytes
   * @return where the next part is; {@link RelocationPlanner#END} at the end
   */
  long move(long inode, long from) throws IOException {
    if (arena.remaining() < RelocationPlanner.WINDOW_BYTES) {
      settleParts();
      finishFiles(begun.size() - 1);
    }
    return read(inode, from, Look.FIRST);
  }

  @SuppressWarnings("try") // The hold is for the tree that is read.
  private long read(long inode, long from, Look look) throws IOException {
    try (ReadPins.Pin hold = sources.txgs.readPins().pin()) {
      RelocationPlanner.Sharing sharing = sharing(sources.datasets, keptUntilTxg);
      RelocationPlanner.Step step =
          census == null
              ? planner.next(tree(), inode, from, sharing, arena)
              : planner.nextInTheWay(tree(), inode, from, census::isInTheWay, sharing, arena);
      if (look == Look.FIRST) {
        totals.shared(step.sharedBytes());
      }
      if (step.relocation() != null) {
        pending.add(new Pending(inode, from, step.relocation()));
      }
      return step.next();
    } catch (CorruptBlockException damaged) {
      totals.damaged(
          "%s: inode %d: %s".formatted(sources.head.name(), inode, damaged.getMessage()));
      return planner.lastEnd();
    }
  }

  private Tree tree() {
    return new Tree(
        sources.datasets.node(sources.head.id()).flatMap(node -> node.root()).orElse(null),
        sources.store::readBlock);
  }

  /** Moves what was read, and is done with all files that were begun. */
  void settle() throws IOException {
    settleParts();
    finishFiles(begun.size());
  }

  private void settleParts() throws IOException {
    boolean goesOn = true;
    for (int tries = 1; !pending.isEmpty() && goesOn; tries++) {
      if (!observer.goesOn(0)) {
        break;
      }
      List<Pending> parts = List.copyOf(pending);
      pending.clear();
      handIn(parts);
      List<Pending> again = new ArrayList<>();
      long moved = 0;
      for (Pending part : parts) {
        long bytes = part.relocation.bytes();
        switch (part.relocation.outcome()) {
          case MOVED -> {
            moved += bytes;
            noteMoved(part.inode, bytes);
            if (census != null) {
              part.relocation.extents().forEach(census::moved);
            }
          }
          case CHANGED, SHARED -> again.add(part);
          case NO_RUN -> totals.stuck(bytes);
          case NO_SPACE -> totals.outOfSpace();
          case PENDING -> {} // The dataset is gone.
          default -> throw new IllegalStateException(part.relocation.outcome().toString());
        }
      }
      totals.moved(moved);
      refresh();
      goesOn = observer.goesOn(moved);
      for (Pending part : again) {
        if (tries == TRIES || !goesOn || arena.remaining() < RelocationPlanner.WINDOW_BYTES) {
          totals.changed(part.relocation.bytes());
        } else {
          read(part.inode, part.from, Look.AGAIN);
        }
      }
    }
    pending.clear();
    refresh();
  }

  private void noteMoved(long inode, long bytes) {
    for (Begun file : begun) {
      if (file.inode == inode) {
        file.movedBytes[0] += bytes;
      }
    }
  }

  /** Hands all in, and waits until it is decided. */
  private void handIn(List<Pending> parts) throws IOException {
    long txg = 0;
    for (int commits = 0; ; commits++) {
      txg = Math.max(txg, handInOnce(parts));
      boolean isShort =
          parts.stream().anyMatch(part -> part.relocation.outcome() == Relocation.Outcome.NO_SPACE);
      sources.txgs.awaitDurable(isShort ? sources.txgs.openTxg() : txg, () -> false);
      if (!isShort || commits == COMMITS_TO_WAIT_FOR) {
        return;
      }
    }
  }

  /** Returns the newest txg to wait for. */
  private long handInOnce(List<Pending> parts) throws IOException {
    long txg = 0;
    sources.txgs.throttle(() -> false);
    synchronized (sources.pool) {
      if (!isThere()) {
        return 0;
      }
      var volume = sources.pool.lend(sources.head.name());
      for (Pending part : parts) {
        if (part.relocation.isToBeHandedIn()) {
          volume.relocate(part.relocation);
        }
        txg = Math.max(txg, part.relocation.txg());
      }
    }
    return txg;
  }

  /** Tells how the files lie now that were begun first. */
  @SuppressWarnings("try") // The hold is for the tree that is read.
  private void finishFiles(int count) throws IOException {
    for (Begun file : begun.subList(0, count)) {
      FileRuns after = file.before;
      if (file.movedBytes[0] > 0) {
        try (ReadPins.Pin hold = sources.txgs.readPins().pin()) {
          after = RelocationPlanner.runs(tree(), file.inode);
        }
        totals.movedFile();
      }
      totals.looked(file.before, after);
    }
    begun.subList(0, count).clear();
  }
}
