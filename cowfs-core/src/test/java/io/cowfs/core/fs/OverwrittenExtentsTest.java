package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How large the extents of a compressed file are, after it was overwritten. */
class OverwrittenExtentsTest {
  private static final int KIB = 1 << 10;
  private static final int EXTENT = 128 * KIB;
  private static final int SMALL = 16 * KIB;
  private static final int EXTENTS = 8;

  @TempDir Path directory;

  private TestPool pool;
  private FileSystem fs;
  private FileHandle handle;
  private byte[] content;
  private final Random random = new Random(5);

  @BeforeEach
  void create() throws Exception {
    pool =
        TestPool.create(directory, 64L << 20, CompressionSetting.parse("lz4"), TestPool.ON_DEMAND);
    fs = pool.fileSystem();
    handle = fs.create(Caller.ROOT, 1, Model.bytes("file"), 0644, Set.of()).handle();
    content = new byte[EXTENTS * EXTENT];
    write(0, content.length);
  }

  @AfterEach
  void close() {
    fs.release(handle);
    pool.closeAfterFailure();
  }

  /** Something new that compresses well, durably. */
  private void write(int offset, int length) throws Exception {
    int end = offset + length;
    if (end > content.length) {
      content = Arrays.copyOf(content, end);
    }
    for (int i = offset; i < end; i++) {
      content[i] = (byte) (random.nextInt(8) == 0 ? random.nextInt(40) : 'x');
    }
    fs.write(Caller.ROOT, handle, offset, ByteBuffer.wrap(content, offset, length), false);
    pool.commit();
    ByteBuffer read = ByteBuffer.allocate(content.length);
    fs.read(handle, 0, content.length, read);
    assertArrayEquals(content, read.array());
  }

  /** By offset in the file, in bytes. */
  private TreeMap<Long, DataExtent> extents() throws Exception {
    TreeMap<Long, DataExtent> extents = new TreeMap<>();
    pool.liveTree("root")
        .scan(
            Items.extent(handle.inode(), 0),
            Items.extent(handle.inode(), Long.MAX_VALUE),
            (key, source, offset, length) -> {
              extents.put(
                  key.low(), DataExtentFormat.decode(ByteBuffer.wrap(source, offset, length)));
              return true;
            });
    extents.values().forEach(each -> assertTrue(!each.isPlain(), "compressed"));
    return extents;
  }

  @Test
  void whatIsWrittenAtOnceHasLargeOnes() throws Exception {
    TreeMap<Long, DataExtent> extents = extents();
    assertEquals(EXTENTS, extents.size());
    extents.values().forEach(each -> assertEquals(EXTENT, each.logicalBytes()));
  }

  @Test
  void whatIsOverwrittenInTheMiddleGetsSmallOnes() throws Exception {
    TreeMap<Long, DataExtent> before = extents();
    write(EXTENT + 40 * KIB, 4 * KIB);
    TreeMap<Long, DataExtent> after = extents();
    assertEquals(EXTENTS - 1 + EXTENT / SMALL, after.size());
    after.forEach(
        (offset, extent) -> {
          boolean isThere = offset >= EXTENT && offset < 2 * EXTENT;
          assertEquals(isThere ? SMALL : EXTENT, extent.logicalBytes(), "at " + offset);
        });
    before.remove((long) EXTENT);
    before.forEach((offset, extent) -> assertEquals(extent, after.get(offset)));
  }

  @Test
  void theNextChangeWritesNoMoreThanASmallOne() throws Exception {
    write(EXTENT + 40 * KIB, 4 * KIB);
    TreeMap<Long, DataExtent> before = extents();
    write(EXTENT + 70 * KIB, 4 * KIB);
    TreeMap<Long, DataExtent> after = extents();
    assertEquals(before.keySet(), after.keySet());
    int changed = 0;
    for (long offset : before.keySet()) {
      changed += before.get(offset).equals(after.get(offset)) ? 0 : 1;
    }
    assertEquals(1, changed);
  }

  @Test
  void whatIsOverwrittenAsAWholeHasLargeOnesAgain() throws Exception {
    write(EXTENT + 40 * KIB, 4 * KIB);
    write(EXTENT, EXTENT);
    TreeMap<Long, DataExtent> extents = extents();
    assertEquals(EXTENTS, extents.size());
    assertEquals(EXTENT, extents.get((long) EXTENT).logicalBytes());
  }

  @Test
  void whatGrowsAtItsEndKeepsLargeOnes() throws Exception {
    int times = 5;
    for (int i = 0; i < times; i++) {
      write(content.length, 100_000);
    }
    int behind = extents().tailMap((long) EXTENTS * EXTENT).size();
    assertTrue(behind <= 2 * times, () -> behind + " extents");
  }
}
