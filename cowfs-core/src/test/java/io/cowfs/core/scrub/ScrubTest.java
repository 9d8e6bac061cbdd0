package io.cowfs.core.scrub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.scrub.References.Content;
import io.cowfs.core.scrub.ScrubStatus.State;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A scrub reads everything once, and names what is damaged wherever it is. */
final class ScrubTest {
  private static final long CAPACITY_BYTES = 512L << 20;
  private static final CompressionSetting NONE = CompressionSetting.NONE;
  private static final CompressionSetting LZ4 = new CompressionSetting(Compression.LZ4, 0);
  private static final Duration LONG = Duration.ofMinutes(2);

  @TempDir Path directory;

  private TestPool pool(CompressionSetting compression) throws IOException {
    return TestPool.create(directory.resolve("p"), CAPACITY_BYTES, compression, TestPool.ON_DEMAND);
  }

  static byte[] random(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  /** Creates or overwrites a file in the root, from its beginning, and commits that. */
  static long write(TestPool pool, FileSystem fs, String name, byte[] content)
      throws FsException, IOException {
    FileHandle file;
    try {
      file =
          fs.create(Caller.ROOT, FileSystem.ROOT_INODE, name.getBytes(UTF_8), 0644, Set.of())
              .handle();
    } catch (FsException exists) {
      long inode = fs.lookup(FileSystem.ROOT_INODE, name.getBytes(UTF_8)).inode();
      file = fs.open(inode, Set.of());
    }
    fs.write(Caller.ROOT, file, 0, ByteBuffer.wrap(content), false);
    long inode = file.inode();
    fs.release(file);
    fs.forget(inode, 1);
    pool.commit();
    return inode;
  }

  private static ScrubStatus scrub(TestPool pool) throws IOException {
    pool.pool().scrub().start();
    return finish(pool);
  }

  private static ScrubStatus finish(TestPool pool) {
    ScrubStatus status = pool.pool().scrub().await(LONG);
    assertEquals(State.FINISHED, status.state(), status.toString());
    return status;
  }

  /** The extents of a file, in its order. */
  private static List<DataExtent> extents(TestPool pool, Tree tree, long inode) throws IOException {
    List<DataExtent> extents = new ArrayList<>();
    ItemReader items = pool.sources().items();
    tree.scan(
        new Key(inode, 0, 0),
        new Key(inode, 255, -1L),
        (key, source, offset, length) -> {
          DataExtent extent =
              items.extentOf(key, Arrays.copyOfRange(source, offset, offset + length));
          if (extent != null) {
            extents.add(extent);
          }
          return true;
        });
    return extents;
  }

  private static void rot(TestPool pool, long sector) {
    pool.device().flipBit(sector * BlockPointer.SECTOR_BYTES + 100, 3);
  }

  private static void assertFindings(ScrubStatus status, String... subjects) {
    Set<String> found =
        status.findings().stream()
            .map(line -> line.replaceAll(" at offset .*", ""))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(new TreeSet<>(Arrays.asList(subjects)), found, status.toString());
    assertEquals(subjects.length, status.findings().size(), status.toString());
  }

  @Test
  void everythingIsReadOnceHoweverManySnapshotsHaveIt() throws Exception {
    try (TestPool pool = pool(NONE)) {
      for (int i = 0; i < 20; i++) {
        write(pool, pool.fileSystem(), "file" + i, random(i, (1 << 20) + i * 5000));
        pool.snapshot("s" + i);
      }
      pool.pool().administration().cloneSnapshot("root", "s7", "clone", Map.of());
      write(pool, pool.pool().fileSystem("clone"), "own", random(99, 300_000));
      write(pool, pool.fileSystem(), "file3", random(77, 4096));
      pool.device().takeMediumReads();
      ScrubStatus status = scrub(pool);
      Map<Long, Integer> reads = pool.device().takeMediumReads();

      Set<Long> expected =
          References.all(pool).stream().map(Content::sector).collect(Collectors.toSet());
      expected.removeAll(reads.keySet());
      assertEquals(Set.of(), expected, "not read");
      assertEquals(
          List.of(),
          reads.entrySet().stream().filter(each -> each.getValue() > 1).toList(),
          "read more than once");
      assertEquals(0, status.errors());
      assertEquals(List.of(), status.findings());
      assertEquals(status.totalBytes(), status.readBytes());
    }
  }

  @Test
  void damagedDataOfALiveFileIsNamed() throws Exception {
    try (TestPool pool = pool(NONE)) {
      write(pool, pool.fileSystem(), "sound", random(1, 1 << 20));
      long inode = write(pool, pool.fileSystem(), "victim", random(2, 1 << 20));
      List<DataExtent> extents = extents(pool, pool.liveTree("root"), inode);
      rot(pool, extents.get(1).sector() + 5);
      ScrubStatus status = scrub(pool);
      assertFindings(status, "scrub/data: root:/victim (inode " + inode + ")");
      assertEquals(1, status.errors());
      assertTrue(
          status.findings().get(0).contains("sector " + (extents.get(1).sector() + 5) + " "),
          status.toString());
    }
  }

  @Test
  void damageThatOnlyASnapshotHasIsNamedThere() throws Exception {
    try (TestPool pool = pool(NONE)) {
      long inode = write(pool, pool.fileSystem(), "victim", random(2, 1 << 20));
      pool.snapshot("old");
      rot(pool, extents(pool, pool.liveTree("root"), inode).get(0).sector());
      write(pool, pool.fileSystem(), "victim", random(3, 1 << 20));
      pool.snapshot("new");
      assertFindings(scrub(pool), "scrub/data: root@old:/victim (inode " + inode + ")");
    }
  }

  @Test
  void eachSnapshotAndEachHardLinkOfADamagedFileIsNamed() throws Exception {
    try (TestPool pool = pool(NONE)) {
      FileSystem fs = pool.fileSystem();
      long inode = write(pool, fs, "a", random(2, 1 << 20));
      pool.snapshot("one");
      long folder =
          fs.makeDirectory(Caller.ROOT, FileSystem.ROOT_INODE, "d".getBytes(UTF_8), 0755).inode();
      fs.link(inode, folder, "b".getBytes(UTF_8));
      pool.commit();
      pool.snapshot("two");
      fs.unlink(FileSystem.ROOT_INODE, "a".getBytes(UTF_8));
      pool.commit();
      pool.pool().administration().cloneSnapshot("root", "one", "clone", Map.of());
      // Half of the extent goes from the head: what is left of it is the sound half.
      DataExtent extent = extents(pool, pool.liveTree("root"), inode).get(0);
      write(pool, fs, "other", random(5, 5000));
      FileHandle file = fs.open(inode, Set.of());
      fs.write(Caller.ROOT, file, 0, ByteBuffer.wrap(random(8, 65_536)), false);
      fs.release(file);
      pool.commit();
      rot(pool, extent.sector() + 3);
      String suffix = " (inode " + inode + ")";
      assertFindings(
          scrub(pool),
          "scrub/data: root@one:/a" + suffix,
          "scrub/data: root@two:/a" + suffix,
          "scrub/data: root@two:/d/b" + suffix,
          "scrub/data: clone:/a" + suffix);
    }
  }

  @Test
  void aDamagedCompressedExtentIsNamed() throws Exception {
    try (TestPool pool = pool(LZ4)) {
      byte[] text = new byte[1 << 20];
      Arrays.fill(text, (byte) 'x');
      System.arraycopy(random(1, 20_000), 0, text, 0, 20_000);
      long inode = write(pool, pool.fileSystem(), "victim", text);
      DataExtent extent = extents(pool, pool.liveTree("root"), inode).get(0);
      assertTrue(!extent.isPlain(), extent.toString());
      rot(pool, extent.sector());
      assertFindings(scrub(pool), "scrub/data: root:/victim (inode " + inode + ")");
    }
  }

  @Test
  void aDamagedNodeIsNamedThoughItIsCachedAndTheRestIsReadAllTheSame() throws Exception {
    try (TestPool pool = pool(NONE)) {
      long big = write(pool, pool.fileSystem(), "big", random(1, 96 << 20));
      write(pool, pool.fileSystem(), "behind", random(2, 1 << 20));
      pool.snapshot("s");
      List<BlockPointer> leaves = new ArrayList<>();
      pool.tree("s")
          .walk(
              -1,
              new NodeVisitor() {
                @Override
                public void item(Key key, byte[] source, int offset, int length) {}

                @Override
                public void node(BlockPointer pointer, int level) {
                  if (level == 0) {
                    leaves.add(pointer);
                  }
                }
              });
      assertTrue(leaves.size() > 4, leaves.toString());
      pool.rot(leaves.get(2), 100, 3);
      pool.device().takeMediumReads();
      ScrubStatus status = scrub(pool);
      assertEquals(1, status.errors(), status.toString());
      assertEquals(2, status.findings().size(), status.toString());
      for (String owner : List.of("root", "root@s")) {
        String prefix = "scrub/node: " + owner + ": inodes " + big + " to " + big + " (/big): ";
        assertTrue(
            status.findings().stream().anyMatch(line -> line.startsWith(prefix)),
            status.toString());
      }
      Map<Long, Integer> reads = pool.device().takeMediumReads();
      assertTrue(reads.containsKey(leaves.get(leaves.size() - 1).sector()), "went on behind it");
    }
  }

  @Test
  void aFileIsNamedOnceHoweverMuchOfItIsDamaged() throws Exception {
    try (TestPool pool = pool(NONE)) {
      long inode = write(pool, pool.fileSystem(), "victim", random(2, 1 << 20));
      rot(pool, extents(pool, pool.liveTree("root"), inode).get(0).sector());
      rot(pool, extents(pool, pool.liveTree("root"), inode).get(3).sector());
      ScrubStatus status = scrub(pool);
      assertEquals(2, status.errors());
      assertEquals(1, status.findings().size(), "one line for a file");
    }
  }

  @Test
  void anErrorOfTheDeviceIsDamageOfWhatItHits() throws Exception {
    try (TestPool pool = pool(NONE)) {
      long inode = write(pool, pool.fileSystem(), "victim", random(2, 1 << 20));
      write(pool, pool.fileSystem(), "sound", random(3, 1 << 20));
      DataExtent extent = extents(pool, pool.liveTree("root"), inode).get(2);
      pool.device().failMediumReads(extent.sector() + 7);
      ScrubStatus status = scrub(pool);
      assertFindings(status, "scrub/data: root:/victim (inode " + inode + ")");
      assertEquals(1, status.errors());
      String where = "sector " + (extent.sector() + 7) + " cannot be read";
      assertTrue(status.findings().get(0).contains(where), status.toString());
    }
  }

  @Test
  void theRingIsReadToo() throws Exception {
    try (TestPool pool = pool(NONE)) {
      write(pool, pool.fileSystem(), "file", random(2, 5000));
      pool.device().flipBit((2 + pool.pool().status().txg() - 1) * 4096, 1);
      ScrubStatus status = scrub(pool);
      assertEquals(1, status.findings().size(), status.toString());
      assertTrue(status.findings().get(0).startsWith("scrub/ring: "), status.toString());
    }
  }

  @Test
  void whatWasDestroyedIsNoFinding() throws Exception {
    try (TestPool pool = pool(NONE)) {
      long inode = write(pool, pool.fileSystem(), "victim", random(2, 1 << 20));
      pool.snapshot("s");
      long sector = extents(pool, pool.liveTree("root"), inode).get(0).sector();
      pool.fileSystem().unlink(FileSystem.ROOT_INODE, "victim".getBytes(UTF_8));
      pool.commit();
      rot(pool, sector);
      pool.destroySnapshot("s");
      ScrubStatus status = scrub(pool);
      assertEquals(List.of(), status.findings());
      assertEquals(0, status.errors());
    }
  }

  @Test
  void pausedAndResumedOverReopening() throws Exception {
    try (TestPool pool = pool(NONE)) {
      for (int i = 0; i < 8; i++) {
        write(pool, pool.fileSystem(), "file" + i, random(i, 4 << 20));
      }
      assertEquals(State.NEVER, pool.pool().status().scrub().state());
      assertThrows(DatasetException.class, () -> pool.pool().scrub().pause());
      assertThrows(DatasetException.class, () -> pool.pool().scrub().resume());
      pool.pool().administration().setProperties("root", null, Map.of("scrub.rate", "1K"));
      pool.device().takeMediumReads();
      pool.pool().scrub().start();
      assertThrows(DatasetException.class, () -> pool.pool().scrub().start());
      awaitReading(pool);
      pool.pool().scrub().pause();
      assertThrows(DatasetException.class, () -> pool.pool().scrub().pause());
      assertThrows(DatasetException.class, () -> pool.pool().scrub().start());
      ScrubStatus paused = pool.pool().scrub().status();
      assertEquals(State.PAUSED, paused.state());
      assertTrue(paused.readBytes() < 16 << 20, paused.toString());
      Set<Long> read = new TreeSet<>(pool.device().takeMediumReads().keySet());
      pool.reopen();
      pool.pool().startHousekeeping(() -> {});
      assertEquals(paused, pool.pool().scrub().status(), "paused it stays");
      pool.pool().scrub().resume();
      awaitReading(pool);
      read.addAll(pool.device().takeMediumReads().keySet());
      pool.reopen();
      assertEquals(State.WAITING, pool.pool().scrub().status().state());
      pool.pool().administration().setProperties("root", null, Map.of("scrub.rate", "none"));
      pool.pool().startHousekeeping(() -> {});
      ScrubStatus done = finish(pool);
      assertEquals(paused.started(), done.started());
      Map<Long, Integer> last = pool.device().takeMediumReads();
      read.addAll(last.keySet());
      for (Content content : References.all(pool)) {
        assertTrue(read.contains(content.sector()), "not read: " + content);
      }
      assertTrue(last.size() * 4096L < 30 << 20, "it did not begin anew: " + last.size());
      pool.reopen();
      assertEquals(done, pool.pool().scrub().status());
    }
  }

  /** Waits until something more was read. */
  private static void awaitReading(TestPool pool) throws InterruptedException {
    long before = pool.pool().scrub().status().readBytes();
    while (pool.pool().scrub().status().readBytes() == before) {
      Thread.sleep(5);
    }
  }

  @Test
  void aNewScrubForgetsTheFindingsOfTheLast() throws Exception {
    try (TestPool pool = pool(NONE)) {
      long inode = write(pool, pool.fileSystem(), "victim", random(2, 1 << 20));
      long sector = extents(pool, pool.liveTree("root"), inode).get(0).sector();
      rot(pool, sector);
      assertEquals(1, scrub(pool).findings().size());
      pool.reopen();
      assertEquals(1, pool.pool().scrub().status().findings().size());
      rot(pool, sector);
      assertEquals(0, scrub(pool).findings().size());
      pool.reopen();
      assertEquals(0, pool.pool().scrub().status().findings().size());
      assertEquals(0, pool.pool().scrub().status().errors());
    }
  }

  @Test
  void dataIsReadThoughItsFirstReferenceWentAndAYoungerOneCame() throws Exception {
    try (TestPool pool = pool(NONE)) {
      FileSystem fs = pool.fileSystem();
      write(pool, fs, "first", random(1, 24 << 20));
      long source = write(pool, fs, "source", random(2, 1 << 20));
      write(pool, fs, "target", random(3, 1));
      Set<Content> before = References.all(pool);
      pool.pool().administration().setProperties("root", null, Map.of("scrub.rate", "1K"));
      pool.device().takeMediumReads();
      pool.pool().scrub().start();
      awaitReading(pool);

      long target = fs.lookup(FileSystem.ROOT_INODE, "target".getBytes(UTF_8)).inode();
      FileHandle from = fs.open(source, Set.of());
      FileHandle to = fs.open(target, Set.of());
      assertEquals(
          1 << 20, fs.copyRange(Caller.ROOT, new FileSystem.Copy(from, 0, to, 0, 1 << 20), false));
      fs.setAttributes(
          Caller.ROOT,
          source,
          from,
          new AttributeChange(null, null, null, 0L, null, null, null, false));
      fs.release(from);
      fs.release(to);
      pool.commit();
      pool.pool().administration().setProperties("root", null, Map.of("scrub.rate", "none"));

      ScrubStatus status = finish(pool);
      assertEquals(2, status.round());
      Set<Long> read = pool.device().takeMediumReads().keySet();
      Set<Content> both = References.all(pool);
      both.retainAll(before);
      assertTrue(both.size() > 25 << 8, "the copy shares the data: " + both.size());
      both.removeIf(content -> read.contains(content.sector()));
      assertEquals(Set.of(), both, "not read");
    }
  }

  @Test
  void nothingSoundIsFoundWhileThePoolIsInUse() throws Exception {
    try (TestPool pool =
        TestPool.create(directory.resolve("p"), CAPACITY_BYTES, LZ4, TestPool.RESTLESS)) {
      FileSystem fs = pool.fileSystem();
      AtomicBoolean done = new AtomicBoolean();
      Thread changes =
          new Thread(
              () -> {
                try {
                  for (int i = 0; !done.get(); i++) {
                    write(pool, fs, "file" + i % 17, random(i, 1 + i * 7919 % 700_000));
                    if (i % 5 == 0) {
                      pool.snapshot("s" + i);
                    }
                    if (i % 5 == 4) {
                      pool.pool()
                          .administration()
                          .destroySnapshots("root", "s" + (i - 4), Scope.ONE, Mode.EXECUTE);
                    }
                  }
                } catch (IOException | FsException failure) {
                  throw new IllegalStateException(failure);
                }
              });
      AtomicReference<Throwable> failed = new AtomicReference<>();
      changes.setUncaughtExceptionHandler((thread, failure) -> failed.set(failure));
      changes.start();
      try {
        for (int i = 0; i < 20; i++) {
          ScrubStatus status = scrub(pool);
          assertEquals(List.of(), status.findings());
          assertEquals(0, status.errors());
        }
      } finally {
        done.set(true);
        changes.join();
      }
      assertNull(failed.get());
    }
  }

  @Test
  void theRateBelongsToThePool() throws Exception {
    try (TestPool pool = pool(NONE)) {
      pool.pool().administration().createDataset("other", Map.of());
      assertThrows(
          DatasetException.class,
          () ->
              pool.pool()
                  .administration()
                  .setProperties("other", null, Map.of("scrub.rate", "5M")));
    }
  }
}
