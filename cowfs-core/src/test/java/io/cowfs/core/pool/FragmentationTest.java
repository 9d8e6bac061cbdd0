package io.cowfs.core.pool;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.fs.FileRuns;
import io.cowfs.core.pool.Fragmentation.FragmentedFile;
import io.cowfs.core.pool.Fragmentation.FreeRunsOfSize;
import io.cowfs.core.pool.Fragmentation.Scope;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is told of the runs of files. */
final class FragmentationTest {
  private static final String ROOT = "root";
  private static final int SECTOR = 4096;
  private static final int EXTENT = 128 << 10;

  @TempDir Path directory;
  private final Random random = new Random(1);
  private TestPool pool;
  private FileSystem fs;

  @BeforeEach
  void open() throws IOException {
    pool = TestPool.create(directory, 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND);
    fs = pool.fileSystem();
  }

  @AfterEach
  void close() throws IOException {
    pool.audit();
    pool.close();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private FileHandle file(long parent, String name, int length) throws Exception {
    FileHandle file = fs.create(Caller.ROOT, parent, bytes(name), 0644, Set.of()).handle();
    write(file, 0, length);
    pool.commit();
    return file;
  }

  private void write(FileHandle file, long offset, int length) throws Exception {
    byte[] content = new byte[length];
    random.nextBytes(content);
    fs.write(Caller.ROOT, file, offset, ByteBuffer.wrap(content), false);
  }

  private FileRuns runs(String path) throws IOException {
    Fragmentation found = pool.pool().fragmentation(ROOT, bytes(path));
    assertEquals(Scope.FILE, found.scope());
    assertArrayEquals(bytes(path), found.worst().get(0).path());
    return found.worst().get(0).runs();
  }

  @Test
  void aFileThatIsStreamedIsOneRun() throws Exception {
    fs.release(file(FileSystem.ROOT_INODE, "f", 8 * EXTENT));
    FileRuns runs = runs("f");
    assertEquals(new FileRuns(1, 8 * EXTENT, 8, 1, 8 * EXTENT, 8 * EXTENT, 8 * EXTENT, 0), runs);
  }

  @Test
  void eachOverwrittenSectorCutsARunInTwo() throws Exception {
    FileHandle file = file(FileSystem.ROOT_INODE, "f", 8 * EXTENT);
    // What is written before the call counts, whether it was committed or not.
    write(file, EXTENT + SECTOR, SECTOR);
    write(file, 5 * EXTENT + SECTOR, SECTOR);
    FileRuns runs = runs("f");
    assertEquals(5, runs.runs() + (runs.extents() == 12 ? 0 : 100), runs.toString());
    assertEquals(4 * EXTENT - SECTOR, runs.largestBytes());
    assertEquals(3, runs.surplusRuns());
    fs.release(file);
  }

  @Test
  void aHoleEndsNoRunAndASmallFileHasNone() throws Exception {
    FileHandle file = file(FileSystem.ROOT_INODE, "f", EXTENT);
    fs.release(file(FileSystem.ROOT_INODE, "small", 100));
    assertEquals(new FileRuns(1, 100, 0, 0, 0, 0, 0, 0), runs("small"));
    FileHandle holed =
        fs.create(Caller.ROOT, FileSystem.ROOT_INODE, bytes("holed"), 0644, Set.of()).handle();
    write(holed, 0, SECTOR);
    write(holed, 10L * EXTENT, SECTOR);
    FileRuns runs = runs("holed");
    assertEquals(2, runs.extents());
    assertEquals(1, runs.runs());
    assertEquals(10L * EXTENT + SECTOR, runs.sizeBytes());
    fs.release(holed);
    fs.release(file);
  }

  @Test
  void aDirectoryIsTheSumOfItsFilesEachOnceTheWorstFirst() throws Exception {
    long below = fs.makeDirectory(Caller.ROOT, FileSystem.ROOT_INODE, bytes("d"), 0755).inode();
    FileHandle twice = file(below, "twice", 4 * EXTENT);
    fs.link(twice.inode(), below, bytes("again"));
    FileHandle worse = file(below, "worse", 4 * EXTENT);
    fs.release(file(FileSystem.ROOT_INODE, "elsewhere", EXTENT));
    write(twice, SECTOR, SECTOR);
    write(worse, SECTOR, SECTOR);
    write(worse, 3 * SECTOR, SECTOR);
    Fragmentation found = pool.pool().fragmentation(ROOT, bytes("d"));
    assertEquals(Scope.FILES, found.scope());
    assertEquals(2, found.all().files());
    assertEquals(8 * EXTENT, found.all().sizeBytes());
    assertEquals("d/worse", new String(found.worst().get(0).path(), StandardCharsets.UTF_8));
    long surplus = 0;
    for (FragmentedFile each : found.worst()) {
      surplus += each.runs().surplusRuns();
    }
    assertEquals(found.all().surplusRuns(), surplus);
    assertTrue(surplus >= 5, found.toString());
    assertEquals(3, pool.pool().fragmentation().all().files());
    fs.release(twice);
    fs.release(worse);
  }

  @Test
  void freeRunsAreAllThatIsNotInUse() throws Exception {
    fs.release(file(FileSystem.ROOT_INODE, "a", 4 * EXTENT));
    fs.release(file(FileSystem.ROOT_INODE, "b", EXTENT));
    fs.unlink(FileSystem.ROOT_INODE, bytes("a"));
    for (int i = 0; i < 5; i++) {
      pool.commit();
    }
    var free = pool.pool().fragmentation().free();
    long bytes = free.behindBytes();
    for (FreeRunsOfSize runs : free.runs()) {
      bytes += runs.bytes();
      assertTrue(runs.bytes() >= runs.runs() * runs.fromBytes(), runs.toString());
      assertTrue(runs.bytes() < runs.runs() * 2 * runs.fromBytes(), runs.toString());
    }
    assertEquals(pool.pool().space().free() * SECTOR, bytes);
    assertTrue(free.largestBytes() >= 4 * EXTENT, free.toString());
  }

  @Test
  void whatIsNoFileIsRefused() throws Exception {
    fs.makeSymlink(Caller.ROOT, FileSystem.ROOT_INODE, bytes("link"), bytes("f"));
    fs.release(file(FileSystem.ROOT_INODE, "f", 10));
    for (String path : new String[] {"none", "link", "f/below", "none/below"}) {
      DatasetException refused =
          assertThrows(
              DatasetException.class, () -> pool.pool().fragmentation(ROOT, bytes(path)), path);
      assertEquals(Reason.NOT_FOUND, refused.reason());
    }
    for (String path : new String[] {"/f", "d/../f"}) {
      assertThrows(DatasetException.class, () -> pool.pool().fragmentation(ROOT, bytes(path)));
    }
  }
}
