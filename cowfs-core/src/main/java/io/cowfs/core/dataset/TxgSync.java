package io.cowfs.core.dataset;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockPointer;
import java.io.IOException;

/**
 * The sync of one txg: where it writes, and where what it gives up goes. Owned by the sync thread.
 */
final class TxgSync implements History.Grave {
  private final long txg;
  private final BlockSink sink;
  private final Allocator allocator;

  TxgSync(long txg, BlockSink sink, Allocator allocator) {
    this.txg = txg;
    this.sink = sink;
    this.allocator = allocator;
  }

  long txg() {
    return txg;
  }

  BlockPointer writeBlock(byte[] content) throws IOException {
    return sink.writeBlock(content);
  }

  /** A reference dies: its range is freed, reusable once this txg and the next two are durable. */
  @Override
  public void dies(long sector, int sectors) throws IOException {
    allocator.free(sector, sectors, txg);
  }
}
