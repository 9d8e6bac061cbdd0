package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** An I/O error in a commit makes the pool read-only and leaves the last commit as it is. */
class SuspensionTest {
  @TempDir Path directory;

  private static void refused(FsError expected, Executable action) {
    assertEquals(expected, assertThrows(FsException.class, action).error());
  }

  private static ByteBuffer bytes(int value) {
    byte[] bytes = new byte[300_000];
    Arrays.fill(bytes, (byte) value);
    return ByteBuffer.wrap(bytes);
  }

  private static int firstByte(FileSystem fs, FileHandle handle) throws FsException {
    ByteBuffer buffer = ByteBuffer.allocate(300_000);
    assertEquals(300_000, fs.read(handle, 0, 300_000, buffer));
    return buffer.get(299_999);
  }

  private void check(Operation failing) throws Exception {
    try (TestPool pool =
        TestPool.create(
            directory.resolve(failing.name()),
            64L << 20,
            CompressionSetting.NONE,
            TestPool.ON_DEMAND)) {
      FileSystem fs = pool.fileSystem();
      byte[] name = {'a'};
      FileSystem.Created file = fs.create(Caller.ROOT, 1, name, 0644, Set.of());
      FileHandle handle = file.handle();
      fs.write(Caller.ROOT, handle, 0, bytes(1), false);
      fs.syncAll();
      fs.write(Caller.ROOT, handle, 0, bytes(2), false);
      pool.device().failOnce(failing, 1, Fault.IO_ERROR);
      refused(FsError.IO, () -> fs.sync(Caller.ROOT, handle.inode(), false));

      refused(FsError.IO, fs::syncAll);
      refused(FsError.IO, () -> fs.sync(Caller.ROOT, handle.inode(), true));
      refused(FsError.READ_ONLY, () -> fs.write(Caller.ROOT, handle, 0, bytes(3), false));
      refused(FsError.READ_ONLY, () -> fs.makeDirectory(Caller.ROOT, 1, new byte[] {'b'}, 0755));
      refused(FsError.READ_ONLY, () -> fs.unlink(1, name));
      assertEquals(2, firstByte(fs, handle), "reads go on");
      assertEquals(file.attributes().inode(), fs.lookup(1, name).inode());
      assertTrue(pool.pool().status().state().startsWith("suspended"));
      assertThrows(java.io.IOException.class, () -> pool.snapshot("s"));

      pool.closeAfterFailure();
      pool.open();
      pool.auditAsFound();
      FileSystem again = pool.fileSystem();
      FileHandle reopened = again.open(file.attributes().inode(), Set.of());
      int found = firstByte(again, reopened);
      // What the failed sync left out may have arrived all the same.
      assertTrue(found == 1 || (found == 2 && failing == Operation.SYNC), "found " + found);
      pool.audit();
    }
  }

  @Test
  void failedWriteSuspendsThePool() throws Exception {
    check(Operation.WRITE);
  }

  @Test
  void poolWhoseDeviceDiesWhileItIsClosedCanBeOpenedAgain() throws Exception {
    try (TestPool pool =
        TestPool.create(
            directory.resolve("dying"), 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND)) {
      pool.fileSystem().syncAll();
      pool.device().failFrom(Operation.SYNC, 1, Fault.IO_ERROR);
      assertThrows(java.io.IOException.class, pool::close);
      pool.open();
      pool.auditAsFound();
    }
  }

  @Test
  void failedSyncSuspendsThePool() throws Exception {
    check(Operation.SYNC);
  }

  /** Here it is no fsync that meets the error, but a commit that others wait for. */
  @Test
  void failedCommitSuspendsThePool() throws Exception {
    for (Operation failing : new Operation[] {Operation.WRITE, Operation.SYNC}) {
      try (TestPool pool =
          TestPool.create(
              directory.resolve("commit" + failing),
              64L << 20,
              CompressionSetting.NONE,
              TestPool.ON_DEMAND)) {
        FileSystem fs = pool.fileSystem();
        FileHandle file = fs.create(Caller.ROOT, 1, new byte[] {'a'}, 0644, Set.of()).handle();
        fs.write(Caller.ROOT, file, 0, bytes(1), false);
        pool.device().failOnce(failing, 1, Fault.IO_ERROR);
        assertThrows(java.io.IOException.class, pool::commit);
        assertTrue(pool.pool().status().state().startsWith("suspended"));
        refused(FsError.IO, () -> fs.sync(Caller.ROOT, file.inode(), false));
        refused(FsError.READ_ONLY, () -> fs.unlink(1, new byte[] {'a'}));
        assertThrows(java.io.IOException.class, pool::commit);
        pool.closeAfterFailure();
      }
    }
  }

  @Test
  void anOrphanThatIsFreedInPartOnlySuspendsThePool() throws Exception {
    try (TestPool pool =
        TestPool.create(
            directory.resolve("part"), 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND)) {
      FileSystem fs = pool.fileSystem();
      byte[] name = {'a'};
      FileHandle handle = fs.create(Caller.ROOT, 1, name, 0644, Set.of()).handle();
      fs.write(Caller.ROOT, handle, 0, bytes(1), false);
      pool.commit();
      fs.release(handle);
      fs.forget(handle.inode(), 1);

      List<DataExtent> extents = extents(pool.liveTree("root"));
      assertTrue(extents.size() > 1);
      DataExtent last = extents.get(extents.size() - 1);
      pool.freeWrongly(last.sector(), last.sectors());
      for (byte i = 0; i < 5; i++) {
        fs.makeDirectory(Caller.ROOT, 1, new byte[] {'d', (byte) ('0' + i)}, 0755);
        pool.commit();
      }
      assertFalse(pool.isAllocated(last.sector(), last.sectors()), "damaged");

      fs.unlink(1, name);
      assertThrows(java.io.IOException.class, pool::commit);
      assertTrue(pool.pool().status().state().startsWith("suspended"));
      pool.closeAfterFailure();
    }
  }

  private static List<DataExtent> extents(Tree tree) throws IOException {
    List<DataExtent> extents = new ArrayList<>();
    tree.walk(
        -1,
        new NodeVisitor() {
          @Override
          public void item(Key key, byte[] source, int offset, int length) throws IOException {
            DataExtent extent =
                ExtentItems.extentOf(key, Arrays.copyOfRange(source, offset, offset + length));
            if (extent != null) {
              extents.add(extent);
            }
          }

          @Override
          public void node(BlockPointer pointer, int level) {}
        });
    return extents;
  }
}
