package io.cowfs.core.fs;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.txg.TransactionGroups;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.time.Clock;
import java.util.function.LongSupplier;

/**
 * What the volumes of one pool share.
 *
 * @param hostFreeSectors what the file system below the pool could still give, in sectors
 * @param relief for writers that find no space
 * @param owner of the root directory of a new dataset
 */
public record VolumeServices(
    TransactionGroups txgs,
    Allocator allocator,
    BlockStore store,
    NodeReader nodes,
    SharedPages pages,
    LongSupplier hostFreeSectors,
    SpaceRelief relief,
    Clock clock,
    Owner owner) {

  /**
   * Comes before every operation.
   *
   * @throws FsException IO when the file systems of the pool were shut down
   */
  void checkNotShutDown() throws FsException {
    if (txgs.isAbandoned()) {
      throw new FsException(FsError.IO);
    }
  }

  /** A user and a group by number. */
  public record Owner(int uid, int gid) {}

  /** The memory for dirty file data of all volumes of a pool. */
  public static final class SharedPages {
    final PageArena arena = new PageArena();
  }
}
