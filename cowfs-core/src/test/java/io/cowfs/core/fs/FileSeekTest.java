package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Change;
import io.cowfs.core.btree.ChangeSource;
import io.cowfs.core.btree.NodeWriter;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.btree.TreeUpdate;
import io.cowfs.core.codec.ChecksumAlgorithm;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FileSystem.SeekTarget;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Data and holes are where a plain array of sectors has them, and found without a walk. */
class FileSeekTest {
  private static final int SECTOR = BlockPointer.SECTOR_BYTES;
  private static final int EXTENT_SECTORS_MAX = FileReads.EXTENT_BYTES_MAX / SECTOR;
  private static final long INODE = 7;

  /** Nodes in memory, and how often one was read. */
  private static final class CountedNodes implements NodeWriter {
    private final Map<Long, byte[]> nodes = new HashMap<>();
    int reads;

    @Override
    public byte[] readNode(BlockPointer pointer) {
      reads++;
      return nodes.get(pointer.sector());
    }

    @Override
    public BlockPointer writeNode(byte[] node) {
      long sector = 130 + 4L * nodes.size();
      nodes.put(sector, node);
      return new BlockPointer(
          sector,
          node.length,
          node.length,
          Compression.NONE,
          ChecksumAlgorithm.XXH3_64,
          -sector,
          1);
    }

    @Override
    public void leaves(BlockPointer pointer) {}
  }

  private final CountedNodes nodes = new CountedNodes();

  @Test
  void dataAndHolesAreWhereAnArrayHasThem() throws IOException {
    for (long seed = 1; seed <= 20; seed++) {
      check(new Random(seed), "seed " + seed);
    }
  }

  private void check(Random random, String seed) throws IOException {
    int sectors = 1 + random.nextInt(12_000);
    boolean[] data = new boolean[sectors];
    int gapMax = 1 + random.nextInt(40);
    List<Change> extents = new ArrayList<>();
    for (int at = random.nextInt(gapMax); at < sectors; at += random.nextInt(gapMax)) {
      int length = Math.min(sectors - at, 1 + random.nextInt(EXTENT_SECTORS_MAX));
      extents.add(extent(at, length));
      Arrays.fill(data, at, at + length, true);
      at += length;
    }
    Inode file = file(sectors * (long) SECTOR - random.nextInt(SECTOR), extents.size());
    file.syncing = layer(random, data);
    file.dirty = layer(random, data);
    FileSeek seek = seekOver(extents);
    for (int i = 0; i < 200; i++) {
      long offset = random.nextLong(file.size);
      for (SeekTarget target : SeekTarget.values()) {
        assertEquals(
            expected(data, file.size, offset, target),
            found(seek, file, offset, target),
            () -> seed + ", " + target + " from " + offset);
      }
    }
  }

  /** A layer of pages and holes, which the array gets as well; sometimes none. */
  private static DirtyFile layer(Random random, boolean[] data) {
    if (random.nextInt(3) == 0) {
      return null;
    }
    DirtyFile layer = new DirtyFile(1, 1, new PageArena());
    for (int i = 0; i < 30; i++) {
      int from = random.nextInt(data.length);
      if (random.nextBoolean()) {
        layer.pageForWriting(from);
        data[from] = true;
      } else {
        int to =
            Math.min(data.length, from + 1 + random.nextInt(random.nextInt(10) == 0 ? 5_000 : 50));
        layer.punch(from, to);
        Arrays.fill(data, from, to, false);
      }
    }
    return layer;
  }

  private static long expected(boolean[] data, long size, long offset, SeekTarget target) {
    for (int sector = (int) (offset / SECTOR); sector < data.length; sector++) {
      if (data[sector] == (target == SeekTarget.DATA)) {
        return Math.max(offset, sector * (long) SECTOR);
      }
    }
    return target == SeekTarget.DATA ? -1 : size;
  }

  /** What a seek finds; -1 for nothing. */
  private static long found(FileSeek seek, Inode file, long offset, SeekTarget target)
      throws IOException {
    try {
      return seek.seek(file, offset, target);
    } catch (FsException none) {
      assertEquals(FsError.NO_SUCH_DEVICE_OR_OFFSET, none.error());
      return -1;
    }
  }

  @Test
  void seekInALargeFileReadsNoMoreThanAPathOfTheTree() throws IOException, FsException {
    int count = 100_000;
    List<Change> extents = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      extents.add(extent(256L * i, 1));
    }
    FileSeek seek = seekOver(extents);
    assertTrue(nodes.nodes.size() > 200, () -> "a small tree: " + nodes.nodes.size());
    Inode file = file(256L * SECTOR * count, count);
    long middle = 256L * SECTOR * (count / 2);
    nodes.reads = 0;
    assertEquals(middle + SECTOR, seek.seek(file, middle, SeekTarget.HOLE));
    assertEquals(middle + 256 * SECTOR, seek.seek(file, middle + SECTOR, SeekTarget.DATA));
    assertTrue(nodes.reads <= 12, () -> nodes.reads + " nodes read");
  }

  private static Change extent(long sector, int sectors) {
    DataExtent extent = DataExtent.plain(1_000_000 + sector, sectors * SECTOR, 1, new int[sectors]);
    return Change.put(Items.extent(INODE, sector * SECTOR), DataExtentFormat.encode(extent));
  }

  private static Inode file(long size, long allocatedSectors) {
    Inode file = new Inode(INODE);
    file.size = size;
    file.allocatedSectors = allocatedSectors;
    return file;
  }

  private FileSeek seekOver(List<Change> extents) throws IOException {
    BlockPointer root =
        TreeUpdate.apply(new Tree(null, nodes), ChangeSource.of(extents.iterator()), nodes);
    return new FileSeek(new TransactionalTree(new Tree(root, nodes), 0, 1));
  }
}
