package io.cowfs.core.scrub;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeReader;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.CatalogState;
import io.cowfs.core.dataset.IndexBuilder;
import io.cowfs.core.dataset.NodeRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

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
    CatalogState directory = IndexBuilder.readDirectory(directoryRoot, this::read);
    if (directory.pool().txg() > txg) {
      throw new CorruptBlockException("the dataset directory is newer than its root record");
    }
    countDirectory(directoryRoot);
    Map<Integer, NodeRecord> nodes = new HashMap<>();
    directory.nodes().forEach(node -> nodes.put(node.id(), node));
    try (IndexBuilder builder =
        IndexBuilder.begin(sources.poolDirectory(), directory, txg, sources.capacityBytes())) {
      for (NodeRecord node : directory.nodes()) {
        add(node, nodes.get(node.parent()), builder);
      }
      counts.forEachShared(builder::addShared);
      return builder.install(counts.regions(), suffix);
    }
  }

  /** Whatever keeps a node from being read: it is missing. */
  private byte[] read(BlockPointer pointer) throws CorruptBlockException {
    try {
      return sources.reader().readNode(pointer);
    } catch (CorruptBlockException e) {
      throw e;
    } catch (IOException e) {
      throw new CorruptBlockException(
          "sector %d cannot be read: %s".formatted(pointer.sector(), e.getMessage()), e);
    }
  }

  private void countDirectory(BlockPointer root) throws IOException {
    new Tree(root, this::read)
        .walk(
            -1,
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) {}

              @Override
              public void node(BlockPointer pointer, int level) throws IOException {
                counts.add(pointer.sector(), pointer.sectors());
              }
            });
  }

  private void add(NodeRecord node, NodeRecord parent, IndexBuilder builder) throws IOException {
    LostReferences lost = new LostReferences();
    StateComparison.run(
        node,
        parent,
        this::read,
        sources.items(),
        new StateComparison.Visitor() {
          @Override
          public void bornExtent(Key key, DataExtent extent) throws IOException {
            counts.add(extent.sector(), extent.sectors());
          }

          @Override
          public void bornNode(BlockPointer pointer) throws IOException {
            counts.add(pointer.sector(), pointer.sectors());
          }

          @Override
          public void onlyInParent(long sector, int sectors, long birthTxg) {
            lost.add(sector, sectors, birthTxg);
          }

          @Override
          public void kept(long sector, int sectors, long birthTxg) {
            lost.subtract(sector, sectors, birthTxg);
          }

          @Override
          public void foreign(BlockPointer pointer) throws IOException {
            throw new CorruptBlockException(
                "node %d of the history has a node at sector %d that its parent has not"
                    .formatted(node.id(), pointer.sector()));
          }
        });
    lost.forEach((sector, sectors, birthTxg) -> builder.addLost(node, sector, sectors, birthTxg));
  }
}
