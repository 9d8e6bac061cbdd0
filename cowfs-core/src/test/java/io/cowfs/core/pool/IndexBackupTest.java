package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.pool.IndexRecovery.Source;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Closing a pool leaves a backup of its index, which comes in when the index is lost. */
final class IndexBackupTest {
  private static final int SECTOR_BYTES = 4096;
  private static final int RING_SLOTS = 128;

  @TempDir private Path directory;
  private TestPool pool;
  private long txg;
  private BlockPointer treeRoot;

  @BeforeEach
  void fillAndClose() throws Exception {
    pool = TestPool.create(directory, 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND);
    for (int i = 0; i < 8; i++) {
      write("file" + i);
      pool.snapshot("s" + i);
    }
    pool.destroySnapshot("s3");
    write("last");
    txg = pool.pool().status().txg();
    treeRoot = pool.rootOf("root");
    pool.close();
  }

  @AfterEach
  void close() throws Exception {
    pool.close();
  }

  @Test
  void aLostIndexComesBackWithoutAWalk() throws Exception {
    Files.delete(index());
    // A walk would meet the damage.
    pool.rot(treeRoot, 100, 1);
    IndexRecovery.Result result = pool.rebuildIndex();
    assertEquals(Source.BACKUP, result.source());
    assertEquals(txg, result.txg());
    assertEquals(List.of(), result.passedOver());
    pool.rot(treeRoot, 100, 1);
    pool.open();
    assertEquals(txg, pool.pool().status().txg());
    pool.auditAsFound();
    requireFile("last");
    write("more");
    pool.audit();
    pool.reopen();
    pool.auditAsFound();
  }

  @Test
  void aDamagedIndexIsKept() throws Exception {
    Files.write(index(), new byte[10_000]);
    IndexRecovery.Result result = pool.rebuildIndex();
    assertEquals(Source.BACKUP, result.source());
    assertArrayEquals(new byte[10_000], Files.readAllBytes(result.damagedIndex()));
    assertFalse(Files.exists(directory.resolve("index.new")));
    pool.open();
    pool.auditAsFound();
  }

  @Test
  void whatDidNotChangeIsNotCopiedAgain() throws Exception {
    Object before = Files.readAttributes(backup(), "unix:ino,lastModifiedTime").toString();
    pool.open();
    assertEquals(8, pool.pool().list().size());
    pool.close();
    assertEquals(before, Files.readAttributes(backup(), "unix:ino,lastModifiedTime").toString());
    assertEquals(
        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(backup())));
  }

  /** Its space is the host's again as soon as it is worthless. */
  @Test
  void theFirstCommitRemovesIt() throws Exception {
    pool.open();
    assertEquals(List.of(backup()), backups());
    write("newer");
    assertEquals(List.of(), backups());
    long newer = pool.pool().status().txg();
    pool.close();
    assertEquals(List.of(directory.resolve("index/data.mdb.backup-" + newer)), backups());
  }

  @Test
  void anOldOneIsNotUsed() throws Exception {
    byte[] old = Files.readAllBytes(backup());
    pool.open();
    write("newer");
    long newer = pool.pool().status().txg();
    pool.crash(new Random(1));
    for (long name : new long[] {txg, newer}) {
      Files.write(directory.resolve("index/data.mdb.backup-" + name), old);
    }
    Files.delete(index());
    // After the crash the ring may not have the newest commit.
    IndexRecovery.Result result = pool.rebuildIndex();
    assertEquals(result.txg() == txg ? Source.BACKUP : Source.WALK, result.source());
    pool.open();
    pool.auditAsFound();
    requireFile("last");
  }

  @Test
  void oneOfAnotherCommitIsNotUsedWhateverItsName() throws Exception {
    byte[] old = Files.readAllBytes(backup());
    pool.open();
    write("newer");
    pool.close();
    Files.write(backups().get(0), old);
    Files.delete(index());
    assertEquals(Source.WALK, pool.rebuildIndex().source());
    pool.open();
    pool.auditAsFound();
    requireFile("newer");
  }

  /** No commit could go on from that; from the one before it can. */
  @Test
  void itIsNotUsedWhereTheDirectoryIsDamaged() throws Exception {
    pool.open();
    BlockPointer root = pool.sources().directoryRoot();
    pool.close();
    Files.delete(index());
    pool.rot(root, 100, 2);
    IndexRecovery.Result result = pool.rebuildIndex();
    assertEquals(Source.WALK, result.source());
    assertEquals(txg - 1, result.txg());
    pool.open();
    write("more");
    pool.audit();
  }

  /** A newer commit may be the one whose record is damaged. */
  @Test
  void itIsNotUsedWhereTheRingIsDamaged() throws Exception {
    Files.delete(index());
    pool.device().flipBit((2 + (txg + 1) % RING_SLOTS) * SECTOR_BYTES + 30, 2);
    IndexRecovery.Result result = pool.rebuildIndex();
    assertEquals(Source.WALK, result.source());
    assertEquals(1, result.passedOver().size());
  }

  /** The index can be read: whoever wants it made anew does not trust it, nor its copy. */
  @Test
  void anIndexThatCanBeReadIsMadeByAWalk() throws Exception {
    assertEquals(Source.WALK, pool.rebuildIndex().source());
    pool.open();
    pool.auditAsFound();
  }

  @Test
  void aFlippedBitInItIsFoundOrHarmless() throws Exception {
    byte[] whole = Files.readAllBytes(backup());
    FaultInjectingDevice device = pool.device();
    Random random = new Random(7);
    int walks = 0;
    for (int i = 0; i < 40; i++) {
      byte[] flipped = whole.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(backup(), flipped);
      Files.deleteIfExists(index());
      pool.setDevice(device);
      walks += pool.rebuildIndex().source() == Source.WALK ? 1 : 0;
      pool.open();
      assertEquals(txg, pool.pool().status().txg());
      assertEquals(List.of(), pool.pool().auditNow());
      requireFile("last");
      pool.close();
    }
    assertTrue(walks > 5, walks + " of 40 were found");
  }

  /** What a crash leaves of a copy that was not finished. */
  @Test
  void anUnfinishedCopyIsReplaced() throws Exception {
    Files.delete(backup());
    Path unfinished = Files.createDirectory(directory.resolve("index.new"));
    Files.write(unfinished.resolve("data.mdb"), new byte[5_000]);
    pool.open();
    pool.close();
    assertFalse(Files.exists(unfinished));
    Files.delete(index());
    assertEquals(Source.BACKUP, pool.rebuildIndex().source());
  }

  private Path index() {
    return directory.resolve("index/data.mdb");
  }

  private Path backup() {
    return directory.resolve("index/data.mdb.backup-" + txg);
  }

  private List<Path> backups() throws IOException {
    try (Stream<Path> files = Files.list(directory.resolve("index"))) {
      return files.filter(file -> file.toString().contains("backup")).toList();
    }
  }

  /** Commits. */
  private void write(String name) throws Exception {
    FileSystem files = pool.fileSystem();
    FileSystem.Created file =
        files.create(Caller.ROOT, FileSystem.ROOT_INODE, name.getBytes(UTF_8), 0644, Set.of());
    byte[] content = name.repeat(9_000).getBytes(UTF_8);
    files.write(Caller.ROOT, file.handle(), 0, ByteBuffer.wrap(content), false);
    files.release(file.handle());
    pool.pool().sync();
  }

  private void requireFile(String name) throws Exception {
    assertEquals(
        name.length() * 9_000L,
        pool.fileSystem().lookup(FileSystem.ROOT_INODE, name.getBytes(UTF_8)).size());
  }
}
