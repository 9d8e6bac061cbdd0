package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.txg.DirtyLimit;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystemStatus;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A dataset with a quota gets no larger than that, and can be filled again and again. */
@Timeout(120)
class QuotaTest {
  private static final int MIB = 1 << 20;
  private static final int QUOTA = 4 * MIB;
  private static final int THREADS = 10;
  private static final int ROUNDS = 10;

  /** By how much nodes may make the tree grow that are not counted before they are written. */
  private static final int NODES_BYTES = 256 << 10;

  @TempDir Path directory;
  private TestPool pool;
  private FileSystem fs;

  private void create(DirtyLimit limit) throws IOException {
    pool = TestPool.create(directory, 256L << 20, CompressionSetting.NONE, limit);
    set(Integer.toString(QUOTA));
    fs = pool.fileSystem();
  }

  private void set(String quota) throws IOException {
    pool.pool().administration().setProperties("root", null, Map.of("quota", quota));
  }

  @AfterEach
  void nothingStaysClaimed() throws Exception {
    set(Integer.toString(100 * MIB));
    fs.syncAll();
    assertEquals(100 * MIB - referencedBytes(), freeBytes());
    pool.audit();
    pool.close();
  }

  private long freeBytes() throws FsException {
    FileSystemStatus status = fs.status();
    return status.freeBlocks() * status.blockSize();
  }

  private long referencedBytes() throws IOException {
    return pool.pool().list().stream()
        .filter(info -> info.fullName().equals("root"))
        .findAny()
        .orElseThrow()
        .referencedBytes();
  }

  private FileHandle make(String name) throws FsException {
    byte[] bytes = Model.bytes(name);
    int mode = FileType.REGULAR.format() | 0600;
    long inode = fs.makeNode(Caller.ROOT, FileSystem.ROOT_INODE, bytes, mode, 0).inode();
    return fs.open(inode, Set.of(OpenFlags.READ, OpenFlags.WRITE));
  }

  private void write(FileHandle file, long offset, int bytes) throws FsException {
    fs.write(Caller.ROOT, file, offset, ByteBuffer.allocate(bytes).put(0, (byte) 1), false);
  }

  /** Runs a change; false when the quota did not allow it. */
  private static boolean isWithin(Change change) throws Exception {
    try {
      change.run();
      return true;
    } catch (FsException refused) {
      assertEquals(FsError.QUOTA_EXCEEDED, refused.error());
      return false;
    }
  }

  private interface Change {
    void run() throws FsException;
  }

  /** Does something in many threads at once; returns how many of them the quota allowed. */
  private static int inParallel(List<Change> changes) throws Exception {
    CyclicBarrier start = new CyclicBarrier(changes.size());
    ExecutorService threads = Executors.newFixedThreadPool(changes.size());
    try {
      List<Callable<Boolean>> work = new ArrayList<>();
      for (Change change : changes) {
        work.add(
            () -> {
              start.await();
              return isWithin(change);
            });
      }
      int within = 0;
      for (Future<Boolean> result : threads.invokeAll(work)) {
        within += result.get() ? 1 : 0;
      }
      return within;
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void writesAtTheSameTimeStayWithinIt() throws Exception {
    create(TestPool.ON_DEMAND);
    for (int round = 0; round < ROUNDS; round++) {
      List<FileHandle> files = new ArrayList<>();
      List<Change> writes = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        FileHandle file = make("file" + i);
        files.add(file);
        writes.add(() -> write(file, 0, MIB));
      }
      assertEquals(3, inParallel(writes), "the tree itself takes a part of the fourth MiB");
      fs.syncAll();
      assertTrue(referencedBytes() <= QUOTA + NODES_BYTES, "nodes for the files");
      for (int i = 0; i < THREADS; i++) {
        fs.release(files.get(i));
        fs.unlink(FileSystem.ROOT_INODE, Model.bytes("file" + i));
        fs.forget(files.get(i).inode(), 1);
      }
    }
  }

  @Test
  void attributesAtTheSameTimeStayWithinIt() throws Exception {
    create(TestPool.ON_DEMAND);
    List<FileHandle> files = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      files.add(make("file" + i));
    }
    List<Change> changes = new ArrayList<>();
    for (FileHandle file : files) {
      changes.add(
          () -> {
            byte[] value = new byte[32_000];
            new Random(file.inode()).nextBytes(value); // which no compression makes fit
            for (int i = 0; i < 100; i++) {
              byte[] name = Model.bytes("user.a" + i);
              fs.setXattr(file.inode(), name, value, XattrMode.CREATE);
            }
          });
    }
    assertEquals(0, inParallel(changes), "32 MB");
    fs.syncAll();
    long bytes = referencedBytes();
    assertTrue(bytes > QUOTA / 2 && bytes <= QUOTA + NODES_BYTES, () -> bytes + " bytes");
    files.forEach(fs::release);
  }

  /** What is overwritten counts until the next commit, and is waited for. */
  @Test
  void overwritingAtTheSameTimeIsWithinIt() throws Exception {
    create(TestPool.RESTLESS);
    List<Change> changes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      FileHandle file = make("file" + i);
      write(file, 0, MIB);
      changes.add(
          () -> {
            for (int j = 0; j < 100; j++) {
              write(file, (long) (j % 16) * MIB / 16, MIB / 16);
            }
            fs.release(file);
          });
    }
    assertEquals(3, inParallel(changes));
  }

  @Test
  void whatFailsGivesBackWhatItHasClaimed() throws Exception {
    create(TestPool.ON_DEMAND);
    FileHandle file = make("file");
    write(file, 0, MIB);
    long directory =
        fs.makeDirectory(Caller.ROOT, FileSystem.ROOT_INODE, Model.bytes("d"), 0700).inode();
    fs.syncAll();
    long free = freeBytes();
    for (int i = 0; i < 10; i++) {
      assertThrows(FsException.class, () -> make("file"));
      assertThrows(
          FsException.class,
          () -> fs.setXattr(directory, Model.bytes("user.a"), new byte[1], XattrMode.REPLACE));
    }
    assertEquals(free, freeBytes());
    write(file, 0, MIB);
    write(file, 0, MIB);
    assertEquals(free - MIB, freeBytes(), "the same sectors, twice in one txg");
    fs.release(file);
  }
}
