package io.cowfs.core.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.btree.TreeNodes;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.scrub.SpaceAudit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The index has all that the dataset directory has: its damage costs nothing. */
class DamagedDirectoryTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(ints = {1, 400})
  void isWrittenAnew(int snapshots) throws Exception {
    Path at = directory.resolve("pool");
    try (TestPool pool =
        TestPool.create(at, 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND)) {
      for (int i = 0; i < snapshots; i++) {
        pool.snapshot("s" + i);
      }
      BlockPointer before = pool.sources().directoryRoot();
      List<BlockPointer> leaves = leaves(pool.sources());
      assertEquals(snapshots > 1, leaves.size() > 1);
      leaves.forEach(leaf -> pool.rot(leaf, 100, 3));
      pool.sources().store().dropCaches();
      pool.commit();
      assertNotEquals(before, pool.sources().directoryRoot());
      assertEquals(List.of(), pool.findings(), "nothing is damaged, and no space is lost");
      pool.destroySnapshot("s0");
      assertEquals(List.of(), pool.findings());

      List<NodeRecord> nodes = pool.sources().nodes();
      assertEquals(snapshots, nodes.size());
      pool.close();
      Files.delete(at.resolve("index/data.mdb"));
      pool.rebuildIndex();
      pool.open();
      assertTrue(pool.sources().nodes().containsAll(nodes), "a new index has all of it");
    }
  }

  @Test
  void isWrittenAnewAfterOpeningAlsoWhereNothingChanges() throws Exception {
    Path at = directory.resolve("pool");
    try (TestPool pool =
        TestPool.create(at, 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND)) {
      for (int i = 0; i < 400; i++) {
        pool.snapshot("s" + i);
      }
      List<BlockPointer> leaves = leaves(pool.sources());
      BlockPointer quiet = leaves.get(leaves.size() / 2);
      pool.close();
      pool.rot(quiet, 100, 3);
      pool.open();
      pool.commit();
      assertEquals(List.of(), pool.findings());
    }
  }

  private static List<BlockPointer> leaves(SpaceAudit.Sources sources) throws IOException {
    return TreeNodes.leavesOf(new Tree(sources.directoryRoot(), sources.store()::readBlock));
  }
}
