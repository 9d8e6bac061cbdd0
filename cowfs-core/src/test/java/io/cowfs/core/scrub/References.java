package io.cowfs.core.scrub;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.pool.TestPool;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/** What a pool reaches, found by walking each tree as a whole: the oracle of the scrub's tests. */
final class References {
  /** A sector with the checksum of what is in it: the same content under whatever references. */
  record Content(long sector, long checksum) {}

  private References() {}

  static Set<Content> all(TestPool pool) throws IOException {
    Set<Content> all = new HashSet<>();
    SpaceAudit.Sources now = pool.sources();
    for (NodeRecord node : now.nodes()) {
      new Tree(node.root().orElse(null), now.store()::readBlock).walk(-1, collector(now, all));
    }
    return all;
  }

  private static NodeVisitor collector(SpaceAudit.Sources now, Set<Content> all) {
    return new NodeVisitor() {
      @Override
      public void item(Key key, byte[] source, int offset, int length) throws IOException {
        DataExtent extent =
            now.items().extentOf(key, Arrays.copyOfRange(source, offset, offset + length));
        for (int i = 0; extent != null && i < extent.sectors(); i++) {
          long checksum = extent.isPlain() ? extent.sectorChecksum(i) : extent.checksum();
          for (int place = 0; place < extent.places(); place++) {
            all.add(new Content(extent.place(place) + i, checksum));
          }
        }
      }

      @Override
      public void node(BlockPointer pointer, int level) {
        for (int i = 0; i < pointer.sectors(); i++) {
          for (int place = 0; place < pointer.places(); place++) {
            all.add(new Content(pointer.place(place) + i, pointer.checksum()));
          }
        }
      }
    };
  }
}
