package io.cowfs.core.pool;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.alloc.FreeRuns;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.DatasetHead;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.fs.FileRuns;
import io.cowfs.core.fs.FragmentationWalk;
import io.cowfs.core.pool.Fragmentation.FragmentedFile;
import io.cowfs.core.pool.Fragmentation.FreeRunsOfSize;
import io.cowfs.core.pool.Fragmentation.FreeSpace;
import io.cowfs.core.pool.Fragmentation.Scope;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.txg.TransactionGroups;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Looks how files lie on the device, also while they are written to. Thread-safe. */
final class PoolFragmentation {
  private static final int WORST_FILES = 10;

  private static final Comparator<FragmentedFile> BY_SURPLUS =
      Comparator.<FragmentedFile>comparingLong(file -> file.runs().surplusRuns())
          .thenComparingLong(file -> file.runs().runs());

  private final Datasets datasets;
  private final TransactionGroups txgs;
  private final NodeReader reader;
  private final Allocator allocator;

  PoolFragmentation(
      Datasets datasets, TransactionGroups txgs, NodeReader reader, Allocator allocator) {
    this.datasets = datasets;
    this.txgs = txgs;
    this.reader = reader;
    this.allocator = allocator;
  }

  /** What one look has found so far. */
  private static final class Sums {
    private FileRuns all = FileRuns.NONE;
    private final PriorityQueue<FragmentedFile> worst = new PriorityQueue<>(BY_SURPLUS);

    void add(FragmentedFile file) {
      all = all.plus(file.runs());
      worst.add(file);
      if (worst.size() > WORST_FILES) {
        worst.poll();
      }
    }

    List<FragmentedFile> worstFirst() {
      List<FragmentedFile> files = new ArrayList<>(worst);
      files.sort(BY_SURPLUS.reversed());
      return files;
    }
  }

  /** See {@link Pool#fragmentation()}. */
  Fragmentation ofPool() throws IOException {
    sync();
    Sums sums = new Sums();
    for (DatasetHead head : datasets.heads()) {
      look(head.id(), head.name(), new byte[0], sums);
    }
    return new Fragmentation(Scope.FILES, sums.all, sums.worstFirst(), freeSpace());
  }

  /** See {@link Pool#fragmentation(String, byte[])}. */
  Fragmentation ofPath(String dataset, byte[] path) throws IOException {
    sync();
    Sums sums = new Sums();
    Scope scope = look(datasets.head(dataset).id(), dataset, path, sums);
    return new Fragmentation(scope, sums.all, sums.worstFirst(), freeSpace());
  }

  private FreeSpace freeSpace() {
    FreeRuns free = allocator.freeRuns();
    List<FreeRunsOfSize> runs = new ArrayList<>();
    for (int power = 0; power < FreeRuns.POWERS; power++) {
      if (free.runs()[power] > 0) {
        runs.add(
            new FreeRunsOfSize(
                bytes(1L << power), free.runs()[power], bytes(free.sectors()[power])));
      }
    }
    return new FreeSpace(runs, bytes(free.largest()), bytes(free.behind()));
  }

  private static long bytes(long sectors) {
    return sectors * BlockPointer.SECTOR_BYTES;
  }

  private void sync() throws IOException {
    if (!txgs.isReadOnly()) {
      txgs.syncAll();
    }
  }

  @SuppressWarnings("try") // The hold is for the tree that is read.
  private Scope look(int node, String dataset, byte[] path, Sums sums) throws IOException {
    try (ReadPins.Pin hold = txgs.readPins().pin()) {
      Tree tree =
          new Tree(datasets.node(node).flatMap(record -> record.root()).orElse(null), reader);
      boolean single =
          FragmentationWalk.run(
              tree, path, (at, runs) -> sums.add(new FragmentedFile(dataset, at, runs)));
      return single ? Scope.FILE : Scope.FILES;
    }
  }
}
