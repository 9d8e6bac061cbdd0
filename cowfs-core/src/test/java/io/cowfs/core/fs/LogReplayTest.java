package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.txg.Txg;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystem.AllocationMode;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was synced is there after a power cut, though nothing was committed since. */
class LogReplayTest {
  private static final int ROOT = (int) FileSystem.ROOT_INODE;

  @TempDir Path directory;

  private TestPool pool;
  private FileSystem fs;
  private long txg;

  @BeforeEach
  void create() throws IOException {
    pool = TestPool.create(directory, 128L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND);
    opened();
  }

  @AfterEach
  void close() throws Exception {
    pool.audit();
    pool.close();
  }

  private void opened() throws IOException {
    fs = pool.fileSystem();
    txg = pool.pool().status().txg();
  }

  private static byte[] name(String name) {
    return name.getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }

  private FileHandle create(String name) throws FsException {
    return fs.create(Caller.ROOT, ROOT, name(name), 0640, Set.of()).handle();
  }

  private void write(FileHandle file, long offset, byte[] bytes) throws FsException {
    fs.write(Caller.ROOT, file, offset, ByteBuffer.wrap(bytes), false);
  }

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private byte[] content(FileSystem of, String name) throws FsException {
    Attributes attributes = of.lookup(ROOT, name(name));
    FileHandle handle = of.open(attributes.inode(), Set.of());
    ByteBuffer content = ByteBuffer.allocate((int) attributes.size());
    assertEquals(content.capacity(), of.read(handle, 0, content.capacity(), content));
    of.release(handle);
    return content.array();
  }

  /** Syncs by the log alone. */
  private void sync() throws Exception {
    long syncs = pool.device().count(Operation.SYNC);
    fs.syncAll();
    assertEquals(txg, pool.pool().status().txg(), "a commit");
    assertEquals(syncs + 1, pool.device().count(Operation.SYNC));
  }

  private void crash() throws IOException {
    pool.crash(new Random(1));
    pool.open();
    pool.auditAsFound();
    opened();
  }

  @Test
  void contentOfEverySizeComesBack() throws Exception {
    int[] sizes = {0, 1, 2048, 2049, 4096, 5000, 200_000};
    for (int size : sizes) {
      write(create("f" + size), 0, filled(size, 7));
    }
    FileHandle sparse = create("sparse");
    write(sparse, 100_000, filled(10, 8));
    fs.sync(Caller.ROOT, sparse.inode(), true);
    crash();
    for (int size : sizes) {
      assertArrayEquals(filled(size, 7), content(fs, "f" + size));
    }
    byte[] expected = new byte[100_010];
    Arrays.fill(expected, 100_000, 100_010, (byte) 8);
    assertArrayEquals(expected, content(fs, "sparse"));
  }

  @Test
  void whatWasNotSyncedIsLostWithoutATrace() throws Exception {
    write(create("a"), 0, filled(5000, 1));
    sync();
    create("b");
    FileHandle a = fs.open(fs.lookup(ROOT, name("a")).inode(), Set.of());
    write(a, 0, filled(5000, 2));
    crash();
    assertArrayEquals(filled(5000, 1), content(fs, "a"));
    assertEquals(
        FsError.NOT_FOUND,
        assertThrows(FsException.class, () -> fs.lookup(ROOT, name("b"))).error());
  }

  @Test
  void changesOfWhatIsCommittedComeBack() throws Exception {
    FileHandle file = create("a");
    write(file, 0, filled(300_000, 1));
    Attributes subdirectory = fs.makeDirectory(Caller.ROOT, ROOT, name("d"), 0755);
    pool.commit();
    opened();

    write(file, 10_000, filled(9000, 2));
    fs.allocate(file, AllocationMode.PUNCH_HOLE, 100_001, 50_000);
    fs.setAttributes(
        Caller.ROOT,
        file.inode(),
        file,
        new AttributeChange(null, null, null, 250_001L, null, null, null, false));
    fs.setXattr(
        file.inode(),
        name("user.x"),
        filled(5000, 9),
        io.cowfs.core.vfs.XattrMode.CREATE_OR_REPLACE);
    fs.rename(ROOT, name("a"), subdirectory.inode(), name("b"), RenameMode.REPLACE);
    fs.link(file.inode(), ROOT, name("c"));
    sync();
    long space = fs.getAttributes(file.inode()).allocatedBytes();
    crash();

    byte[] expected = filled(250_001, 1);
    Arrays.fill(expected, 10_000, 19_000, (byte) 2);
    Arrays.fill(expected, 100_001, 150_001, (byte) 0);
    assertArrayEquals(expected, content(fs, "c"));
    Attributes found = fs.lookup(ROOT, name("c"));
    assertEquals(found.inode(), fs.lookup(subdirectory.inode(), name("b")).inode());
    assertEquals(2, found.nlink());
    assertArrayEquals(filled(5000, 9), fs.getXattr(found.inode(), name("user.x")));
    assertTrue(found.allocatedBytes() <= space, found.allocatedBytes() + " of " + space);
  }

  @Test
  void severalTxgsAndSyncsComeBackTogether() throws Exception {
    FileHandle file = create("a");
    for (int i = 0; i < 20; i++) {
      write(file, i * 4096L, filled(4096, i + 1));
      if (i % 7 == 3) {
        pool.commit();
        opened();
      } else {
        sync();
      }
    }
    crash();
    byte[] found = content(fs, "a");
    for (int i = 0; i < 20; i++) {
      assertEquals(i + 1, found[i * 4096]);
    }
  }

  @Test
  void unlinkedFilesAreFreedAndNumbersAreNotUsedAgain() throws Exception {
    FileHandle first = create("a");
    write(first, 0, filled(100_000, 1));
    pool.commit();
    opened();
    fs.unlink(ROOT, name("a"));
    FileHandle second = create("b");
    write(second, 0, filled(100_000, 2));
    fs.unlink(ROOT, name("b"));
    FileHandle third = create("c");
    sync();
    crash();
    assertTrue(create("d").inode() > third.inode());
    pool.commit();
    pool.commit();
    assertThrows(FsException.class, () -> fs.getAttributes(second.inode()));
  }

  @Test
  void valuesOfAttributesKeepTheirNumbers() throws Exception {
    byte[] first = filled(7_000, 1);
    fs.setXattr(ROOT, name("user.first"), first, XattrMode.CREATE);
    sync();
    crash();
    fs.setXattr(ROOT, name("user.second"), filled(9_000, 2), XattrMode.CREATE);
    assertArrayEquals(first, fs.getXattr(ROOT, name("user.first")));
    pool.commit();
    pool.audit();
  }

  @Test
  void anUnnamedFileThatGotANameStays() throws Exception {
    FileSystem.Created unnamed = fs.createUnnamed(Caller.ROOT, ROOT, 0600, Set.of());
    write(unnamed.handle(), 0, filled(5000, 3));
    pool.commit();
    opened();
    fs.link(unnamed.handle().inode(), ROOT, name("named"));
    sync();
    crash();
    pool.commit();
    pool.commit();
    assertArrayEquals(filled(5000, 3), content(fs, "named"));
  }

  @Test
  void allDatasetsComeBackToOneMoment() throws Exception {
    pool.pool().administration().createDataset("other", Map.of());
    FileSystem other = pool.pool().fileSystem("other");
    opened();
    write(create("a"), 0, filled(5000, 1));
    FileHandle b = other.create(Caller.ROOT, ROOT, name("b"), 0644, Set.of()).handle();
    other.write(Caller.ROOT, b, 0, ByteBuffer.wrap(filled(5000, 2)), false);
    sync();
    crash();
    assertArrayEquals(filled(5000, 1), content(fs, "a"));
    assertArrayEquals(filled(5000, 2), content(pool.pool().fileSystem("other"), "b"));
  }

  @Test
  void aCrashWhileReplayingChangesNothing() throws Exception {
    write(create("a"), 0, filled(50_000, 1));
    sync();
    pool.crash(new Random(2));
    for (int nth = 1; nth < 8; nth++) {
      int at = nth;
      pool.setFaults(device -> device.failPowerAt(at));
      try {
        pool.open();
      } catch (IOException expected) {
        // The power is gone.
      }
      pool.setFaults(device -> {});
      pool.crash(new Random(nth));
    }
    pool.open();
    opened();
    assertArrayEquals(filled(50_000, 1), content(fs, "a"));
  }

  @Test
  void zerosComeBackAsZeros() throws Exception {
    FileHandle file = create("a");
    write(file, 0, filled(600_000, 1));
    pool.commit();
    opened();
    int zeros = 100 * 4096; // Whole sectors: nothing of them is in the log.
    write(file, 4096, filled(zeros, 0));
    sync();
    crash();
    byte[] expected = filled(600_000, 1);
    Arrays.fill(expected, 4096, 4096 + zeros, (byte) 0);
    assertArrayEquals(expected, content(fs, "a"));
  }

  /** The commit does not become durable, but what it was about to save was logged before. */
  @Test
  void whatIsSyncedWhileATxgSyncsComesBackWithThatTxg() throws Exception {
    write(create("a"), 0, filled(5000, 1));
    FaultInjectingDevice device = pool.device();
    device.beforeSync(
        () -> {
          device.beforeSync(() -> {});
          try {
            write(create("b"), 0, filled(5000, 2));
            fs.syncAll();
          } catch (FsException failure) {
            throw new IllegalStateException(failure);
          }
          device.failPowerAt(1);
        });
    assertThrows(IOException.class, pool::commit);
    crash();
    assertArrayEquals(filled(5000, 1), content(fs, "a"));
    assertArrayEquals(filled(5000, 2), content(fs, "b"));
  }

  /** What a member does is in the log as a whole or not at all. */
  @Test
  void aSyncWaitsForThoseWhoHaveJoined() throws Exception {
    create("a");
    Txg joined = ((Volume) fs).services().txgs().join();
    long syncs = pool.device().count(Operation.SYNC);
    Thread syncing =
        new Thread(
            () -> {
              try {
                fs.syncAll();
              } catch (FsException failure) {
                throw new IllegalStateException(failure);
              }
            });
    syncing.start();
    try {
      while (syncing.getState() != Thread.State.WAITING) {
        Thread.sleep(1);
        assertTrue(syncing.isAlive(), "it has not waited");
      }
      assertEquals(syncs, pool.device().count(Operation.SYNC));
    } finally {
      joined.leave();
    }
    syncing.join();
    assertEquals(syncs + 1, pool.device().count(Operation.SYNC));
  }

  @Test
  void aClonedRangeIsThereWhenItWasSynced() throws Exception {
    FileHandle from = create("from");
    write(from, 0, filled(400_000, 4));
    pool.commit();
    FileHandle to = create("to");
    fs.copyRange(Caller.ROOT, new FileSystem.Copy(from, 0, to, 0, 400_000), false);
    create("later");
    fs.sync(Caller.ROOT, to.inode(), false);
    crash();
    assertArrayEquals(filled(400_000, 4), content(fs, "to"));
  }

  @Test
  void whatIsTooMuchForTheLogIsCommitted() throws Exception {
    FileHandle file = create("a");
    write(file, 0, filled(3 << 20, 1));
    fs.sync(Caller.ROOT, file.inode(), false);
    assertTrue(pool.pool().status().txg() > txg);
    crash();
    assertArrayEquals(filled(3 << 20, 1), content(fs, "a"));
  }

  @Test
  void aFileThatIsDurableIsNotSyncedAgain() throws Exception {
    FileHandle file = create("a");
    pool.commit();
    create("b");
    long syncs = pool.device().count(Operation.SYNC);
    fs.sync(Caller.ROOT, file.inode(), false);
    assertEquals(syncs, pool.device().count(Operation.SYNC));
  }
}
