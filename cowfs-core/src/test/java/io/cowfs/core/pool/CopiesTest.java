package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.Reference;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.NodeRecord;
import io.cowfs.core.scrub.ScrubStatus;
import io.cowfs.core.scrub.SpaceAudit;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is stored several times in a pool outlives all copies but one. */
@Timeout(120)
final class CopiesTest {
  private static final int SECTOR = BlockPointer.SECTOR_BYTES;
  private static final int REGION_SECTORS = 1 << 15;

  @TempDir Path directory;

  private final Map<String, byte[]> files = new HashMap<>();
  private TestPool pool;

  private void create(CompressionSetting compression, String copies) throws IOException {
    pool = TestPool.create(directory, 512L << 20, compression, TestPool.ON_DEMAND);
    set("copies", copies);
  }

  private void set(String property, String value) throws IOException {
    pool.pool().administration().setProperties("root", null, Map.of(property, value));
  }

  private static byte[] content(int seed, int bytes) {
    byte[] content = new byte[bytes];
    new Random(seed).nextBytes(content);
    Arrays.fill(content, 0, bytes / 2, (byte) seed);
    return content;
  }

  private FileHandle create(String name) throws FsException, IOException {
    return pool.fileSystem()
        .create(
            Caller.ROOT,
            FileSystem.ROOT_INODE,
            name.getBytes(UTF_8),
            0644,
            Set.of(OpenFlags.READ, OpenFlags.WRITE))
        .handle();
  }

  private FileHandle write(String name, byte[] content) throws FsException, IOException {
    FileHandle file = create(name);
    pool.fileSystem().write(Caller.ROOT, file, 0, ByteBuffer.wrap(content), false);
    files.put(name, content);
    return file;
  }

  private long allocatedBytes(String name) throws FsException, IOException {
    FileSystem fs = pool.fileSystem();
    long inode = fs.lookup(FileSystem.ROOT_INODE, name.getBytes(UTF_8)).inode();
    return fs.getAttributes(inode).allocatedBytes();
  }

  private void requireFiles() throws FsException, IOException {
    FileSystem fs = pool.fileSystem();
    for (Map.Entry<String, byte[]> each : files.entrySet()) {
      long inode = fs.lookup(FileSystem.ROOT_INODE, each.getKey().getBytes(UTF_8)).inode();
      FileHandle file = fs.open(inode, Set.of(OpenFlags.READ));
      ByteBuffer read = ByteBuffer.allocate(each.getValue().length);
      fs.read(file, 0, read.capacity(), read);
      assertArrayEquals(each.getValue(), read.array(), each.getKey());
      fs.release(file);
    }
  }

  /** All nodes and extents of all states, and the root of the dataset directory. */
  private Set<Reference> references() throws IOException {
    SpaceAudit.Sources now = pool.sources();
    Set<Reference> all = new HashSet<>(Set.of(now.directoryRoot()));
    for (NodeRecord node : now.nodes()) {
      new Tree(node.root().orElse(null), now.store()::readBlock)
          .walk(
              -1,
              new NodeVisitor() {
                @Override
                public void item(Key key, byte[] source, int offset, int length)
                    throws IOException {
                  byte[] value = Arrays.copyOfRange(source, offset, offset + length);
                  DataExtent extent = now.items().extentOf(key, value);
                  if (extent != null) {
                    all.add(extent);
                  }
                }

                @Override
                public void node(BlockPointer pointer, int level) {
                  all.add(pointer);
                }
              });
    }
    return all;
  }

  private void destroy(Set<Reference> references, int place) throws IOException {
    byte[] garbage = new byte[DataExtent.LOGICAL_BYTES_MAX];
    new Random(place).nextBytes(garbage);
    for (Reference each : references) {
      ByteBuffer bytes = ByteBuffer.wrap(garbage, 0, each.sectors() * SECTOR);
      pool.device().write(bytes, each.place(place) * SECTOR);
    }
    pool.dropCaches();
  }

  private void fill() throws FsException, IOException {
    for (int i = 0; i < 300; i++) {
      write("small" + i, content(i, 100 + i * 20));
    }
    write("big", content(1, 3 << 20));
    pool.snapshot("s");
    FileHandle source = write("other", content(2, 1 << 20));
    pool.commit();
    FileHandle target = create("clone");
    pool.fileSystem()
        .copyRange(Caller.ROOT, new FileSystem.Copy(source, 0, target, 0, 1 << 20), false);
    files.put("clone", files.get("other"));
    pool.commit();
  }

  @ParameterizedTest
  @ValueSource(strings = {"NONE", "LZ4"})
  void everyCopyButOneMayBeLost(String compression) throws Exception {
    create(new CompressionSetting(Compression.valueOf(compression), 0), "2");
    fill();
    Set<Reference> references = references();
    for (Reference each : references) {
      assertEquals(2, each.places(), each.toString());
      assertNotEquals(
          each.place(0) / REGION_SECTORS, each.place(1) / REGION_SECTORS, each.toString());
    }
    pool.audit();

    destroy(references, 0);
    assertTrue(
        pool.findings().stream().allMatch(line -> line.startsWith("space/copy: ")),
        () -> pool.findings().toString());
    pool.dropCaches();
    requireFiles();
    requireRepairedByScrub();

    destroy(references(), 1);
    requireFiles();
    assertTrue(!pool.findings().isEmpty(), "reading looks no further than the first copy");
    long places = references.stream().mapToLong(each -> each.place(1)).distinct().count();
    long repaired = requireRepairedByScrub();
    assertTrue(repaired > places / 2 * SECTOR, repaired + " bytes said to be repaired");
    pool.reopen();
    requireFiles();
    pool.close();
  }

  private long requireRepairedByScrub() throws Exception {
    pool.pool().scrub().start();
    ScrubStatus status = pool.pool().scrub().await(Duration.ofMinutes(1));
    assertEquals(List.of(), status.findings());
    assertEquals(0, status.errors());
    pool.audit();
    return status.repairedBytes();
  }

  @Test
  void readingRepairsTheFirstCopy() throws Exception {
    create(CompressionSetting.NONE, "2");
    write("file", content(3, 1 << 20));
    pool.commit();
    Set<Reference> references = references();
    references.remove(pool.sources().directoryRoot());
    destroy(references, 0);
    requireFiles();
    pool.audit();
    pool.close();
  }

  @Test
  void thePropertyIsForWhatIsWrittenFromThenOn() throws Exception {
    create(CompressionSetting.NONE, "1");
    write("once", content(1, 1 << 20));
    pool.commit();
    set("copies", "3");
    FileHandle thrice = write("thrice", content(2, 1 << 20));
    assertEquals(3 << 20, allocatedBytes("thrice"), "while it is dirty");
    pool.commit();
    set("copies", "2");
    write("twice", content(3, 1 << 20));
    pool.commit();
    set("copies", "1");
    pool.fileSystem()
        .copyRange(
            Caller.ROOT, new FileSystem.Copy(thrice, 0, create("clone"), 0, 512 << 10), false);
    pool.commit();
    assertEquals(1 << 20, allocatedBytes("once"));
    assertEquals(2 << 20, allocatedBytes("twice"));
    assertEquals(3 << 20, allocatedBytes("thrice"));
    assertEquals(3 * (512 << 10), allocatedBytes("clone"));
    pool.fileSystem().write(Caller.ROOT, thrice, 0, ByteBuffer.allocate(64 << 10), false);
    assertEquals(3 << 20, allocatedBytes("thrice"), "no less before what it replaces is freed");
    pool.commit();
    assertEquals((3 << 20) - 2 * (64 << 10), allocatedBytes("thrice"));
    pool.audit();
    pool.close();
  }

  @Test
  void aQuotaCountsEveryCopy() throws Exception {
    create(CompressionSetting.NONE, "2");
    set("quota", "10M");
    FileHandle file = create("file");
    FileSystem fs = pool.fileSystem();
    FsException refused =
        assertThrows(
            FsException.class,
            () -> {
              for (int i = 0; i < 10; i++) {
                ByteBuffer piece = ByteBuffer.wrap(content(i, 1 << 20));
                fs.write(Caller.ROOT, file, (long) i << 20, piece, false);
                assertTrue(i < 5, "10 MiB and more");
              }
            });
    assertEquals(FsError.QUOTA_EXCEEDED, refused.error());
    fs.syncAll();
    assertTrue(allocatedBytes("file") >= 8 << 20, "not before 4 MiB");
    pool.close();
  }
}
