package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.fs.Relocation.Outcome;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.OpenFlags;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A part of a file is put elsewhere while something else happens to it. */
final class RelocationTest {
  private static final int SECTOR = 4096;
  private static final int BYTES = 1 << 20;

  @TempDir Path directory;
  private final Random random = new Random(5);
  private TestPool pool;
  private Volume fs;
  private FileHandle file;
  private byte[] content;

  @AfterEach
  void close() throws Exception {
    pool.close();
  }

  /** A file of which every other sector lies elsewhere. */
  private void open(CompressionSetting compression) throws Exception {
    pool = TestPool.create(directory.resolve("p"), 128L << 20, compression, TestPool.ON_DEMAND);
    pool.pool().administration().setProperties("root", null, Map.of("checkpoints", "off"));
    fs = (Volume) pool.fileSystem();
    file = create("f");
    content = new byte[BYTES];
    for (int i = 0; i < BYTES; i++) {
      content[i] = (byte) random.nextInt(compression.equals(NONE) ? 256 : 12);
    }
    write(0, content);
    pool.commit();
    // Compressed extents are written anew as a whole.
    int step = compression.equals(NONE) ? 2 * SECTOR : 256 << 10;
    for (int at = 0; at < BYTES; at += step) {
      change(at + 100);
    }
    pool.commit();
  }

  private static final CompressionSetting NONE = new CompressionSetting(Compression.NONE, 0);
  private static final CompressionSetting LZ4 = new CompressionSetting(Compression.LZ4, 0);

  private FileHandle create(String name) throws Exception {
    return fs.create(
            Caller.ROOT,
            FileSystem.ROOT_INODE,
            Model.bytes(name),
            0644,
            Set.of(OpenFlags.READ, OpenFlags.WRITE))
        .handle();
  }

  private void write(long at, byte[] bytes) throws Exception {
    fs.write(Caller.ROOT, file, at, ByteBuffer.wrap(bytes), false);
  }

  private void change(int at) throws Exception {
    content[at]++;
    write(at, Arrays.copyOfRange(content, at, at + 1));
  }

  private void truncate(long size) throws Exception {
    fs.setAttributes(
        Caller.ROOT,
        file.inode(),
        file,
        new AttributeChange(null, null, null, size, null, null, null, false));
  }

  private byte[] read(FileHandle from, int length) throws Exception {
    ByteBuffer read = ByteBuffer.allocate(length);
    fs.read(from, 0, length, read);
    return read.array();
  }

  private FileRuns runs() throws Exception {
    return RelocationPlanner.runs(pool.liveTree("root"), file.inode());
  }

  private Relocation plan() throws Exception {
    RelocationPlanner.Step step =
        new RelocationPlanner(pool.sources().store())
            .next(
                pool.liveTree("root"),
                file.inode(),
                0,
                extent -> false,
                ByteBuffer.allocateDirect(RelocationPlanner.WINDOW_BYTES));
    assertNotNull(step.relocation());
    return step.relocation();
  }

  /** What anybody may find afterwards: the content, and books that are right. */
  private void requireContent() throws Exception {
    assertArrayEquals(content, read(file, content.length));
    pool.audit();
    pool.dropCaches();
    assertArrayEquals(content, read(file, content.length));
  }

  private void requireReopenedContent() throws Exception {
    requireContent();
    pool.reopen();
    fs = (Volume) pool.fileSystem();
    Attributes found = fs.lookup(FileSystem.ROOT_INODE, Model.bytes("f"));
    file = fs.open(found.inode(), Set.of(OpenFlags.READ));
    requireContent();
  }

  @Test
  void whatIsMovedIsTheSameInOneRun() throws Exception {
    for (CompressionSetting compression : new CompressionSetting[] {NONE, LZ4}) {
      open(compression);
      FileRuns before = runs();
      Attributes attributes = fs.getAttributes(file.inode());
      long referenced = pool.pool().list().get(0).referencedBytes();
      assertTrue(before.runs() > 4, before.toString());
      Relocation moved = plan();
      fs.relocate(moved);
      assertEquals(Outcome.PENDING, moved.outcome());
      pool.commit();
      assertEquals(Outcome.MOVED, moved.outcome());
      FileRuns after = runs();
      assertEquals(1, after.runs(), after.toString());
      assertEquals(BYTES / (128 << 10), after.extents());
      assertEquals(before.storedBytes(), after.storedBytes());
      assertEquals(attributes, fs.getAttributes(file.inode()));
      assertTrue(pool.pool().list().get(0).referencedBytes() <= referenced);
      requireReopenedContent();
      pool.close();
      directory = Files.createDirectory(directory.resolve("next"));
    }
    open(NONE);
  }

  private interface Action {
    void run() throws Exception;
  }

  /** What happens before it is handed in, and what happens then and before the commit. */
  private Outcome outcome(Action before, Action after) throws Exception {
    open(NONE);
    Relocation relocation = plan();
    before.run();
    fs.relocate(relocation);
    after.run();
    pool.commit();
    return relocation.outcome();
  }

  @Test
  void aWriteBeforeWins() throws Exception {
    assertEquals(Outcome.CHANGED, outcome(() -> change(5 * SECTOR), () -> {}));
    requireReopenedContent();
  }

  @Test
  void aWriteAfterwardsWins() throws Exception {
    assertEquals(Outcome.CHANGED, outcome(() -> {}, () -> change(5 * SECTOR)));
    requireReopenedContent();
  }

  @Test
  void aCommittedWriteWins() throws Exception {
    assertEquals(
        Outcome.CHANGED,
        outcome(
            () -> {
              change(5 * SECTOR);
              pool.commit();
            },
            () -> {}));
    requireReopenedContent();
  }

  @Test
  void aTruncationWins() throws Exception {
    assertEquals(
        Outcome.CHANGED,
        outcome(
            () -> {},
            () -> {
              truncate(7 * SECTOR);
              content = Arrays.copyOf(content, 7 * SECTOR);
            }));
    requireReopenedContent();
  }

  @Test
  void anOrphanStaysWhereItIs() throws Exception {
    assertEquals(
        Outcome.CHANGED,
        outcome(() -> {}, () -> fs.unlink(FileSystem.ROOT_INODE, Model.bytes("f"))));
    requireContent();
    fs.release(file);
    pool.commit();
    pool.audit();
  }

  @Test
  void aCloneBeforeMakesItShared() throws Exception {
    FileHandle[] clone = new FileHandle[1];
    assertEquals(
        Outcome.SHARED,
        outcome(
            () -> {
              clone[0] = create("clone");
              fs.cloneRange(fs, file, 0, clone[0], 0, BYTES);
            },
            () -> {}));
    assertArrayEquals(content, read(clone[0], BYTES));
    requireReopenedContent();
  }

  @Test
  void aCloneAfterwardsIsOfWhatWasMoved() throws Exception {
    FileHandle[] clone = new FileHandle[1];
    assertEquals(
        Outcome.MOVED,
        outcome(
            () -> {},
            () -> {
              clone[0] = create("clone");
              fs.cloneRange(fs, file, 0, clone[0], 0, BYTES);
            }));
    pool.commit();
    assertArrayEquals(content, read(clone[0], BYTES));
    requireReopenedContent();
  }

  @Test
  void aCloneIntoTheFileWins() throws Exception {
    open(NONE);
    FileHandle other = create("other");
    fs.write(Caller.ROOT, other, 0, ByteBuffer.wrap(new byte[8 * SECTOR]), false);
    pool.commit();
    Relocation relocation = plan();
    fs.cloneRange(fs, other, 0, file, 16 * SECTOR, 8 * SECTOR);
    Arrays.fill(content, 16 * SECTOR, 24 * SECTOR, (byte) 0);
    fs.relocate(relocation);
    pool.commit();
    assertEquals(Outcome.CHANGED, relocation.outcome());
    requireReopenedContent();
  }

  @Test
  void whatASnapshotHasStays() throws Exception {
    assertEquals(Outcome.SHARED, outcome(() -> pool.snapshot("s"), () -> {}));
    requireReopenedContent();
  }

  @Test
  void aSnapshotOfTheSameCommitHasWhatWasMoved() throws Exception {
    assertEquals(Outcome.MOVED, outcome(() -> {}, () -> pool.snapshot("s")));
    assertEquals(1, runs().runs());
    requireContent();
    pool.destroySnapshot("s");
    requireReopenedContent();
  }

  @Test
  void aRollbackWins() throws Exception {
    open(NONE);
    pool.snapshot("s");
    byte[] then = content.clone();
    for (int at = SECTOR; at < BYTES; at += 2 * SECTOR) {
      change(at);
    }
    pool.commit();
    Relocation relocation = plan();
    pool.rollback("s");
    content = then;
    fs.relocate(relocation);
    pool.commit();
    assertEquals(Outcome.CHANGED, relocation.outcome());
    fs.settled(file.inode());
    requireReopenedContent();
  }

  @Test
  void aCheckpointKeepsTheOldPlaceAndShowsNoDifference() throws Exception {
    open(NONE);
    pool.pool().administration().setProperties("root", null, Map.of("checkpoints", "on"));
    pool.pool().startHousekeeping(() -> {});
    change(5 * SECTOR);
    pool.commit();
    List<String> checkpoints =
        pool.pool().list().stream()
            .filter(info -> info.kind() == NodeKind.CHECKPOINT)
            .map(DatasetInfo::snapshot)
            .toList();
    assertEquals(1, checkpoints.size());
    Relocation relocation = plan();
    fs.relocate(relocation);
    pool.commit();
    assertEquals(Outcome.MOVED, relocation.outcome());
    List<String> changes = new ArrayList<>();
    pool.pool().diff("root", checkpoints.get(0), null, change -> changes.add(change.toString()));
    assertEquals(List.of(), changes);
    pool.pool().administration().hold("root", checkpoints.get(0), "keep");
    byte[] then = content.clone();
    for (int at = 0; at < BYTES; at += 2 * SECTOR) {
      change(at);
    }
    requireReopenedContent();
    pool.rollback(checkpoints.get(0));
    fs.settled(file.inode());
    content = then;
    requireReopenedContent();
  }

  @Test
  void aPowerFailureLeavesTheOldPlaceOrTheNew() throws Exception {
    int moved = 0;
    for (int at = 1; at < 40; at += 2) {
      open(NONE);
      Relocation relocation = plan();
      pool.device().failPowerAt(at);
      try {
        fs.relocate(relocation);
        pool.commit();
      } catch (IOException expected) {
        // The power failed.
      }
      moved += relocation.outcome() == Outcome.MOVED ? 1 : 0;
      pool.crash(random);
      pool.open();
      pool.auditAsFound();
      fs = (Volume) pool.fileSystem();
      file =
          fs.open(
              fs.lookup(FileSystem.ROOT_INODE, Model.bytes("f")).inode(), Set.of(OpenFlags.READ));
      requireContent();
      pool.close();
      directory = Files.createDirectory(directory.resolve("n"));
    }
    assertTrue(moved > 0);
    open(NONE);
  }
}
