package io.cowfs.core.pool;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockWriter;
import io.cowfs.core.dataset.Catalog;
import io.cowfs.core.dataset.CommitBatch;
import io.cowfs.core.dataset.Datasets;
import io.cowfs.core.dataset.IndexBackup;
import io.cowfs.core.txg.Index;
import java.io.IOException;

/** The datasets and their catalog, as the commit sees them. */
record PoolIndex(
    Datasets datasets,
    Catalog catalog,
    Allocator allocator,
    IndexBackup backup,
    MemberTable members)
    implements Index {
  @Override
  public void beginTxg(long txg, BlockWriter writer) {
    datasets.beginSync(txg, writer::writeBlock);
  }

  @Override
  public BlockPointer writeDirectory() throws IOException {
    datasets.keepCheckpoints();
    return datasets.writeDirectory();
  }

  @Override
  public void commit() throws IOException {
    CommitBatch batch = datasets.prepareCommit();
    catalog.commit(batch, members.changes(batch.txg()));
    members.committed();
    backup.discard();
  }

  @Override
  public void committed() {
    datasets.committed();
  }

  @Override
  public boolean wantsCommit() {
    return allocator.pendingSectors() > 0;
  }
}
