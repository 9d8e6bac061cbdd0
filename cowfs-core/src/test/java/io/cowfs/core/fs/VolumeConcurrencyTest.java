package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.RenameMode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Threads change a volume at the same time, while one commit follows the other. */
@Timeout(180)
class VolumeConcurrencyTest {
  private static final long SEED = Long.getLong("cowfs.test.seed", 20_261_126);
  private static final int STEPS = Integer.getInteger("cowfs.test.steps", 4_000);
  private static final int THREADS = 4;

  private static final AttributeChange TIMES =
      new AttributeChange(null, null, null, null, null, AttributeChange.NOW, null, false);

  @TempDir Path directory;

  private static void inParallel(List<Callable<Void>> work) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(work.size());
    try {
      List<Future<Void>> results = new ArrayList<>();
      work.forEach(each -> results.add(threads.submit(each)));
      for (Future<Void> result : results) {
        result.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void directoriesOfTheirOwnAreWhatTheirModelsSay() throws Exception {
    System.out.println("seed " + SEED);
    try (TestPool pool =
        TestPool.create(
            directory.resolve("pool"), 1L << 30, CompressionSetting.LZ4, TestPool.RESTLESS)) {
      FileSystem fs = pool.fileSystem();
      List<VolumeDriver> drivers = new ArrayList<>();
      List<Callable<Void>> work = new ArrayList<>();
      AtomicBoolean done = new AtomicBoolean();
      for (int i = 0; i < THREADS; i++) {
        Attributes made =
            fs.makeDirectory(Caller.ROOT, FileSystem.ROOT_INODE, Model.bytes("t" + i), 0755);
        Model model = new Model(made.inode());
        model.root.mode = 0755;
        model.root.parent = new ModelNode(FileSystem.ROOT_INODE, FileType.DIRECTORY);
        model.root.parent.parent = model.root.parent;
        VolumeDriver driver = new VolumeDriver(fs, model);
        drivers.add(driver);
        Random random = new Random(SEED + i);
        work.add(
            () -> {
              for (int step = 0; step < STEPS && !done.get(); step++) {
                try {
                  driver.step(random.nextLong());
                } catch (AssertionError | FsException failure) {
                  done.set(true);
                  throw new AssertionError(step + ": " + driver.trace(), failure);
                }
              }
              return null;
            });
      }
      inParallel(work);
      for (VolumeDriver driver : drivers) {
        driver.letGo();
        driver.model().compare(fs, new Random(SEED));
      }
      pool.audit();
      pool.reopen();
      pool.auditAsFound();
      for (VolumeDriver driver : drivers) {
        driver.model().compare(pool.fileSystem(), new Random(SEED));
      }
    }
  }

  @Test
  void oneDirectoryUsedByAllStaysWhole() throws Exception {
    System.out.println("seed " + SEED);
    try (TestPool pool =
        TestPool.create(
            directory.resolve("pool"), 1L << 30, CompressionSetting.NONE, TestPool.RESTLESS)) {
      FileSystem fs = pool.fileSystem();
      long left = fs.makeDirectory(Caller.ROOT, 1, Model.bytes("left"), 0755).inode();
      long right = fs.makeDirectory(Caller.ROOT, left, Model.bytes("right"), 0755).inode();
      List<Callable<Void>> work = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        Random random = new Random(SEED + i);
        work.add(
            () -> {
              for (int step = 0; step < STEPS; step++) {
                contend(fs, new long[] {FileSystem.ROOT_INODE, left, right}, random);
              }
              return null;
            });
      }
      inParallel(work);
      pool.audit();
      pool.reopen();
      pool.auditAsFound();
    }
  }

  /** All want the same few names; what is refused is refused for a reason that there can be. */
  private static void contend(FileSystem fs, long[] directories, Random random) throws FsException {
    long from = directories[random.nextInt(3)];
    long to = directories[random.nextInt(3)];
    byte[] name = Model.bytes("n" + random.nextInt(6));
    byte[] newName = Model.bytes("n" + random.nextInt(6));
    try {
      switch (random.nextInt(7)) {
        case 0 ->
            fs.forget(
                fs.makeNode(Caller.ROOT, from, name, FileType.REGULAR.format() | 0644, 0).inode(),
                1);
        case 1 -> fs.forget(fs.makeDirectory(Caller.ROOT, from, name, 0755).inode(), 1);
        case 2 -> fs.unlink(from, name);
        case 3 -> fs.removeDirectory(from, name);
        case 4 -> fs.rename(from, name, to, newName, RenameMode.values()[random.nextInt(3)]);
        case 5 -> {
          long inode = fs.lookup(from, name).inode();
          try {
            fs.link(inode, to, newName);
            fs.forget(inode, 1);
          } finally {
            fs.forget(inode, 1);
          }
        }
        default -> {
          FileSystem.Created created = fs.create(Caller.ROOT, from, name, 0644, Set.of());
          fs.write(Caller.ROOT, created.handle(), 0, java.nio.ByteBuffer.allocate(5000), false);
          fs.release(created.handle());
          fs.forget(created.attributes().inode(), 1);
        }
      }
    } catch (FsException refused) {
      Set<FsError> possible =
          Set.of(
              FsError.EXISTS,
              FsError.NOT_FOUND,
              FsError.NOT_EMPTY,
              FsError.IS_A_DIRECTORY,
              FsError.NOT_A_DIRECTORY,
              FsError.NOT_PERMITTED,
              FsError.INVALID);
      if (!possible.contains(refused.error())) {
        throw refused;
      }
    }
  }

  /** A kernel that caches writes sends a file's times when it lets go of it. */
  @Test
  void nothingIsLeftOfAFileThatWasChangedAfterItWasUnlinked() throws Exception {
    try (TestPool pool =
        TestPool.create(
            directory.resolve("pool"), 1L << 30, CompressionSetting.NONE, TestPool.RESTLESS)) {
      FileSystem fs = pool.fileSystem();
      List<Callable<Void>> work = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        byte[] name = Model.bytes("n" + i);
        work.add(
            () -> {
              for (int step = 0; step < STEPS; step++) {
                FileSystem.Created created = fs.create(Caller.ROOT, 1, name, 0644, Set.of());
                long inode = created.attributes().inode();
                fs.release(created.handle());
                fs.unlink(1, name);
                fs.setAttributes(Caller.ROOT, inode, null, TIMES);
                fs.forget(inode, 1);
              }
              return null;
            });
      }
      inParallel(work);
      pool.audit();
    }
  }

  @Test
  void everyOrphanIsFreedWhoeverLetsGoLast() throws Exception {
    try (TestPool pool =
        TestPool.create(
            directory.resolve("pool"), 1L << 30, CompressionSetting.NONE, TestPool.RESTLESS)) {
      FileSystem fs = pool.fileSystem();
      List<Long> inodes = new ArrayList<>();
      for (int i = 0; i < 600; i++) {
        byte[] name = Model.bytes("n" + i);
        FileSystem.Created created = fs.create(Caller.ROOT, 1, name, 0644, Set.of());
        long inode = created.attributes().inode();
        inodes.add(inode);
        inParallelQuietly(
            () -> fs.unlink(1, name),
            () -> fs.release(created.handle()),
            () -> fs.forget(inode, 1));
      }
      List<Long> left = new ArrayList<>(inodes);
      for (int i = 0; i < 100 && !left.isEmpty(); i++) {
        fs.syncAll();
        left.removeIf(inode -> isGone(fs, inode));
      }
      assertEquals(List.of(), left);
    }
  }

  private static boolean isGone(FileSystem fs, long inode) {
    try {
      fs.getAttributes(inode);
      return false;
    } catch (FsException gone) {
      return gone.error() == FsError.STALE;
    }
  }

  private interface Action {
    void run() throws FsException;
  }

  private static void inParallelQuietly(Action... actions) throws Exception {
    List<Thread> threads = new ArrayList<>();
    for (Action action : actions) {
      Thread thread =
          new Thread(
              () -> {
                try {
                  action.run();
                } catch (FsException failure) {
                  throw new AssertionError(failure);
                }
              });
      threads.add(thread);
      thread.start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }
}
