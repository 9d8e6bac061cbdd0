package io.cowfs.tools.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots in {@code .cowfs} of a mount, as programs and other users see them. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class BrowseMountTest {
  private static final Path ANYWHERE = Path.of("/");

  @TempDir private static Path directory;
  private static SharedPool shared;
  private MountedDataset mounted;

  @BeforeAll
  static void share() {
    shared = new SharedPool(directory);
  }

  @AfterAll
  static void unmountAll() throws IOException {
    shared.close();
  }

  @BeforeEach
  void mount() throws IOException {
    mounted = shared.dataset();
  }

  @AfterEach
  void unmount() throws IOException {
    mounted.close();
  }

  private Path snapshot(String name) {
    return mounted.path(".cowfs/snapshot").resolve(name);
  }

  private Path take(String name) throws IOException {
    return Files.createDirectory(snapshot(name));
  }

  private List<String> names() throws IOException {
    return Program.succeed(snapshot("."), "ls").lines().toList();
  }

  private static byte[] noise(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @Test
  void programsCopyATreeOutOfASnapshot() throws IOException {
    Path tree = mounted.path("tree");
    Trees.make(tree, 21, 400);
    Program.shell(
        tree,
        """
        setfattr -n user.kept -v before module-0; mkfifo -m 640 fifo; ln -s nowhere dangling
        head -c 3000000 /dev/urandom > large; truncate -s 30M large; cp /bin/true program
        """);
    List<String> before = Trees.listingWithChangeTimes(tree);
    Path kept = take("s").resolve("tree");
    Trees.assertSame(before, Trees.listingWithChangeTimes(kept));
    Program.shell(ANYWHERE, "diff -r --no-dereference -x fifo $1 $2", tree, kept);

    Program.shell(tree, "rm -rf module-1 fifo; echo other > large; chmod 700 module-0; touch new");
    Trees.assertSame(before, Trees.listingWithChangeTimes(kept));
    List<String> copied = Trees.listing(kept);
    Program.shell(
        mounted.root(),
        """
        cp -a $1 by-cp; rsync -aHAX --modify-window=-1 $1/ by-rsync/
        mkdir by-tar; tar -c --xattrs --format=pax -C $1 . | tar -x --xattrs -C by-tar
        $1/program; test $(stat -c %b $1/large) -lt 20000
        """,
        kept);
    for (String copy : List.of("by-cp", "by-rsync", "by-tar")) {
      Trees.assertSame(copied, Trees.listing(mounted.path(copy)));
    }
    assertNotEquals(Files.getAttribute(tree, "unix:ino"), Files.getAttribute(kept, "unix:ino"));
    assertEquals(Files.getAttribute(tree, "unix:dev"), Files.getAttribute(kept, "unix:dev"));
  }

  @Test
  void aSnapshotHasWhatWasWrittenBeforeTheDirectoryWasMade() throws IOException {
    byte[] content = noise(31, 3_000_000);
    Path mapped = Files.write(mounted.path("mapped"), new byte[1 << 20]);
    Path unmapped = Files.write(mounted.path("unmapped"), new byte[1 << 20]);
    Program.python("mapped.py", unmapped, 6);
    Path closed = Files.write(mounted.path("closed"), content);
    try (FileChannel open = create("open")) {
      for (int at = 0; at < content.length; at += 1000) {
        open.write(ByteBuffer.wrap(content, at, 1000), at);
      }
      Program.python("mapped_over.py", mapped, 7, snapshot("s"), 8);
      open.write(ByteBuffer.wrap(noise(33, 3_500_000)), 0);
      Files.write(closed, noise(34, 10));
      assertArrayEquals(content, Files.readAllBytes(snapshot("s/open")));
      assertArrayEquals(content, Files.readAllBytes(snapshot("s/closed")));
      assertArrayEquals(filled(7), Files.readAllBytes(snapshot("s/mapped")));
      assertArrayEquals(filled(6), Files.readAllBytes(snapshot("s/unmapped")));
      assertArrayEquals(filled(8), Files.readAllBytes(mapped));
    }
  }

  private static byte[] filled(int value) {
    byte[] bytes = new byte[1 << 20];
    Arrays.fill(bytes, (byte) value);
    return bytes;
  }

  private FileChannel create(String name) throws IOException {
    return FileChannel.open(
        mounted.path(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  @Test
  void snapshotsUnderAWriterHoldEverythingUpToOneMoment() throws Exception {
    AtomicBoolean stop = new AtomicBoolean();
    AtomicLong written = new AtomicLong();
    int block = 4096;
    CompletableFuture<Void> writer =
        CompletableFuture.runAsync(
            () -> {
              try (FileChannel log = create("log")) {
                while (!stop.get()) {
                  ByteBuffer next = ByteBuffer.allocate(block).putLong(0, written.get());
                  log.write(next, written.get() * block);
                  written.incrementAndGet();
                  LockSupport.parkNanos(200_000);
                }
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    try {
      for (int i = 0; i < 8; i++) {
        MountedPool.pause(150);
        long before = written.get();
        take("s" + i);
        long blocks = Files.size(snapshot("s" + i + "/log")) / block;
        assertTrue(blocks >= before, blocks + " blocks of at least " + before);
        assertTrue(blocks <= written.get(), blocks + " blocks of at most " + written);
      }
    } finally {
      stop.set(true);
      writer.join();
    }
    for (int i = 0; i < 8; i++) {
      ByteBuffer log = ByteBuffer.wrap(Files.readAllBytes(snapshot("s" + i + "/log")));
      for (int at = 0; at < log.capacity(); at += block) {
        assertEquals(at / block, log.getLong(at), "snapshot " + i);
      }
    }
  }

  @Test
  void whatCommandsDoIsSeenAtOnce() throws IOException {
    Path file = Files.writeString(mounted.path("file"), "one");
    Path s = snapshot("s");
    assertFalse(Files.exists(s));
    assertEquals(List.of(), names());
    mounted.succeed("snapshot", mounted.root() + "@s");
    assertEquals(List.of("s"), names());
    assertEquals("one", Files.readString(s.resolve("file")));
    Files.writeString(file, "two");
    mounted.succeed("destroy", mounted.root() + "@s");
    assertFalse(Files.exists(s));
    assertEquals(List.of(), names());
    mounted.succeed("snapshot", mounted.root() + "@s");
    assertEquals("two", Files.readString(s.resolve("file")));

    Object inode = Files.getAttribute(s, "unix:ino");
    Files.move(s, snapshot("t"));
    assertEquals(List.of("t"), names());
    assertFalse(Files.exists(s));
    assertEquals(inode, Files.getAttribute(snapshot("t"), "unix:ino"));
    assertEquals("two", Files.readString(snapshot("t/file")));
    assertTrue(mounted.succeed("list", mounted.root().toString()).contains(mounted.name() + "@t"));
    assertTrue(Files.isSameFile(snapshot("t/../../.."), mounted.root()));
    Files.delete(snapshot("t"));
    assertEquals(List.of(), names());
    assertFalse(mounted.succeed("list", mounted.root().toString()).contains("@"));
  }

  @Test
  void nothingIsListedOrWrittenThatShouldNotBe() throws IOException {
    Files.writeString(mounted.path("file"), "x");
    take("s");
    assertEquals("file\n", Program.succeed(mounted.root(), "ls", "-A"));
    assertErrors("Read-only file system", "echo y > .cowfs/snapshot/s/file");
    assertErrors("Read-only file system", "rm -f .cowfs/snapshot/s/file");
    assertErrors("Read-only file system", "chmod 600 .cowfs/snapshot/s/file");
    assertErrors("Read-only file system", "touch .cowfs/snapshot/s/new");
    assertErrors("File exists", "mkdir .cowfs/snapshot/s");
    assertErrors("File exists", "mkdir .cowfs");
    assertErrors("Invalid argument", "mkdir '.cowfs/snapshot/no good'");
    assertErrors("File name too long", "mkdir .cowfs/snapshot/" + "x".repeat(256));
    assertErrors("No such file or directory", "rmdir .cowfs/snapshot/none");
    assertErrors("Operation not permitted", "rmdir .cowfs");
    assertErrors("Operation not permitted", "mv file .cowfs/snapshot/");
    assertErrors("Operation not permitted", "mkdir d; mv d .cowfs/snapshot/");
    assertErrors("Operation not permitted", "mv .cowfs/snapshot/s out");
    assertErrors("Invalid cross-device link", "ln .cowfs/snapshot/s/file out");
    assertEquals(List.of("s"), names());
  }

  @Test
  void theDirectoryIsListedWhereThePropertySaysSo() throws IOException {
    assertEquals("", Program.succeed(mounted.root(), "ls", "-A"));
    mounted.succeed("set", mounted.root().toString(), "snapdir=visible");
    assertEquals(".cowfs\n", Program.succeed(mounted.root(), "ls", "-A"));
    assertEquals("checkpoint\nsnapshot\n", Program.succeed(mounted.root(), "ls", ".cowfs"));
    mounted.succeed("inherit", mounted.root().toString(), "snapdir");
    assertEquals("", Program.succeed(mounted.root(), "ls", "-A"));
    assertEquals("checkpoint\nsnapshot\n", Program.succeed(mounted.root(), "ls", ".cowfs"));
  }

  private void assertErrors(String expected, String script) throws IOException {
    Program.Result result = Program.run(mounted.root(), List.of("sh", "-c", script));
    assertTrue(result.errors().contains(expected), result::toString);
    assertNotEquals(0, result.exitCode(), result::toString);
  }

  @Test
  @EnabledIf("io.cowfs.tools.e2e.Requirements#root")
  void whoMayChangeSnapshotsDependsOnTheOwnerAndTheMount() throws IOException {
    Program.shell(ANYWHERE, "chmod 755 $1", directory);
    Files.writeString(mounted.path("file"), "for all");
    Path secret = Files.writeString(mounted.path("secret"), "for root");
    Program.shell(ANYWHERE, "chmod 600 $1", secret);
    take("s");
    assertEquals("for all", asNobody("cat .cowfs/snapshot/s/file").expectExit(0).output());
    assertRefusedToNobody("cat .cowfs/snapshot/s/secret");
    assertRefusedToNobody("mkdir .cowfs/snapshot/t");
    assertRefusedToNobody("rmdir .cowfs/snapshot/s");
    assertRefusedToNobody("mv .cowfs/snapshot/s .cowfs/snapshot/t");

    Program.shell(ANYWHERE, "chown 65534:65534 $1", mounted.root());
    changeAsNobody();
    Program.shell(ANYWHERE, "chown 0:0 $1", mounted.root());
    assertRefusedToNobody("mkdir .cowfs/snapshot/t");

    mounted.unmount();
    mounted.mount("-o", "usersnap");
    changeAsNobody();
    assertRefusedToNobody("cat .cowfs/snapshot/s/secret");
    assertEquals(List.of("s"), names());
  }

  private void changeAsNobody() throws IOException {
    asNobody("cd .cowfs/snapshot && mkdir t && mv t u && test -f u/file && rmdir u").expectExit(0);
  }

  private void assertRefusedToNobody(String script) throws IOException {
    Program.Result result = asNobody(script);
    assertTrue(result.errors().contains("Permission denied"), result::toString);
  }

  private Program.Result asNobody(String script) throws IOException {
    return Program.run(
        mounted.root(),
        List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script));
  }

  @Test
  void destroyingASnapshotUnderItsReadersShowsThemNoOtherData() throws IOException {
    byte[] content = noise(41, 8_000_000);
    Files.createDirectories(mounted.path("deep/er"));
    Files.write(mounted.path("deep/er/file"), content);
    take("s");
    Files.delete(mounted.path("deep/er/file"));
    mounted.remount(); // nothing of it is cached
    String said =
        Program.shell(
            snapshot("s/deep"),
            """
            ls er; "$1" destroy "$2@s"
            ls er 2>&1 || true; cat er/file 2>&1 | head -c 200 || true; ls er/.. 2>&1 || true
            """,
            MountedPool.launcher(),
            mounted.root());
    assertTrue(said.startsWith("file\n"), said);
    assertTrue(
        said.substring(5).lines().allMatch(line -> line.matches(".*(Stale file|No such file).*")),
        said);

    Files.write(mounted.path("deep/er/file"), content);
    take("s");
    Files.delete(mounted.path("deep/er/file"));
    try (FileChannel open = FileChannel.open(snapshot("s/deep/er/file"))) {
      ByteBuffer first = ByteBuffer.allocate(100_000);
      open.read(first, 0);
      assertArrayEquals(Arrays.copyOf(content, 100_000), first.array());
      Files.delete(snapshot("s"));
      for (int i = 0; i < 5; i++) {
        Files.write(mounted.path("filler"), noise(50 + i, 8_000_000));
        mounted.succeed("sync", mounted.pool().toString());
      }
      ByteBuffer last = ByteBuffer.allocate(100_000);
      IOException stale =
          assertThrows(IOException.class, () -> open.read(last, content.length - 100_000));
      assertTrue(stale.getMessage().contains("Stale"), stale::getMessage);
    }
    assertThrows(NoSuchFileException.class, () -> Files.size(snapshot("s/deep/er/file")));
  }

  @Test
  void aRollbackLeavesWhatIsBrowsedAsItIs() throws IOException {
    Path tree = mounted.path("tree");
    Trees.make(tree, 22, 200);
    take("one");
    List<String> one = Trees.listingWithChangeTimes(tree);
    Program.shell(tree, "rm -rf module-1; echo other > new");
    take("two");
    List<String> two = Trees.listingWithChangeTimes(tree);
    Trees.assertSame(two, Trees.listingWithChangeTimes(snapshot("two/tree")));
    mounted.succeed("rollback", mounted.root() + "@one");
    Trees.assertSame(one, Trees.listingWithChangeTimes(tree));
    Trees.assertSame(two, Trees.listingWithChangeTimes(snapshot("two/tree")));
    Trees.assertSame(one, Trees.listingWithChangeTimes(snapshot("one/tree")));
    assertEquals(3, names().size());
  }

  @Test
  void aThousandSnapshotsAreListedAndReadQuickly() throws IOException {
    Path file = mounted.path("file");
    int count = 1000;
    for (int i = 0; i < count; i++) {
      Files.writeString(file, "content " + i);
      take("s" + i);
    }
    List<String> expected = IntStream.range(0, count).mapToObj(i -> "s" + i).sorted().toList();
    long begin = System.nanoTime();
    try (Stream<Path> listed = Files.list(snapshot("."))) {
      assertEquals(expected, listed.map(path -> path.getFileName().toString()).sorted().toList());
    }
    for (int i = 0; i < count; i++) {
      assertEquals("content " + i, Files.readString(snapshot("s" + i + "/file"), UTF_8));
    }
    long seconds = (System.nanoTime() - begin) / 1_000_000_000;
    assertTrue(seconds < 20, "a thousand snapshots took " + seconds + " seconds");
  }
}
