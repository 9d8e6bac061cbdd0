package io.cowfs.tools.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots keep everything that was there, and rollback brings it back, mounted or not. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class SnapshotMountTest {
  private static final Path ANYWHERE = Path.of("/");

  @TempDir private Path directory;
  private MountedPool mounted;

  @BeforeEach
  void mount() throws IOException {
    mounted = MountedPool.create(directory);
  }

  @AfterEach
  void unmount() throws IOException {
    mounted.close();
  }

  private String target(String snapshot) {
    return mounted.pool() + "@" + snapshot;
  }

  @Test
  void rollbackWhileMountedBringsEverythingBack() throws IOException {
    Path tree = mounted.path("tree");
    Trees.make(tree, 11, 800);
    decorate(tree);
    List<String> before = Trees.listingWithChangeTimes(mounted.root());
    mounted.succeed("snapshot", target("before"));
    Trees.assertSame(before, Trees.listingWithChangeTimes(mounted.root()));

    breakThings(tree);
    Trees.listing(mounted.root()); // the kernel's caches now hold the broken state
    mounted.succeed("rollback", target("before"));
    Trees.assertSame(before, Trees.listingWithChangeTimes(mounted.root()));
    assertFalse(Files.exists(tree.resolve("new")));

    mounted.remount();
    Trees.assertSame(before, Trees.listingWithChangeTimes(mounted.root()));
    Files.writeString(tree.resolve("new"), "the dataset is still writable");
    mounted.remount();
    assertEquals("the dataset is still writable", Files.readString(tree.resolve("new")));
  }

  @Test
  void rollbackOfAnUnmountedPoolBringsEverythingBack() throws IOException {
    Path tree = mounted.path("tree");
    Trees.make(tree, 12, 300);
    decorate(tree);
    List<String> before = Trees.listingWithChangeTimes(mounted.root());
    mounted.unmount();
    mounted.succeed("snapshot", target("before"));
    mounted.mount();
    breakThings(tree);
    mounted.unmount();
    assertTrue(mounted.succeed("list", "-H", mounted.pool().toString()).contains("root@before"));
    mounted.succeed("rollback", target("before"));
    mounted.mount();
    Trees.assertSame(before, Trees.listingWithChangeTimes(mounted.root()));
  }

  private static void decorate(Path tree) throws IOException {
    Program.shell(
        tree,
        """
        setfattr -n user.kept -v before module-0; mkfifo -m 640 fifo; ln -s nowhere dangling
        head -c 20000000 /dev/urandom > large; truncate -s 30M large
        for i in $(seq 1 20); do echo $i > victim-$i; setfattr -n user.number -v $i victim-$i; done
        """);
  }

  private static void breakThings(Path tree) throws IOException {
    Program.shell(
        tree,
        """
        rm -rf module-1 fifo; mkdir module-1; echo other > module-1/other; touch new fifo
        setfattr -n user.kept -v after module-0; chmod 700 module-0; rm dangling; ln -s x dangling
        dd if=/dev/zero of=large bs=4096 seek=77 count=1000 conv=notrunc status=none
        truncate -s 12345678 large; mv module-2 moved; touch -d 2001-01-01 module-3
        for i in $(seq 1 5); do rm victim-$i; done
        for i in $(seq 6 10); do echo longer than before > victim-$i; done
        for i in $(seq 11 15); do : > victim-$i; setfattr -x user.number victim-$i; done
        mv victim-16 victim-17; ln victim-18 linked; mv victim-19 module-3/victim-19
        find module-4 -type f | while read f; do echo more >> "$f"; done
        """);
  }

  @Test
  void aSnapshotHoldsWhatWasWrittenBeforeItBegan() throws IOException {
    byte[] first = noise(1, 3_000_000);
    Path mapped = Files.write(mounted.path("mapped"), new byte[1 << 20]);
    Program.python("mapped.py", mapped, 1);
    try (FileChannel written = open(mounted.path("written"))) {
      for (int at = 0; at < first.length; at += 1000) {
        written.write(ByteBuffer.wrap(first, at, 1000), at);
      }
      mounted.succeed("snapshot", target("dirty"));
      written.write(ByteBuffer.wrap(noise(3, 3_500_000)), 0);
    }
    Program.python("mapped.py", mapped, 2);
    mounted.succeed("rollback", target("dirty"));
    assertArrayEquals(first, Files.readAllBytes(mounted.path("written")));
    byte[] mappedFirst = new byte[1 << 20];
    Arrays.fill(mappedFirst, (byte) 1);
    assertArrayEquals(mappedFirst, Files.readAllBytes(mapped));
  }

  @Test
  void anOpenFileNeverMixesStatesOverARollback() throws IOException {
    byte[] before = noise(5, 700_000);
    Path file = Files.write(mounted.path("file"), before);
    mounted.succeed("snapshot", target("s"));
    Files.write(file, noise(6, 900_000));
    Path later = Files.write(mounted.path("later"), noise(7, 10_000));
    FileChannel open = FileChannel.open(file);
    FileChannel openLater = FileChannel.open(later);
    try {
      open.read(ByteBuffer.allocate(900_000), 0);
      mounted.succeed("rollback", target("s"));
      assertReadsOrRefuses(before, open);
      assertReadsOrRefuses(new byte[0], openLater);
      assertArrayEquals(before, Files.readAllBytes(file));
      assertFalse(Files.exists(later));
    } finally {
      closeStale(open);
      closeStale(openLater);
    }
    byte[] after = noise(8, 800_000);
    Files.write(file, after);
    mounted.remount();
    assertArrayEquals(after, Files.readAllBytes(file));
  }

  /** The kernel lets no operation on a stale handle succeed, not even closing it. */
  private static void closeStale(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      assertTrue(e.getMessage().contains("Input/output error"), e::toString);
    }
  }

  /** A handle of before the rollback may be stale, but what it reads is of the snapshot. */
  private static void assertReadsOrRefuses(byte[] expected, FileChannel open) {
    ByteBuffer buffer = ByteBuffer.allocate(1_000_000);
    try {
      open.read(buffer, 0);
    } catch (IOException e) {
      return;
    }
    assertArrayEquals(expected, Arrays.copyOf(buffer.array(), buffer.position()));
  }

  @Test
  void historyIsKeptWhileSnapshotsComeAndGo() throws IOException {
    Path file = mounted.path("file");
    Random random = new Random(13);
    byte[][] versions = new byte[6][];
    byte[] content = noise(9, 2_000_000);
    for (int i = 0; i < versions.length; i++) {
      for (int change = 0; change < 50; change++) {
        content[random.nextInt(content.length)]++;
      }
      versions[i] = content.clone();
      Files.write(file, content);
      mounted.succeed("snapshot", target("v" + i));
    }
    mounted.succeed("destroy", target("v1"));
    mounted.succeed("destroy", target("v3"));
    mounted.remount();
    for (int i : new int[] {4, 0, 5, 2}) {
      mounted.succeed("rollback", target("v" + i));
      assertArrayEquals(versions[i], Files.readAllBytes(file), "version " + i);
    }
    MountedPool.cowfs("rollback", target("v3")).expectExit(1);
    assertArrayEquals(versions[2], Files.readAllBytes(file));
  }

  @Test
  void destroyingASnapshotGivesItsSpaceBack() throws IOException {
    // The file is written in several commits, any of which may be kept as a checkpoint.
    mounted.keepNoCheckpoints();
    Path file = Files.write(mounted.path("file"), noise(10, 60_000_000));
    mounted.succeed("snapshot", target("s"));
    Files.delete(file);
    mounted.succeed("sync", mounted.pool().toString());
    long held = mounted.allocatedBytes();
    assertTrue(held > 60_000_000, "snapshot keeps " + held);
    mounted.succeed("destroy", target("s"));
    mounted.awaitFreed(30_000_000, held);
  }

  @Test
  void datasetsAreApart() throws IOException {
    String pool = mounted.pool().toString();
    Files.writeString(mounted.path("file"), "in root");
    mounted.succeed("create", pool + "/home");
    Path home = Files.createDirectory(directory.resolve("home"));
    mounted.succeed("mount", pool + "/home", home.toString());
    try {
      assertFalse(Files.exists(home.resolve("file")));
      Files.writeString(home.resolve("file"), "in home");
      mounted.succeed("snapshot", pool + "/home@s");
      mounted.succeed("snapshot", home + "@by-mount-point");
      Files.writeString(home.resolve("file"), "changed");
      Files.writeString(mounted.path("file"), "changed");
      mounted.succeed("rollback", home + "@s");
      assertEquals("in home", Files.readString(home.resolve("file")));
      assertEquals("changed", Files.readString(mounted.path("file")));
      List<String> names =
          mounted.succeed("list", "-H", pool).lines().map(line -> line.split("\t", -1)[0]).toList();
      assertTrue(
          names.containsAll(List.of("root", "home", "home@s", "home@by-mount-point")),
          names::toString);
    } finally {
      mounted.succeed("umount", home.toString());
    }
    assertEquals("changed", Files.readString(mounted.path("file")));
    mounted.remount();
    mounted.succeed("mount", pool + "/home", home.toString());
    try {
      assertEquals("in home", Files.readString(home.resolve("file")));
    } finally {
      mounted.succeed("umount", home.toString());
    }
    mounted.succeed("destroy", pool + "/home@s");
    mounted.succeed("destroy", pool + "/home@by-mount-point");
  }

  @Test
  void listIsMachineReadable() throws IOException {
    String pool = mounted.pool().toString();
    Files.write(mounted.path("file"), noise(11, 5_000_000));
    mounted.succeed("snapshot", target("s"));
    String json = mounted.succeed("list", "--json", pool);
    Program.succeed(
        ANYWHERE,
        "python3",
        "-c",
        "import json,sys; text=json.dumps(json.loads(sys.argv[1])); assert 's' in text",
        json);
    for (String line : mounted.succeed("list", "-H", "-p", pool).lines().toList()) {
      String[] fields = line.split("\t", -1);
      assertTrue(fields.length >= 4, line);
      assertTrue(Long.parseLong(fields[2]) >= 5_000_000, "referenced: " + line);
    }
    assertEquals(
        mounted.succeed("list", "-H", "-p", pool),
        mounted.succeed("list", "-H", "-p", mounted.root().toString()));
  }

  private static FileChannel open(Path file) throws IOException {
    return FileChannel.open(
        file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  private static byte[] noise(long seed, int length) {
    byte[] bytes = new byte[length];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @Test
  void snapshotsWhileFilesAreWrittenAreWholeStates() throws IOException {
    // each file is replaced by rename, so any moment's state has only whole files
    Path work = Files.createDirectory(mounted.path("work"));
    Process writer =
        Program.start(
            work,
            List.of(
                "sh",
                "-c",
                "i=0; while [ $i -lt 400 ]; do i=$((i+1)); n=$((i%20));"
                    + " seq $i $((i+3000)) > tmp-$n && mv tmp-$n file-$n; done"),
            ProcessBuilder.Redirect.DISCARD,
            ProcessBuilder.Redirect.INHERIT);
    try {
      for (int i = 0; i < 4; i++) {
        MountedPool.pause(150);
        mounted.succeed("snapshot", target("s" + i));
      }
      assertEquals(0, waitFor(writer));
    } finally {
      writer.destroyForcibly();
    }
    for (int i = 3; i >= 0; i--) {
      mounted.succeed("rollback", target("s" + i));
      try (var files = Files.newDirectoryStream(work, "file-*")) {
        for (Path file : files) {
          assertEquals(3001, new String(Files.readAllBytes(file), UTF_8).lines().count());
        }
      }
    }
  }

  private static int waitFor(Process process) throws IOException {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }
}
