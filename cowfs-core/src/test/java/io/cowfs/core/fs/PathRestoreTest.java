package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.device.FaultInjectingDevice.Fault;
import io.cowfs.core.device.FaultInjectingDevice.Operation;
import io.cowfs.core.pool.Restoration;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a restored path does to those who use it, case by case. */
class PathRestoreTest {
  private static final long ROOT = FileSystem.ROOT_INODE;
  private static final long SEED = Long.getLong("cowfs.test.seed", 20_261_124);

  @TempDir Path directory;
  private TestPool pool;
  private FileSystem fs;

  @BeforeEach
  void create() throws Exception {
    pool =
        TestPool.create(
            directory.resolve("p"), 1L << 30, CompressionSetting.NONE, TestPool.ON_DEMAND);
    fs = pool.fileSystem();
  }

  @AfterEach
  void close() throws Exception {
    pool.close();
  }

  private long directory(long parent, String name) throws FsException {
    long made = fs.makeDirectory(Caller.ROOT, parent, Model.bytes(name), 0755).inode();
    fs.forget(made, 1);
    return made;
  }

  private FileHandle file(long parent, String name, byte[] content) throws FsException {
    FileSystem.Created made = fs.create(Caller.ROOT, parent, Model.bytes(name), 0644, Set.of());
    fs.forget(made.attributes().inode(), 1);
    fs.write(Caller.ROOT, made.handle(), 0, ByteBuffer.wrap(content), false);
    return made.handle();
  }

  private byte[] content(FileHandle handle) throws FsException {
    return FileTree.read(fs, fs.getAttributes(handle.inode()));
  }

  private Attributes find(long parent, String name) throws FsException {
    Attributes found = fs.lookup(parent, Model.bytes(name));
    fs.forget(found.inode(), 1);
    return found;
  }

  private Restoration restore(String path) throws IOException {
    return pool.pool().administration().restorePath("root", "s", Model.bytes(path));
  }

  private static byte[] filled(int length, int value) {
    byte[] bytes = new byte[length];
    java.util.Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  @Test
  void handlesOfReplacedFilesGoOnWithTheOldContent() throws Exception {
    FileHandle open = file(ROOT, "f", filled(100_000, 1));
    pool.snapshot("s");
    fs.write(Caller.ROOT, open, 0, ByteBuffer.wrap(filled(200_000, 2)), false);
    assertEquals(new Restoration(1, 0, 0), restore("f"));
    Attributes restored = find(ROOT, "f");
    assertNotEquals(open.inode(), restored.inode());
    assertArrayEquals(filled(100_000, 1), FileTree.read(fs, restored));
    assertArrayEquals(filled(200_000, 2), content(open));
    fs.write(Caller.ROOT, open, 0, ByteBuffer.wrap(filled(10, 3)), false);
    pool.commit();
    assertArrayEquals(filled(100_000, 1), FileTree.read(fs, find(ROOT, "f")));
    fs.release(open);
    pool.commit();
    pool.commit();
    assertEquals(FsError.STALE, assertThrows(FsException.class, () -> content(open)).error());
    pool.audit();
  }

  @Test
  void namesOutsideOfThePathKeepTheirFile() throws Exception {
    long in = directory(ROOT, "in");
    long out = directory(ROOT, "out");
    FileHandle one = file(in, "one", filled(9000, 1));
    fs.link(one.inode(), out, Model.bytes("two"));
    FileHandle mode = file(in, "mode", filled(9000, 7));
    fs.link(mode.inode(), out, Model.bytes("mode"));
    pool.snapshot("s");
    fs.write(Caller.ROOT, one, 0, ByteBuffer.wrap(filled(9000, 2)), false);
    fs.setXattr(mode.inode(), Model.bytes("user.x"), filled(5000, 1), XattrMode.CREATE_OR_REPLACE);
    assertEquals(new Restoration(2, 0, 0), restore("in"));
    assertArrayEquals(filled(9000, 1), FileTree.read(fs, find(in, "one")));
    assertArrayEquals(filled(9000, 2), FileTree.read(fs, find(out, "two")));
    assertEquals(0, fs.listXattrs(find(in, "mode").inode()).length);
    assertTrue(fs.listXattrs(find(out, "mode").inode()).length > 0);
    assertEquals(1, find(in, "one").nlink());
    pool.audit();
  }

  @Test
  void attributesAloneAreSetInPlace() throws Exception {
    FileHandle file = file(ROOT, "f", filled(9000, 1));
    fs.setXattr(file.inode(), Model.bytes("user.x"), filled(5000, 1), XattrMode.CREATE_OR_REPLACE);
    pool.snapshot("s");
    fs.removeXattr(file.inode(), Model.bytes("user.x"));
    fs.setXattr(file.inode(), Model.bytes("user.y"), filled(3, 1), XattrMode.CREATE_OR_REPLACE);
    assertEquals(new Restoration(1, 0, 0), restore("f"));
    assertEquals(file.inode(), find(ROOT, "f").inode());
    assertArrayEquals(filled(5000, 1), fs.getXattr(file.inode(), Model.bytes("user.x")));
    assertEquals("user.x\0", Model.text(fs.listXattrs(file.inode())));
    pool.audit();
  }

  @Test
  void restoredDataTakesNoSpace() throws Exception {
    long in = directory(ROOT, "in");
    byte[] random = new byte[16 << 20];
    new Random(SEED).nextBytes(random);
    fs.release(file(in, "big", random));
    pool.snapshot("s");
    fs.unlink(in, Model.bytes("big"));
    fs.removeDirectory(ROOT, Model.bytes("in"));
    pool.commit();
    long before = pool.pool().status().allocatedBytes();
    assertEquals(new Restoration(0, 2, 0), restore("in/big"));
    long took = pool.pool().status().allocatedBytes() - before;
    assertTrue(took < 512 << 10, "took " + took);
    assertArrayEquals(random, FileTree.read(fs, find(find(ROOT, "in").inode(), "big")));
    pool.destroySnapshot("s");
    pool.audit();
    assertArrayEquals(random, FileTree.read(fs, find(find(ROOT, "in").inode(), "big")));
  }

  @Test
  void pathsThatCannotBeRestoredAreRefused() throws Exception {
    directory(ROOT, "d");
    pool.snapshot("s");
    fs.release(file(ROOT, "new", filled(3, 1)));
    assertEquals(Reason.NOT_FOUND, reason("s", "new"));
    assertEquals(Reason.NOT_FOUND, reason("s", "d/x"));
    assertEquals(Reason.NOT_FOUND, reason("nope", "d"));
    assertEquals(Reason.INVALID_NAME, reason("s", "/d"));
    assertEquals(Reason.INVALID_NAME, reason("s", "d/../d"));
    assertEquals(Reason.INVALID_NAME, reason("s", "d\0"));
    assertEquals(Reason.NAME_TOO_LONG, reason("s", "x".repeat(256)));
    assertEquals(new Restoration(0, 0, 0), restore("./d//"));
    assertEquals(3, find(ROOT, "new").size());
  }

  private Reason reason(String snapshot, String path) {
    return assertThrows(
            DatasetException.class,
            () -> pool.pool().administration().restorePath("root", snapshot, Model.bytes(path)))
        .reason();
  }

  @Test
  void theFrontEndIsToldOfWhatItHolds() throws Exception {
    long in = directory(ROOT, "in");
    long unseen = directory(ROOT, "unseen");
    fs.release(file(in, "f", filled(5000, 1)));
    fs.release(file(unseen, "f", filled(5000, 1)));
    pool.snapshot("s");
    fs.unlink(in, Model.bytes("f"));
    fs.unlink(unseen, Model.bytes("f"));
    fs.lookup(ROOT, Model.bytes("in"));
    Set<String> told = new TreeSet<>();
    fs.setCacheInvalidator(
        new CacheInvalidator() {
          @Override
          public void inodeChanged(long inode) {
            told.add("inode " + inode);
          }

          @Override
          public void entryChanged(long parent, byte[] name) {
            told.add("entry " + parent + " " + Model.text(name));
          }

          @Override
          public void attributesChanged(long inode) {
            told.add("attributes " + inode);
          }

          @Override
          public boolean settle(long inode) {
            throw new AssertionError("no file changes in place");
          }
        });
    restore(".");
    assertEquals(
        new TreeSet<>(Set.of("entry " + in + " f", "inode " + in, "attributes " + in)), told);
    fs.forget(in, 1);
  }

  @Test
  void crashInTheMiddleLeavesWholeFilesAndNothingElse() throws Exception {
    System.out.println("seed " + SEED);
    Random random = new Random(SEED);
    int failed = 0;
    int partial = 0;
    for (int round = 0; round < 12; round++) {
      String dataset = "d" + round;
      long in = directory(ROOT, dataset);
      for (int i = 0; i < 40; i++) {
        fs.release(file(in, "f" + i, filled(1 + i * 700, 1)));
      }
      pool.snapshot("s");
      for (int i = 0; i < 40; i += 2) {
        fs.unlink(in, Model.bytes("f" + i));
        if (i % 4 == 0) {
          fs.release(file(in, "f" + i, filled(2 + i * 700, 2)));
        }
      }
      pool.commit();
      pool.device().failFrom(Operation.SYNC, 1 + random.nextInt(3), Fault.IO_ERROR);
      try {
        restore(dataset);
        pool.commit();
        pool.commit();
      } catch (IOException expected) {
        failed++;
      }
      pool.crash(random);
      pool.open();
      fs = pool.fileSystem();
      FileTree tree = FileTree.read(fs, "");
      for (String path : tree.entries.keySet()) {
        if (path.startsWith("/" + dataset + "/f")) {
          int i = Integer.parseInt(path.substring(dataset.length() + 3));
          byte[] content = FileTree.read(fs, tree.attributes.get(path));
          boolean isOld = java.util.Arrays.equals(content, filled(2 + i * 700, 2));
          boolean isNew = java.util.Arrays.equals(content, filled(1 + i * 700, 1));
          assertTrue(isOld || isNew, path);
        }
      }
      int left = FileTree.list(fs, find(ROOT, dataset).inode()).size();
      partial += left < 40 ? 1 : 0;
      restore(dataset);
      assertEquals(40, FileTree.list(fs, find(ROOT, dataset).inode()).size());
      pool.commit();
      pool.commit();
      pool.audit();
      pool.destroySnapshot("s");
    }
    assertTrue(failed > 6 && partial > 2, failed + " failed, " + partial + " before the names");
  }
}
