package io.cowfs.core.fs;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import java.io.IOException;

/** Counts the runs of one file, extent by extent. Belongs to one thread. */
final class RunCounter {
  /** A file has nothing from runs that are longer. */
  private static final long GOOD_RUN_BYTES = 1 << 20;

  private long extents;
  private long runs;
  private long sectors;
  private long largestSectors;
  private long largestDataBytes;

  // Of the run in work.
  private long runSectors;
  private long runDataBytes;
  private long next = -1;

  /** All extents of a file. */
  static FileRuns of(ItemSource tree, Inode file) throws IOException {
    RunCounter counter = new RunCounter();
    if (file.allocatedSectors > 0) {
      ItemCursor cursor = new ItemCursor(tree, file.number, Items.EXTENT);
      for (var item = cursor.poll(); item != null; item = cursor.poll()) {
        counter.add(DataExtentFormat.decode(item.getValue()));
      }
    }
    return counter.result(file.size);
  }

  /** The extent that comes next in the file. */
  void add(DataExtent extent) {
    if (extent.sector() != next) {
      runs++;
      runSectors = 0;
      runDataBytes = 0;
    }
    extents++;
    sectors += extent.sectors();
    runSectors += extent.sectors();
    runDataBytes += extent.logicalBytes();
    next = extent.sector() + extent.sectors();
    if (runSectors > largestSectors) {
      largestSectors = runSectors;
      largestDataBytes = runDataBytes;
    }
  }

  /** So many so far. */
  long runs() {
    return runs;
  }

  private FileRuns result(long sizeBytes) {
    long storedBytes = sectors * BlockPointer.SECTOR_BYTES;
    return new FileRuns(
        1,
        sizeBytes,
        extents,
        runs,
        storedBytes,
        largestSectors * BlockPointer.SECTOR_BYTES,
        largestDataBytes,
        Math.max(0, runs - 1 - storedBytes / GOOD_RUN_BYTES));
  }
}
