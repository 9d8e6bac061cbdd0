package io.cowfs.core.dataset;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.Reference;
import java.io.IOException;

/**
 * The sync of one txg: where it writes, and where what it gives up goes. Owned by the sync thread.
 */
final class TxgSync {
  private final long txg;
  private final BlockSink sink;
  private final Allocator allocator;
  private final SharedRanges shared;

  TxgSync(long txg, BlockSink sink, Allocator allocator, SharedRanges shared) {
    this.txg = txg;
    this.sink = sink;
    this.allocator = allocator;
    this.shared = shared;
  }

  long txg() {
    return txg;
  }

  BlockPointer writeBlock(byte[] content) throws IOException {
    return sink.writeBlock(content);
  }

  /** A range has one reference more. */
  void share(long sector, int sectors) throws IOException {
    shared.increment(sector, sectors);
  }

  /**
   * A reference dies: its shared-range count drops; at none, the range is freed, reusable once this
   * txg and the next two are durable.
   */
  void dies(Reference reference) throws IOException {
    for (int i = 0; i < reference.places(); i++) {
      dies(reference.place(i), reference.sectors());
    }
  }

  /** The same of one range of sectors. */
  void dies(long sector, int sectors) throws IOException {
    shared.decrement(sector, sectors, (from, count) -> allocator.free(from, count, txg));
  }
}
