package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.dataset.DatasetException.Reason;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.Timestamp;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is and what is not a change, case by case. */
class TreeComparisonTest {
  private static final long ROOT = FileSystem.ROOT_INODE;

  @TempDir Path directory;
  private TestPool pool;
  private FileSystem fs;

  @BeforeEach
  void create() throws IOException {
    pool = TestPool.create(directory, 1L << 30, CompressionSetting.NONE, TestPool.ON_DEMAND);
    fs = pool.fileSystem();
  }

  @AfterEach
  void close() throws IOException {
    pool.close();
  }

  @Test
  void renamesAndLinksAreNoModifications() throws Exception {
    long a = file(ROOT, "a");
    long dir = directory(ROOT, "dir");
    file(dir, "moved-along");
    long two = file(dir, "two");
    link(two, ROOT, "two-a");
    pool.snapshot("s");
    fs.rename(ROOT, name("a"), dir, name("b"), RenameMode.REPLACE);
    link(a, ROOT, "c");
    fs.unlink(ROOT, name("c"));
    fs.rename(ROOT, name("dir"), ROOT, name("directory"), RenameMode.REPLACE);
    fs.rename(ROOT, name("two-a"), ROOT, name("two-b"), RenameMode.REPLACE);
    expect("RENAMED /directory < /dir", "RENAMED /directory/b < /a", "RENAMED /two-b < /two-a");
  }

  @Test
  void linksComeAndGo() throws Exception {
    long a = file(ROOT, "a");
    long b = file(ROOT, "b");
    link(b, ROOT, "b2");
    link(b, ROOT, "b3");
    long c = file(ROOT, "c");
    link(c, ROOT, "c2");
    pool.snapshot("s");
    link(a, ROOT, "a2");
    fs.unlink(ROOT, name("b2"));
    fs.rename(ROOT, name("b3"), ROOT, name("b4"), RenameMode.REPLACE);
    link(b, ROOT, "b5");
    fs.unlink(ROOT, name("c"));
    fs.unlink(ROOT, name("c2"));
    write(b, "modified");
    expect(
        "ADDED /a2",
        "MODIFIED /b",
        "REMOVED /b2",
        "REMOVED /b3",
        "ADDED /b4",
        "ADDED /b5",
        "REMOVED /c",
        "REMOVED /c2");
  }

  @Test
  void replacedFilesAreOthers() throws Exception {
    file(ROOT, "a");
    file(ROOT, "b");
    pool.snapshot("s");
    fs.unlink(ROOT, name("a"));
    file(ROOT, "a");
    file(ROOT, "tmp");
    fs.rename(ROOT, name("tmp"), ROOT, name("b"), RenameMode.REPLACE);
    expect("REMOVED /a", "ADDED /a", "REMOVED /b", "ADDED /b");
  }

  @Test
  void filesThatChangePlacesAreRenamed() throws Exception {
    file(ROOT, "a");
    long dir = directory(ROOT, "b");
    file(dir, "inside");
    pool.snapshot("s");
    fs.rename(ROOT, name("a"), ROOT, name("b"), RenameMode.EXCHANGE);
    expect("RENAMED /a < /b", "RENAMED /b < /a");
  }

  @Test
  void aFileWhosePathStaysIsNotRenamed() throws Exception {
    long dir = directory(ROOT, "dir");
    long kept = file(dir, "kept");
    long modified = file(dir, "modified");
    pool.snapshot("s");
    long other = directory(ROOT, "other");
    fs.rename(dir, name("kept"), other, name("kept"), RenameMode.REPLACE);
    fs.rename(dir, name("modified"), other, name("modified"), RenameMode.REPLACE);
    fs.removeDirectory(ROOT, name("dir"));
    fs.rename(ROOT, name("other"), ROOT, name("dir"), RenameMode.REPLACE);
    write(modified, "content");
    assertTrue(kept != modified);
    expect("REMOVED /dir", "ADDED /dir", "MODIFIED /dir/modified");
  }

  @Test
  void onlyWhatADirectoryIsItselfCounts() throws Exception {
    long mode = directory(ROOT, "mode");
    long times = directory(ROOT, "times");
    long file = file(ROOT, "file");
    pool.snapshot("s");
    file(mode, "new");
    change(mode, 0700, null);
    file(times, "new");
    change(times, null, new Timestamp(5, 5));
    fs.setAttributes(Caller.ROOT, file, null, atime(new Timestamp(99, 0)));
    change(ROOT, 0711, null);
    expect("MODIFIED /", "MODIFIED /mode", "ADDED /mode/new", "ADDED /times/new");
  }

  @Test
  void openFilesWithoutNamesAreRemoved() throws Exception {
    FileSystem.Created orphan = fs.create(Caller.ROOT, ROOT, name("orphan"), 0644, Set.of());
    pool.snapshot("s");
    fs.unlink(ROOT, name("orphan"));
    expect("REMOVED /orphan");
    pool.snapshot("held");
    fs.release(orphan.handle());
    fs.forget(orphan.attributes().inode(), 1);
    pool.commit();
    pool.commit();
    assertEquals(List.of(), diff("held", null));
    assertEquals(List.of("ADDED /orphan"), diff("held", "s"));
  }

  @Test
  void longerPathsThanAnyBoundLackTheirBeginning() throws Exception {
    pool.snapshot("s");
    long at = ROOT;
    for (int depth = 0; depth < 200; depth++) {
      at = directory(at, "x".repeat(250) + (depth % 10));
    }
    List<FileChange> changes = new ArrayList<>();
    pool.pool().diff("root", "s", null, changes::add);
    assertEquals(200, changes.size());
    assertEquals(200, changes.stream().map(FileChange::inode).distinct().count());
    int cut = 0;
    for (FileChange change : changes) {
      assertTrue(change.path().length <= FileChange.PATH_BYTES_MAX);
      cut += Model.text(change.path()).startsWith(".../xxx") ? 1 : 0;
    }
    assertTrue(cut > 50 && cut < 100, "shortened: " + cut);
  }

  @Test
  void unknownNamesAreNotFound() throws Exception {
    assertEquals(Reason.NOT_FOUND, reason("root", "nope"));
    assertEquals(Reason.NOT_FOUND, reason("nope", "s"));
    assertEquals(Reason.INVALID_NAME, reason("root", "-x"));
    pool.pool().administration().createDataset("empty", Map.of());
    pool.pool().administration().snapshot("empty", "nothing", Scope.ONE);
    pool.pool().fileSystem("empty");
    List<FileChange> changes = new ArrayList<>();
    pool.pool().diff("empty", "nothing", null, changes::add);
    pool.pool().diff("empty", null, "nothing", changes::add);
    pool.pool().diff("empty", null, null, changes::add);
    assertEquals(List.of(), changes);
  }

  private Reason reason(String dataset, String snapshot) {
    return assertThrows(
            DatasetException.class, () -> pool.pool().diff(dataset, snapshot, null, change -> {}))
        .reason();
  }

  @Test
  void aListThatIsReadInPartsIsHeldUntilTheLast() throws Exception {
    int files = 6_000;
    long deep = ROOT;
    for (int i = 0; i < 14; i++) {
      deep = directory(deep, "d".repeat(250));
    }
    for (int i = 0; i < files; i++) {
      file(deep, "file-" + i);
    }
    pool.snapshot("s");
    for (int i = 0; i < files; i++) {
      fs.unlink(deep, name("file-" + i));
    }
    ReadPins pins = ((Volume) pool.fileSystem()).services().txgs().readPins();
    int[] met = {0};
    pool.pool()
        .diff(
            "root",
            "s",
            null,
            change -> {
              if (met[0]++ == 0) {
                long newest = pool.pool().status().txg();
                assertTrue(pins.oldestPinnedTxg() <= newest, "the space of the snapshot is held");
              }
            });
    assertEquals(files, met[0]);
    assertEquals(Long.MAX_VALUE, pins.oldestPinnedTxg());
  }

  @Test
  void aSnapshotMayBeDestroyedWhileTheListIsRead() throws Exception {
    for (int i = 0; i < 200; i++) {
      file(ROOT, "file-" + i);
    }
    pool.snapshot("s");
    for (int i = 0; i < 200; i++) {
      fs.unlink(ROOT, name("file-" + i));
    }
    int[] met = {0};
    pool.pool()
        .diff(
            "root",
            "s",
            null,
            change -> {
              if (met[0]++ == 0) {
                pool.destroySnapshot("s");
              }
            });
    assertEquals(200, met[0]);
    pool.audit();
  }

  private void expect(String... lines) throws IOException {
    assertEquals(List.of(lines), diff("s", null));
  }

  private List<String> diff(String from, String to) throws IOException {
    List<String> lines = new ArrayList<>();
    pool.pool()
        .diff(
            "root",
            from,
            to,
            change ->
                lines.add(
                    change.kind()
                        + " "
                        + Model.text(change.path())
                        + (change.oldPath() == null ? "" : " < " + Model.text(change.oldPath()))));
    return lines;
  }

  private static byte[] name(String text) {
    return Model.bytes(text);
  }

  private long file(long parent, String name) throws FsException {
    FileSystem.Created created = fs.create(Caller.ROOT, parent, name(name), 0644, Set.of());
    fs.release(created.handle());
    fs.forget(created.attributes().inode(), 1);
    return created.attributes().inode();
  }

  private long directory(long parent, String name) throws FsException {
    long made = fs.makeDirectory(Caller.ROOT, parent, name(name), 0755).inode();
    fs.forget(made, 1);
    return made;
  }

  private void link(long inode, long parent, String name) throws FsException {
    fs.link(inode, parent, name(name));
    fs.forget(inode, 1);
  }

  private void write(long inode, String text) throws FsException {
    FileHandle handle = fs.open(inode, Set.of(OpenFlags.WRITE));
    fs.write(Caller.ROOT, handle, 0, ByteBuffer.wrap(name(text)), false);
    fs.release(handle);
  }

  private void change(long inode, Integer mode, Timestamp mtime) throws FsException {
    fs.setAttributes(
        Caller.ROOT,
        inode,
        null,
        new AttributeChange(mode, null, null, null, null, mtime, null, false));
  }

  private static AttributeChange atime(Timestamp atime) {
    return new AttributeChange(null, null, null, null, atime, null, null, false);
  }
}
