package io.cowfs.core.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints, undo and schedules of a pool whose clock the test turns. */
final class CheckpointsTest {
  private static final String ROOT = "root";
  private static final long CAPACITY_BYTES = 64L << 20;

  @TempDir Path directory;
  private final TurnedClock clock = new TurnedClock();
  private TestPool pool;

  @BeforeEach
  void open() throws IOException {
    pool = TestPool.create(directory, CAPACITY_BYTES, CompressionSetting.NONE, TestPool.ON_DEMAND);
    pool.close();
    pool.setClock(clock);
    pool.open();
    pool.pool().startHousekeeping(() -> {});
  }

  @AfterEach
  void close() throws IOException {
    pool.audit();
    pool.close();
  }

  @Test
  void anHourOfCommitsLeavesOneForEachSecondAndThenForEachMinute() throws Exception {
    for (int i = 0; i < 2 * 3600 / 5; i++) {
      writeAndCommit("f", i);
      clock.turn(Duration.ofSeconds(5));
    }
    List<DatasetInfo> checkpoints = checkpoints();
    assertTrue(checkpoints.size() >= 70 && checkpoints.size() <= 76, "" + checkpoints.size());
    Instant oldest = checkpoints.get(0).created();
    assertTrue(Duration.between(oldest, clock.instant()).toMinutes() >= 59, oldest.toString());
  }

  @Test
  void theGoodStateComesBackWithoutHavingBeenPlannedFor() throws Exception {
    for (int minute = 0; minute < 10; minute++) {
      writeAndCommit("f", minute);
      clock.turn(Duration.ofMinutes(1));
    }
    pool.pool()
        .administration()
        .rollback(ROOT, pool.pool().administration().snapshotOfAge(ROOT, Duration.ofMinutes(5)));
    assertEquals(5, read("f"));
  }

  @Test
  void afterARollbackUndoFollowsWhatTheDatasetWas() throws Exception {
    PoolAdministration administration = pool.pool().administration();
    writeAndCommit("f", 1);
    administration.snapshot(ROOT, "good", Scope.ONE);
    clock.turn(Duration.ofMinutes(2));
    writeAndCommit("f", 2);
    clock.turn(Duration.ofMinutes(2));
    administration.rollback(ROOT, "good");
    clock.turn(Duration.ofMinutes(2));
    writeAndCommit("f", 3);
    assertEquals("good", administration.snapshotOfAge(ROOT, Duration.ofMinutes(1)));
    String beforeIt = administration.snapshotOfAge(ROOT, Duration.ofMinutes(3));
    administration.rollback(ROOT, beforeIt);
    assertEquals(2, read("f"), beforeIt);
    assertThrows(
        DatasetException.class, () -> administration.snapshotOfAge(ROOT, Duration.ofHours(1)));
  }

  @Test
  void aRenamedCheckpointIsASnapshotAndStays() throws Exception {
    writeAndCommit("f", 1);
    String name = checkpoints().get(0).snapshot();
    pool.pool().administration().renameSnapshot(ROOT, name, "kept");
    clock.turn(Duration.ofDays(1));
    writeAndCommit("f", 2);
    assertEquals(NodeKind.SNAPSHOT, info("kept").kind());
    assertEquals(1, checkpoints().size());
  }

  @Test
  void aHeldCheckpointStays() throws Exception {
    writeAndCommit("f", 1);
    String name = checkpoints().get(0).snapshot();
    pool.pool().administration().hold(ROOT, name, "mine");
    clock.turn(Duration.ofDays(1));
    writeAndCommit("f", 2);
    assertEquals(name, info(name).snapshot());
    pool.pool().administration().release(ROOT, name, "mine");
    clock.turn(Duration.ofSeconds(1));
    writeAndCommit("f", 3);
    assertTrue(checkpoints().stream().noneMatch(info -> info.snapshot().equals(name)));
  }

  @Test
  void withoutThePropertyThereAreNone() throws Exception {
    writeAndCommit("f", 1);
    pool.pool().administration().setProperties(ROOT, null, Map.of("checkpoints", "off"));
    writeAndCommit("f", 2);
    assertEquals(List.of(), checkpoints());
  }

  @Test
  void theyGiveWayToAWriterThatFindsNoSpace() throws Exception {
    byte[] data = new byte[1 << 20];
    for (int round = 0; round < 20; round++) {
      new Random(round).nextBytes(data);
      for (int file = 0; file < 12; file++) {
        write("f" + file, data);
      }
      pool.pool().sync();
      clock.turn(Duration.ofSeconds(3));
    }
    assertEquals(12L << 20, pool.pool().administration().space(ROOT).liveBytes() >> 20 << 20);
  }

  @Test
  void theyHoldNoMoreThanTheirShare() throws Exception {
    byte[] data = new byte[1 << 20];
    for (int round = 0; round < 40; round++) {
      new Random(round).nextBytes(data);
      write("f", data);
      pool.pool().sync();
      clock.turn(Duration.ofSeconds(11));
    }
    for (int i = 0; i < 20; i++) {
      write("f", data);
      pool.pool().sync();
      clock.turn(Duration.ofSeconds(11));
    }
    long used = pool.pool().status().allocatedBytes();
    assertTrue(used < CAPACITY_BYTES / 10 + (8 << 20), "used " + used);
  }

  @Test
  void theyHoldNoMoreThanTheirShareOfAPoolThatLiesIdle() throws Exception {
    byte[] data = new byte[30 << 20];
    new Random(1).nextBytes(data);
    write("f", data);
    pool.pool().sync();
    clock.turn(Duration.ofSeconds(5));
    pool.fileSystem().unlink(FileSystem.ROOT_INODE, "f".getBytes(StandardCharsets.US_ASCII));
    pool.pool().sync();
    assertTrue(checkpoints().size() > 0);
    clock.turn(Duration.ofMinutes(2));
    pool.pool().tidyCheckpoints();
    // What was freed stays pending for some txgs.
    for (int i = 0; i < 4; i++) {
      writeAndCommit("small", i);
    }
    long used = pool.pool().status().allocatedBytes();
    assertTrue(used < CAPACITY_BYTES / 10, "used " + used);
  }

  @Test
  void schedulesTakeAndDestroyTheirOwnSnapshotsOnly() throws Exception {
    PoolAdministration administration = pool.pool().administration();
    administration.setProperties(
        ROOT, null, Map.of("snapshot.schedule", "hourly:3 daily:2", "checkpoints", "off"));
    administration.snapshot(ROOT, "mine", Scope.ONE);
    for (int hour = 0; hour < 60; hour++) {
      writeAndCommit("f", hour);
      administration.prune(Mode.EXECUTE);
      clock.turn(Duration.ofHours(1));
    }
    List<String> names = pool.pool().list().stream().map(DatasetInfo::snapshot).toList();
    assertEquals(1 + 1 + 3 + 2, names.size(), names.toString());
    assertTrue(names.contains("mine"));
  }

  private void writeAndCommit(String name, int value) throws Exception {
    write(name, Integer.toString(value).getBytes(StandardCharsets.US_ASCII));
    pool.pool().sync();
  }

  private void write(String name, byte[] data) throws Exception {
    FileSystem fileSystem = pool.fileSystem();
    byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
    FileHandle handle;
    try {
      long inode = fileSystem.lookup(FileSystem.ROOT_INODE, bytes).inode();
      handle = fileSystem.open(inode, Set.of(OpenFlags.WRITE));
      fileSystem.forget(inode, 1);
    } catch (FsException absent) {
      FileSystem.Created created =
          fileSystem.create(
              Caller.ROOT, FileSystem.ROOT_INODE, bytes, 0644, Set.of(OpenFlags.WRITE));
      handle = created.handle();
      fileSystem.forget(created.attributes().inode(), 1);
    }
    fileSystem.write(Caller.ROOT, handle, 0, ByteBuffer.wrap(data), false);
    fileSystem.release(handle);
  }

  private int read(String name) throws Exception {
    FileSystem fileSystem = pool.fileSystem();
    long inode =
        fileSystem.lookup(FileSystem.ROOT_INODE, name.getBytes(StandardCharsets.US_ASCII)).inode();
    FileHandle handle = fileSystem.open(inode, Set.of(OpenFlags.READ));
    ByteBuffer data = ByteBuffer.allocate(100);
    fileSystem.read(handle, 0, 100, data);
    fileSystem.release(handle);
    fileSystem.forget(inode, 1);
    return Integer.parseInt(
        new String(data.array(), 0, data.position(), StandardCharsets.US_ASCII));
  }

  private List<DatasetInfo> checkpoints() {
    return pool.pool().list().stream().filter(info -> info.kind() == NodeKind.CHECKPOINT).toList();
  }

  private DatasetInfo info(String snapshot) {
    return pool.pool().list().stream()
        .filter(info -> info.snapshot().equals(snapshot))
        .findAny()
        .orElseThrow();
  }
}
