package io.cowfs.core.txg;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.BlockWriter;
import io.cowfs.core.device.BlockDevice;
import java.io.IOException;
import java.time.Clock;
import java.util.List;
import java.util.UUID;

/**
 * The one commit point of the pool: the steps of a commit in the only order in which they are safe.
 * The crash argument is in the package's description. Owned by the sync thread.
 */
public final class CommitSequence {
  private final UUID poolId;
  private final BlockDevice device;
  private final Allocator allocator;
  private final BlockStore store;
  private final Index index;
  private final RootRing ring;
  private final Clock clock;

  public CommitSequence(
      UUID poolId,
      BlockDevice device,
      Allocator allocator,
      BlockStore store,
      Index index,
      RootRing ring,
      Clock clock) {
    this.poolId = poolId;
    this.device = device;
    this.allocator = allocator;
    this.store = store;
    this.index = index;
    this.ring = ring;
    this.clock = clock;
  }

  /** A queued task, with whoever waits for its outcome. */
  interface PendingTask {
    void run(long txg) throws IOException;
  }

  void commit(long txg, List<Participant> participants, List<? extends PendingTask> tasks)
      throws IOException {
    long oldestPinnedTxg = Long.MAX_VALUE;
    for (Participant participant : participants) {
      oldestPinnedTxg = Math.min(oldestPinnedTxg, participant.oldestPinnedTxg());
    }
    allocator.beginTxg(txg, oldestPinnedTxg);

    BlockPointer directory;
    try (BlockWriter writer = store.openWriter(txg)) {
      index.beginTxg(txg, writer);
      for (Participant participant : participants) {
        participant.sync(txg, writer);
      }
      for (PendingTask task : tasks) {
        task.run(txg);
      }
      directory = index.writeDirectory();
      writer.flush();
    }
    device.sync();
    index.commit();
    ring.write(new RootRecord(txg, poolId, clock.millis(), directory));

    index.committed();
    for (Participant participant : participants) {
      participant.published(txg);
    }
  }

  boolean wantsCommit() {
    return index.wantsCommit();
  }
}
