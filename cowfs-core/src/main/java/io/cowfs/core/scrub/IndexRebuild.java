package io.cowfs.core.scrub;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.dataset.CatalogState;
import io.cowfs.core.dataset.IndexBuilder;
import io.cowfs.core.dataset.NodeRecord;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Makes the index of a pool from what its device has: the dataset directory that a root record
 * points to, and a walk through all trees of it. In use is what the walk reaches; a range is shared
 * as often as it is met; a deadlist is what the parent has and the state has not. Nodes of trees
 * are read and verified, data is not.
 *
 * <p>Takes memory for a bit of each sector, and for what one state differs from its parent.
 * Confined to one thread, which has the lock of the pool.
 */
public final class IndexRebuild {
  private final Sources sources;
  private final ReferenceCounts counts;

  /**
   * What an index is made from.
   *
   * @param poolDirectory where it goes
   * @param capacityBytes size limit of the pool; 0 for none
   * @param endSector nothing of the device is behind it
   * @param reader of nodes, verified
   * @param items knows what the items of a dataset's tree mean
   */
  public record Sources(
      Path poolDirectory,
      long capacityBytes,
      long endSector,
      NodeReader reader,
      ItemReader items) {}

  private IndexRebuild(Sources sources) {
    this.sources = sources;
    this.counts = new ReferenceCounts(sources.endSector());
  }

  /**
   * Makes an index, and puts it in the place of the pool's own. The old one is kept. An error
   * leaves the old one in place.
   *
   * @param directoryRoot of the dataset directory
   * @param txg that counts as the last committed one; not older than the directory
   * @param suffix for the name of the old index
   * @return the old index; null when there was none
   * @throws CorruptBlockException when a node cannot be read, or something does not fit together
   */
  public static Path run(Sources sources, BlockPointer directoryRoot, long txg, String suffix)
      throws IOException {
    return new IndexRebuild(sources).run(directoryRoot, txg, suffix);
  }

  private Path run(BlockPointer directoryRoot, long txg, String suffix) throws IOException {
    PoolWalk walk = new PoolWalk(sources.reader(), sources.items());
    CatalogState directory = walk.directory(directoryRoot, txg);
    try (IndexBuilder builder =
        IndexBuilder.begin(sources.poolDirectory(), directory, txg, sources.capacityBytes())) {
      walk.run(
          directory,
          new PoolWalk.Visitor() {
            @Override
            public void node(BlockPointer node) throws IOException {
              node.forEachPlace((sector, count, birthTxg) -> counts.add(sector, count));
            }

            @Override
            public void extent(DataExtent extent) throws IOException {
              extent.forEachPlace((sector, count, birthTxg) -> counts.add(sector, count));
            }

            @Override
            public void lost(NodeRecord state, long sector, long sectors, long birthTxg)
                throws IOException {
              builder.addLost(state, sector, sectors, birthTxg);
            }
          });
      counts.forEachShared(builder::addShared);
      return builder.install(counts.regions(), suffix);
    }
  }
}
