package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/**
 * A full pool, or a full host below it: the writer hears of it, nothing that was synced is lost,
 * deleting works, and so does opening the pool again.
 */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class FullPoolMountTest {
  private static final Path ANYWHERE = Path.of("/");
  private static final int FILE_BYTES = 1 << 20;
  private static final int FILES_MAX = 1000;

  @TempDir private Path directory;

  @Test
  void aPoolAtItsSizeLimitRefusesDeletesAndGoesOn() throws IOException {
    try (MountedPool mounted = MountedPool.init(directory, "--size", "64M")) {
      int written = fill(mounted);
      assertTrue(written >= 30, "only " + written + " MiB fit in 64 MiB");
      assertTrue(written <= 64, written + " MiB fit in 64 MiB");
      assertRefillsAfterDeleting(mounted, written);
      assertTrue(
          Files.size(mounted.pool().resolve("data")) <= (64 << 20), "the data file is too large");
    }
  }

  @Test
  void aFullPoolCanBeEmptiedAndFilledAgainAndAgain() throws IOException {
    try (MountedPool mounted = MountedPool.init(directory, "--size", "64M")) {
      int first = fill(mounted);
      for (int round = 0; round < 3; round++) {
        Program.shell(mounted.root(), "rm -f *");
        int again = fill(mounted);
        assertTrue(again >= first * 8 / 10, "first " + first + " MiB fit, then " + again);
      }
      assertIntact(mounted, 0, 1);
    }
  }

  @Test
  void smallFilesFillAPoolAndCanAllBeDeleted() throws IOException {
    try (MountedPool mounted = MountedPool.init(directory, "--size", "48M")) {
      Program.Result full =
          Program.run(
              mounted.root(),
              List.of(
                  "sh",
                  "-c",
                  "for d in $(seq 1 200); do mkdir d$d || exit 3;"
                      + " head -c 1000000 /dev/urandom | split -b 2000 - d$d/ || exit 3; done;"
                      + " sync -f . || exit 3"));
      full.expectExit(3);
      assertTrue(full.errors().contains("No space left on device"), full::toString);
      Program.shell(mounted.root(), "rm -rf d*");
      assertEquals("", Program.succeed(ANYWHERE, "ls", "-A", mounted.root().toString()));
      mounted.remount();
      writeSynced(mounted.path("after"), 1);
      assertArrayEquals(content(1), Files.readAllBytes(mounted.path("after")));
    }
  }

  @Test
  void snapshotsOfAFullPoolCanBeDestroyed() throws IOException {
    try (MountedPool mounted = MountedPool.init(directory, "--size", "64M")) {
      writeSynced(mounted.path("kept"), 7);
      for (int i = 0; i < 20; i++) {
        writeSynced(mounted.path("old-" + i), i);
      }
      mounted.succeed("snapshot", mounted.pool() + "@s");
      Program.shell(mounted.root(), "rm -f old-*");
      int beside = fill(mounted);
      mounted.succeed("destroy", mounted.pool() + "@s");
      Program.shell(mounted.root(), "rm -f 0");
      int more = 0;
      for (int i = 0; i < 15; i++) {
        writeSynced(mounted.path("more-" + i), i);
        more++;
      }
      assertTrue(more >= 15 && beside > 5, beside + " MiB beside the snapshot, then " + more);
      assertArrayEquals(content(7), Files.readAllBytes(mounted.path("kept")));
    }
  }

  @Test
  @EnabledIf("io.cowfs.tools.e2e.Requirements#root")
  void aFullHostRefusesDeletesAndGoesOn() throws IOException {
    Path host = Files.createDirectory(directory.resolve("host"));
    Program.succeed(
        ANYWHERE, "mount", "-t", "tmpfs", "-o", "size=160m", "cowfs-test", host.toString());
    try (MountedPool mounted = MountedPool.init(host)) {
      // the host fills up from elsewhere too
      Program.shell(host, "head -c 60000000 /dev/urandom > other");
      int written = fill(mounted);
      assertTrue(written >= 20, "only " + written + " MiB fit");
      assertRefillsAfterDeleting(mounted, written);
    } finally {
      Program.run(ANYWHERE, List.of("umount", "-l", host.toString()));
    }
  }

  private static void assertRefillsAfterDeleting(MountedPool mounted, int written)
      throws IOException {
    assertIntact(mounted, 0, written);
    mounted.remount();
    assertIntact(mounted, 0, written);
    for (int i = 0; i < written / 2; i++) {
      Files.delete(mounted.path(Integer.toString(i)));
    }
    int again = written / 4;
    for (int i = 0; i < again; i++) {
      writeSynced(mounted.path(Integer.toString(i)), i);
    }
    mounted.remount();
    assertIntact(mounted, 0, again);
    assertIntact(mounted, written / 2, written);
  }

  /** Writes files of 1 MiB, each synced, until one is refused; returns how many were not. */
  private static int fill(MountedPool mounted) throws IOException {
    for (int i = 0; i < FILES_MAX; i++) {
      Path file = mounted.path(Integer.toString(i));
      try {
        writeSynced(file, i);
      } catch (IOException e) {
        assertTrue(e.toString().contains("No space left on device"), e::toString);
        Files.deleteIfExists(file);
        return i;
      }
    }
    throw new AssertionError("never full");
  }

  private static void writeSynced(Path file, int seed) throws IOException {
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer buffer = ByteBuffer.wrap(content(seed));
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
    }
  }

  private static void assertIntact(MountedPool mounted, int from, int to) throws IOException {
    List<String> broken = new ArrayList<>();
    for (int i = from; i < to; i++) {
      if (!Arrays.equals(content(i), Files.readAllBytes(mounted.path(Integer.toString(i))))) {
        broken.add(Integer.toString(i));
      }
    }
    assertEquals(List.of(), broken, "files with other contents than were synced");
  }

  private static byte[] content(int seed) {
    byte[] bytes = new byte[FILE_BYTES];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }
}
