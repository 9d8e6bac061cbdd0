package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.txg.ReadPins;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystem.SeekTarget;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What is seen below {@code .cowfs}, and what can be done there. */
class BrowsingTest {
  private static final long ROOT = FileSystem.ROOT_INODE;
  private static final String SNAPSHOTS = ".cowfs/snapshot";

  @TempDir Path directory;
  private TestPool pool;
  private FileSystem fs;

  @BeforeEach
  void open() throws IOException {
    pool = TestPool.create(directory, 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND);
    fs = pool.pool().browsableFileSystem("root", SnapshotRights.OWNER);
  }

  @AfterEach
  void close() throws IOException {
    pool.audit();
    pool.close();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** Looks each name of a path up; keeps no reference. */
  private Attributes find(String path) throws FsException {
    Attributes at = fs.getAttributes(ROOT);
    for (String name : path.split("/")) {
      long parent = at.inode();
      at = fs.lookup(parent, bytes(name));
      fs.forget(at.inode(), 1);
    }
    return at;
  }

  private void write(String name, String content) throws FsException {
    FileSystem.Created created;
    try {
      created = fs.create(Caller.ROOT, ROOT, bytes(name), 0644, Set.of(OpenFlags.WRITE));
    } catch (FsException exists) {
      FileHandle handle = fs.open(find(name).inode(), Set.of(OpenFlags.WRITE, OpenFlags.TRUNCATE));
      created = new FileSystem.Created(find(name), handle);
    }
    fs.write(Caller.ROOT, created.handle(), 0, ByteBuffer.wrap(bytes(content)), false);
    fs.release(created.handle());
    fs.forget(created.attributes().inode(), 1);
  }

  private String read(String path) throws FsException {
    return read(find(path));
  }

  private String read(Attributes file) throws FsException {
    FileHandle handle = fs.open(file.inode(), OpenFlags.READ_ONLY);
    try {
      ByteBuffer content = ByteBuffer.allocate((int) file.size());
      assertEquals(file.size(), fs.read(handle, 0, (int) file.size() + 7, content));
      return new String(content.array(), StandardCharsets.UTF_8);
    } finally {
      fs.release(handle);
    }
  }

  private Attributes take(String name) throws FsException {
    Attributes taken = fs.makeDirectory(Caller.ROOT, find(SNAPSHOTS).inode(), bytes(name), 0777);
    fs.forget(taken.inode(), 1);
    return taken;
  }

  private record Listed(String name, long inode, long cookie) {}

  /** Reads a directory with calls that each take {@code batch} entries. */
  private List<Listed> list(long inode, int batch) throws FsException {
    FileHandle handle = fs.openDirectory(inode, OpenFlags.READ_ONLY);
    try {
      List<Listed> all = new ArrayList<>();
      while (true) {
        List<Listed> part = new ArrayList<>();
        long from = all.isEmpty() ? 0 : all.get(all.size() - 1).cookie;
        fs.readDirectory(
            handle,
            from,
            (name, number, type, cookie) ->
                part.size() < batch
                    && part.add(
                        new Listed(new String(name, StandardCharsets.UTF_8), number, cookie)));
        if (part.isEmpty()) {
          return all;
        }
        all.addAll(part);
      }
    } finally {
      fs.release(handle);
    }
  }

  private List<String> names(String path) throws FsException {
    return list(find(path).inode(), 3).stream().map(Listed::name).toList();
  }

  private static void assertRefused(FsError expected, Executable action) {
    assertEquals(expected, assertThrows(FsException.class, action).error());
  }

  /** The kernel does not ask for that; whoever sends it the protocol's messages may. */
  @Test
  void nothingIsBeforeTheBeginningOfAFile() throws Exception {
    write("short", "content");
    take("s");
    for (String path : new String[] {"short", SNAPSHOTS + "/s/short"}) {
      FileHandle handle = fs.open(find(path).inode(), OpenFlags.READ_ONLY);
      for (long offset : new long[] {-1, -1_072_146_311, Long.MIN_VALUE}) {
        assertRefused(FsError.INVALID, () -> fs.read(handle, offset, 8, ByteBuffer.allocate(8)));
      }
      fs.release(handle);
    }
  }

  @Test
  void aSnapshotShowsWhatWasThereAndNothingSince() throws Exception {
    write("file", "before");
    write("gone", "still here");
    take("s");
    write("file", "after");
    write("new", "");
    fs.unlink(ROOT, bytes("gone"));
    assertEquals("before", read(SNAPSHOTS + "/s/file"));
    assertEquals("still here", read(SNAPSHOTS + "/s/gone"));
    assertRefused(FsError.NOT_FOUND, () -> find(SNAPSHOTS + "/s/new"));
    assertEquals(
        new TreeSet<>(Set.of(".", "..", "file", "gone")), new TreeSet<>(names(SNAPSHOTS + "/s")));
    assertEquals("after", read("file"));
  }

  @Test
  void everyKindOfInodeCanBeReadInASnapshot() throws Exception {
    long sparse =
        fs.create(Caller.ROOT, ROOT, bytes("sparse"), 0600, Set.of()).attributes().inode();
    FileHandle handle = fs.open(sparse, Set.of(OpenFlags.WRITE));
    byte[] data = new byte[8192];
    new Random(1).nextBytes(data);
    fs.write(Caller.ROOT, handle, 1 << 20, ByteBuffer.wrap(data), false);
    fs.release(handle);
    fs.link(sparse, ROOT, bytes("linked"));
    fs.setXattr(sparse, bytes("user.short"), bytes("value"), XattrMode.CREATE);
    fs.setXattr(sparse, bytes("user.long"), new byte[10_000], XattrMode.CREATE);
    fs.makeSymlink(Caller.ROOT, ROOT, bytes("link"), bytes("some/where"));
    fs.makeNode(Caller.ROOT, ROOT, bytes("device"), 0020600, 0x103);
    take("s");
    fs.unlink(ROOT, bytes("linked"));

    Attributes file = find(SNAPSHOTS + "/s/sparse");
    assertEquals(2, file.nlink());
    assertEquals(file, find(SNAPSHOTS + "/s/linked"));
    assertEquals(8192, file.allocatedBytes());
    handle = fs.open(file.inode(), OpenFlags.READ_ONLY);
    assertEquals(1 << 20, fs.seek(handle, 0, SeekTarget.DATA));
    assertEquals(10, fs.seek(handle, 10, SeekTarget.HOLE));
    ByteBuffer read = ByteBuffer.allocate(8192);
    assertEquals(8192, fs.read(handle, 1 << 20, 8192, read));
    assertArrayEquals(data, read.array());
    fs.release(handle);
    assertArrayEquals(bytes("value"), fs.getXattr(file.inode(), bytes("user.short")));
    assertEquals(10_000, fs.getXattr(file.inode(), bytes("user.long")).length);
    assertEquals(21, fs.listXattrs(file.inode()).length);
    assertRefused(FsError.NO_ATTRIBUTE, () -> fs.getXattr(file.inode(), bytes("user.none")));
    assertArrayEquals(bytes("some/where"), fs.readSymlink(find(SNAPSHOTS + "/s/link").inode()));
    assertEquals(0x103, find(SNAPSHOTS + "/s/device").rdev());
  }

  @Test
  void noInodeHasTheNumberOfItsTwin() throws Exception {
    write("file", "x");
    take("a");
    take("b");
    Set<Long> numbers = new TreeSet<>();
    for (String path :
        List.of(
            "file",
            SNAPSHOTS + "/a/file",
            SNAPSHOTS + "/b/file",
            SNAPSHOTS + "/a",
            SNAPSHOTS + "/b",
            SNAPSHOTS,
            ".cowfs",
            ".cowfs/checkpoint")) {
      long number = find(path).inode();
      assertTrue(number > 0, "positive as a signed number");
      assertTrue(numbers.add(number), path);
    }
    for (Listed listed : list(find(SNAPSHOTS + "/a").inode(), 100)) {
      if (!listed.name.equals("..")) {
        assertEquals(
            listed.name.equals(".")
                ? find(SNAPSHOTS + "/a").inode()
                : find(SNAPSHOTS + "/a/" + listed.name).inode(),
            listed.inode);
      }
    }
  }

  @Test
  void dotDotLeadsUpToTheLiveRoot() throws Exception {
    fs.forget(fs.makeDirectory(Caller.ROOT, ROOT, bytes("d"), 0755).inode(), 1);
    take("s");
    assertEquals(find(SNAPSHOTS + "/s"), find(SNAPSHOTS + "/s/d/.."));
    assertEquals(find(SNAPSHOTS), find(SNAPSHOTS + "/s/.."));
    assertEquals(find(".cowfs"), find(SNAPSHOTS + "/.."));
    assertEquals(ROOT, find(".cowfs/..").inode());
    for (String path : List.of(".cowfs", SNAPSHOTS, SNAPSHOTS + "/s", SNAPSHOTS + "/s/d")) {
      assertEquals(find(path), find(path + "/."));
      List<Listed> listed = list(find(path).inode(), 1);
      assertEquals(".", listed.get(0).name);
      assertEquals(find(path).inode(), listed.get(0).inode);
      assertEquals("..", listed.get(1).name);
      assertEquals(find(path + "/..").inode(), listed.get(1).inode);
    }
  }

  @Test
  void nothingInASnapshotCanBeChanged() throws Exception {
    write("file", "x");
    take("s");
    long root = find(SNAPSHOTS + "/s").inode();
    long file = find(SNAPSHOTS + "/s/file").inode();
    byte[] name = bytes("file");
    AttributeChange chmod = new AttributeChange(0, null, null, null, null, null, null, false);
    for (Executable change :
        List.<Executable>of(
            () -> fs.create(Caller.ROOT, root, bytes("n"), 0644, Set.of()),
            () -> fs.makeDirectory(Caller.ROOT, root, bytes("n"), 0755),
            () -> fs.makeNode(Caller.ROOT, root, bytes("n"), 0644, 0),
            () -> fs.makeSymlink(Caller.ROOT, root, bytes("n"), name),
            () -> fs.link(file, root, bytes("n")),
            () -> fs.unlink(root, name),
            () -> fs.removeDirectory(root, name),
            () -> fs.rename(root, name, root, bytes("n"), RenameMode.REPLACE),
            () -> fs.open(file, Set.of(OpenFlags.WRITE)),
            () -> fs.open(file, Set.of(OpenFlags.READ, OpenFlags.TRUNCATE)),
            () -> fs.setAttributes(Caller.ROOT, file, null, chmod),
            () -> fs.setXattr(file, bytes("user.x"), name, XattrMode.CREATE),
            () -> fs.removeXattr(file, bytes("user.x")))) {
      assertRefused(FsError.READ_ONLY, change);
    }
    FileHandle handle = fs.open(file, OpenFlags.READ_ONLY);
    assertRefused(
        FsError.READ_ONLY, () -> fs.write(Caller.ROOT, handle, 0, ByteBuffer.allocate(1), false));
    assertRefused(
        FsError.READ_ONLY, () -> fs.allocate(handle, FileSystem.AllocationMode.RESERVE, 0, 1));
    fs.release(handle);
    assertEquals("x", read(SNAPSHOTS + "/s/file"));
  }

  @Test
  void nothingCrossesTheBorder() throws Exception {
    write("file", "x");
    take("s");
    take("t");
    long s = find(SNAPSHOTS + "/s").inode();
    long t = find(SNAPSHOTS + "/t").inode();
    long list = find(SNAPSHOTS).inode();
    byte[] name = bytes("file");
    for (long[] way : new long[][] {{ROOT, s}, {s, ROOT}, {s, t}}) {
      assertRefused(
          FsError.CROSS_DEVICE,
          () -> fs.rename(way[0], name, way[1], bytes("n"), RenameMode.REPLACE));
      long file = fs.lookup(way[0], name).inode();
      assertRefused(FsError.CROSS_DEVICE, () -> fs.link(file, way[1], bytes("n")));
      fs.forget(file, 1);
    }
    // Not CROSS_DEVICE: mv would go on with mkdir, which takes a snapshot.
    assertRefused(
        FsError.NOT_PERMITTED, () -> fs.rename(ROOT, name, list, bytes("n"), RenameMode.REPLACE));
    assertRefused(
        FsError.NOT_PERMITTED,
        () -> fs.rename(list, bytes("s"), ROOT, bytes("n"), RenameMode.REPLACE));
    assertRefused(FsError.NOT_PERMITTED, () -> fs.link(find("file").inode(), list, bytes("n")));
    assertEquals(List.of(".", "..", "s", "t"), names(SNAPSHOTS));
  }

  @Test
  void theNameOfTheDirectoryIsTaken() throws Exception {
    write("file", "x");
    byte[] name = bytes(".cowfs");
    for (Executable make :
        List.<Executable>of(
            () -> fs.create(Caller.ROOT, ROOT, name, 0644, Set.of()),
            () -> fs.makeDirectory(Caller.ROOT, ROOT, name, 0755),
            () -> fs.makeNode(Caller.ROOT, ROOT, name, 0644, 0),
            () -> fs.makeSymlink(Caller.ROOT, ROOT, name, name),
            () -> fs.link(find("file").inode(), ROOT, name),
            () -> fs.rename(ROOT, bytes("file"), ROOT, name, RenameMode.NO_REPLACE))) {
      assertRefused(FsError.EXISTS, make);
    }
    for (RenameMode mode : List.of(RenameMode.REPLACE, RenameMode.EXCHANGE)) {
      assertRefused(FsError.NOT_PERMITTED, () -> fs.rename(ROOT, bytes("file"), ROOT, name, mode));
      assertRefused(FsError.NOT_PERMITTED, () -> fs.rename(ROOT, name, ROOT, bytes("n"), mode));
    }
    assertRefused(FsError.IS_A_DIRECTORY, () -> fs.unlink(ROOT, name));
    assertRefused(FsError.NOT_PERMITTED, () -> fs.removeDirectory(ROOT, name));
    for (String path : List.of(".cowfs", ".cowfs/checkpoint")) {
      long control = find(path).inode();
      assertRefused(
          FsError.NOT_PERMITTED, () -> fs.makeDirectory(Caller.ROOT, control, bytes("n"), 0755));
      assertRefused(FsError.NOT_PERMITTED, () -> fs.removeDirectory(control, bytes("snapshot")));
    }
    // Only in the root.
    long other = fs.makeDirectory(Caller.ROOT, ROOT, bytes("d"), 0755).inode();
    fs.forget(fs.makeDirectory(Caller.ROOT, other, name, 0755).inode(), 1);
    fs.forget(other, 1);
  }

  @Test
  void snapshotsAreTakenDestroyedAndRenamed() throws Exception {
    long list = find(SNAPSHOTS).inode();
    long s = take("s").inode();
    assertRefused(FsError.EXISTS, () -> take("s"));
    assertRefused(FsError.INVALID, () -> take("no good"));
    assertRefused(FsError.INVALID, () -> take("\u00e4"));
    assertRefused(FsError.NAME_TOO_LONG, () -> take("x".repeat(256)));
    assertRefused(FsError.NOT_FOUND, () -> fs.removeDirectory(list, bytes("no good")));
    take("t");
    assertRefused(
        FsError.EXISTS, () -> fs.rename(list, bytes("s"), list, bytes("t"), RenameMode.REPLACE));
    assertRefused(
        FsError.NOT_FOUND, () -> fs.rename(list, bytes("n"), list, bytes("m"), RenameMode.REPLACE));
    assertRefused(
        FsError.INVALID, () -> fs.rename(list, bytes("s"), list, bytes("-"), RenameMode.REPLACE));
    fs.rename(list, bytes("s"), list, bytes("r"), RenameMode.REPLACE);
    assertRefused(FsError.NOT_FOUND, () -> find(SNAPSHOTS + "/s"));
    assertEquals(s, find(SNAPSHOTS + "/r").inode(), "the same inode under its new name");
    assertEquals(List.of(".", "..", "r", "t"), names(SNAPSHOTS));
    fs.removeDirectory(list, bytes("t"));
    assertEquals(List.of(".", "..", "r"), names(SNAPSHOTS));
    assertEquals(
        List.of("root", "root@r"),
        pool.pool().list().stream().map(info -> info.fullName()).toList());
    pool.reopen();
    fs = pool.pool().browsableFileSystem("root", SnapshotRights.EVERYONE);
    assertEquals(List.of(".", "..", "r"), names(SNAPSHOTS));
    assertEquals(s, find(SNAPSHOTS + "/r").inode(), "numbers stay over the next mount");
  }

  @Test
  void whatIsDestroyedIsStaleAndItsNameIsFree() throws Exception {
    write("file", "old");
    long root = take("s").inode();
    Attributes file = find(SNAPSHOTS + "/s/file");
    assertEquals(file, fs.reference(file.inode()));
    FileHandle handle = fs.open(file.inode(), OpenFlags.READ_ONLY);
    FileHandle list = fs.openDirectory(root, OpenFlags.READ_ONLY);
    pool.destroySnapshot("s");
    for (Executable use :
        List.<Executable>of(
            () -> fs.getAttributes(file.inode()),
            () -> fs.lookup(root, bytes("file")),
            () -> fs.lookup(root, bytes("..")),
            () -> fs.reference(file.inode()),
            () -> fs.open(file.inode(), OpenFlags.READ_ONLY),
            () -> fs.read(handle, 0, 3, ByteBuffer.allocate(3)),
            () -> fs.readDirectory(list, 0, (name, inode, type, cookie) -> true))) {
      assertRefused(FsError.STALE, use);
    }
    assertRefused(FsError.NOT_FOUND, () -> find(SNAPSHOTS + "/s"));
    write("file", "new");
    take("s");
    assertEquals("new", read(SNAPSHOTS + "/s/file"));
    assertNotEquals(root, find(SNAPSHOTS + "/s").inode());
    assertRefused(FsError.STALE, () -> fs.read(handle, 0, 3, ByteBuffer.allocate(3)));
    fs.release(handle);
    fs.release(list);
    fs.forget(file.inode(), 1);
  }

  @Test
  void aListingThatHasBegunKeepsWhatItReadsThoughItsSnapshotIsDestroyed() throws Exception {
    int files = 600;
    for (int i = 0; i < files; i++) {
      write("file-" + i, "");
    }
    ReadPins pins = ((Volume) pool.fileSystem()).services().txgs().readPins();
    FileHandle handle = fs.openDirectory(take("s").inode(), OpenFlags.READ_ONLY);
    long txg = pool.pool().status().txg();
    int[] seen = new int[1];
    fs.readDirectory(
        handle,
        0,
        (name, inode, type, cookie) -> {
          if (seen[0]++ == 10) {
            destroy("s");
          }
          assertEquals(txg, pins.oldestPinnedTxg(), "the space of the snapshot is held");
          return true;
        });
    assertEquals(files + 2, seen[0]);
    assertEquals(Long.MAX_VALUE, pins.oldestPinnedTxg());
    assertRefused(
        FsError.STALE, () -> fs.readDirectory(handle, 0, (name, inode, type, cookie) -> true));
    fs.release(handle);
  }

  private void destroy(String snapshot) throws FsException {
    try {
      pool.destroySnapshot(snapshot);
    } catch (IOException failure) {
      throw new FsException(FsError.IO, failure);
    }
  }

  @Test
  void aListingGoesOnWhileSnapshotsComeAndGo() throws Exception {
    for (int i = 0; i < 20; i++) {
      take("s" + i);
    }
    FileHandle handle = fs.openDirectory(find(SNAPSHOTS).inode(), OpenFlags.READ_ONLY);
    List<String> seen = new ArrayList<>();
    long[] last = new long[1];
    for (int i = 0; i < 30; i++) {
      int before = seen.size();
      fs.readDirectory(
          handle,
          last[0],
          (name, inode, type, cookie) -> {
            if (seen.size() > before) {
              return false;
            }
            last[0] = cookie;
            return seen.add(new String(name, StandardCharsets.UTF_8));
          });
      if (i == 8) {
        pool.destroySnapshot("s6");
        pool.destroySnapshot("s3");
        pool.snapshot("t");
      }
    }
    fs.release(handle);
    List<String> expected = new ArrayList<>(List.of(".", ".."));
    for (int i = 0; i < 20; i++) {
      expected.add("s" + i);
    }
    expected.add("t");
    assertEquals(expected, seen);
  }

  @Test
  void rollbackLeavesSnapshotsAsTheyAre() throws Exception {
    write("file", "one");
    take("one");
    write("file", "two");
    take("two");
    Attributes file = find(SNAPSHOTS + "/two/file");
    FileHandle handle = fs.open(file.inode(), OpenFlags.READ_ONLY);
    pool.rollback("one");
    assertEquals("one", read("file"));
    assertEquals("two", read(SNAPSHOTS + "/two/file"));
    assertEquals(file, find(SNAPSHOTS + "/two/file"));
    assertEquals(3, fs.read(handle, 0, 3, ByteBuffer.allocate(3)));
    fs.release(handle);
    assertEquals(5, names(SNAPSHOTS).size(), "what was before the rollback is there too");
  }

  @Test
  void aSnapshotFromBeforeTheFirstMountIsAnEmptyDirectory() throws Exception {
    pool.pool().administration().createDataset("other", Map.of());
    pool.pool().administration().snapshot("other", "s", Scope.ONE);
    fs = pool.pool().browsableFileSystem("other", SnapshotRights.OWNER);
    assertEquals(List.of(".", ".."), names(SNAPSHOTS + "/s"));
    assertEquals(0040755, find(SNAPSHOTS + "/s").mode());
    assertEquals(List.of(".", "..", "s"), names(SNAPSHOTS));
  }

  @Test
  void readingASnapshotLeavesNoTrace() throws Exception {
    write("file", "x");
    take("s");
    Attributes before = find(SNAPSHOTS + "/s/file");
    Attributes twinBefore = find("file");
    read(SNAPSHOTS + "/s/file");
    names(SNAPSHOTS + "/s");
    assertEquals(before, find(SNAPSHOTS + "/s/file"));
    assertEquals(twinBefore, find("file"));
    assertEquals(0, pool.pool().status().dirtyBytes());
  }

  @Test
  void theDirectoriesBelongToTheOwnerOfTheRoot() throws Exception {
    AttributeChange chown = new AttributeChange(null, 12, 34, null, null, null, null, false);
    fs.setAttributes(Caller.ROOT, ROOT, null, chown);
    Instant taken = Instant.now();
    take("s");
    for (String path : List.of(".cowfs", SNAPSHOTS, ".cowfs/checkpoint")) {
      Attributes found = find(path);
      assertEquals(0040755, found.mode());
      assertEquals(12, found.uid());
      assertEquals(34, found.gid());
      assertTrue(fs.changesUnannounced(found.inode()));
    }
    assertTrue(find(SNAPSHOTS).mtime().seconds() >= taken.getEpochSecond());
    assertEquals(fs.getAttributes(ROOT).mtime(), find(SNAPSHOTS + "/s").mtime());
    fs = pool.pool().browsableFileSystem("root", SnapshotRights.EVERYONE);
    assertEquals(0040777, find(SNAPSHOTS).mode());
    assertEquals(0040755, find(".cowfs").mode());
  }

  @Test
  void theRootListsTheDirectoryOnlyWhenAsked() throws Exception {
    write("a", "");
    write("b", "");
    assertEquals(4, list(ROOT, 1).size());
    boolean[] visible = {true};
    Volume live = (Volume) pool.fileSystem();
    BrowsableFileSystem shown =
        new BrowsableFileSystem(live, null, SnapshotRights.OWNER, () -> visible[0]);
    fs = shown;
    for (int batch = 1; batch < 7; batch++) {
      List<Listed> listed = list(ROOT, batch);
      assertEquals(
          List.of(".", "..", ".cowfs"), listed.stream().map(Listed::name).limit(3).toList());
      assertEquals(find(".cowfs").inode(), listed.get(2).inode);
      assertEquals(5, listed.size());
    }
    visible[0] = false;
    assertEquals(4, list(ROOT, 2).size());
  }
}
