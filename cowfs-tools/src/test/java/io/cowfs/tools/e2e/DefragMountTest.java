package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** {@code cowfs defrag} on a mount, beside who writes to it, and of a pool that is not mounted. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class DefragMountTest {
  private static final int SECTOR_BYTES = 4096;
  private static final int FILE_BYTES = 8 << 20;

  @TempDir private Path directory;
  private final Random random = new Random(3);

  private static String cowfs(String... arguments) throws Exception {
    Program.Result result = MountedPool.cowfs(arguments).expectExit(0);
    assertEquals("", result.errors());
    return result.output();
  }

  private static long number(String json, String name) {
    Matcher found = Pattern.compile("\"" + name + "\": ([0-9]+)").matcher(json);
    assertTrue(found.find(), name + " in " + json);
    return Long.parseLong(found.group(1));
  }

  private static void refuse(int exit, String expected, String... arguments) throws Exception {
    Program.Result refused = MountedPool.cowfs(arguments);
    refused.expectExit(exit);
    assertTrue(refused.errors().contains(expected), refused.toString());
    if (exit == 1) {
      assertEquals(1, refused.errors().lines().count(), refused.toString());
    }
  }

  /** As a database does: sectors here and there, committed now and then. */
  private void fragment(MountedPool mounted, Path file, byte[] content) throws Exception {
    try (RandomAccessFile changed = new RandomAccessFile(file.toFile(), "rw")) {
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++) {
          int at = random.nextInt(FILE_BYTES / SECTOR_BYTES) * SECTOR_BYTES;
          byte[] sector = new byte[SECTOR_BYTES];
          random.nextBytes(sector);
          changed.seek(at);
          changed.write(sector);
          System.arraycopy(sector, 0, content, at, SECTOR_BYTES);
        }
        mounted.succeed("sync", mounted.pool().toString());
      }
    }
  }

  @Test
  void aFileThatWasOverwrittenHereAndThereIsPutTogether() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      String pool = mounted.pool().toString();
      mounted.succeed("set", pool, "checkpoints=off");
      byte[] content = new byte[FILE_BYTES];
      random.nextBytes(content);
      Path file = Files.createDirectory(mounted.path("db")).resolve("file");
      Files.write(file, content);
      mounted.succeed("sync", pool);
      fragment(mounted, file, content);
      FileTime time = Files.getLastModifiedTime(file);
      String before = cowfs("frag", "--json", file.toString());
      assertTrue(number(before, "runs") > 300, before);

      String done = cowfs("defrag", "--json", file.toString());
      assertTrue(done.contains("\"ending\": \"complete\", \"files\": 1, \"movedFiles\": 1"), done);
      assertEquals(number(before, "runs"), number(done, "runsBefore"));
      assertEquals(0, number(done, "sharedBytes"));
      String after = cowfs("frag", "--json", file.toString());
      assertEquals(number(after, "runs"), number(done, "runsAfter"));
      assertTrue(number(after, "runs") <= 4, after);
      assertTrue(number(after, "extents") < number(before, "extents") / 2, after);
      assertArrayEquals(content, Files.readAllBytes(file));
      assertEquals(time, Files.getLastModifiedTime(file));
      assertEquals(0, number(cowfs("defrag", "--json", pool), "movedBytes"));

      mounted.succeed("snapshot", pool + "@s");
      fragment(mounted, file, content);
      String shared = cowfs("defrag", "--json", pool);
      assertTrue(number(shared, "sharedBytes") > FILE_BYTES / 2, shared);
      String text = cowfs("defrag", mounted.path("db").toString());
      assertTrue(text.startsWith("files:      1, of which 0 had something moved\n"), text);
      assertTrue(text.contains(" shared with snapshots, clones or other ranges\n"), text);

      mounted.unmount();
      mounted.succeed("destroy", pool + "@s");
      String unmounted = cowfs("defrag", "--json", "--path", "db/file", pool);
      assertEquals(0, number(unmounted, "sharedBytes"), unmounted);
      assertTrue(number(unmounted, "runsAfter") <= 4, unmounted);
      assertTrue(cowfs("check", pool).contains("no "), "check");
      mounted.mount();
      assertArrayEquals(content, Files.readAllBytes(file));
    }
  }

  @Test
  void whoeverWritesMeanwhileNoticesNothing() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      byte[] content = new byte[FILE_BYTES];
      random.nextBytes(content);
      Path file = mounted.path("file");
      Files.write(file, content);
      Throwable[] failure = new Throwable[1];
      Thread writing =
          new Thread(
              () -> {
                try {
                  for (int i = 0; i < 3; i++) {
                    fragment(mounted, file, content);
                  }
                } catch (Throwable thrown) {
                  failure[0] = thrown;
                }
              });
      writing.start();
      long moved = 0;
      while (writing.isAlive()) {
        moved += number(cowfs("defrag", "--json", mounted.pool().toString()), "movedBytes");
      }
      assertEquals(null, failure[0]);
      moved += number(cowfs("defrag", "--json", mounted.pool().toString()), "movedBytes");
      assertTrue(moved > 0);
      assertArrayEquals(content, Files.readAllBytes(file));
      mounted.unmount();
      cowfs("check", mounted.pool().toString());
      mounted.mount();
      assertArrayEquals(content, Files.readAllBytes(file));
    }
  }

  @Test
  void itEndsWithTheOneWhoAskedForItAndWithTheMount() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      String pool = mounted.pool().toString();
      mounted.succeed("set", pool, "checkpoints=off");
      mounted.succeed("set", pool, "defrag.rate=64K");
      byte[] content = new byte[FILE_BYTES];
      random.nextBytes(content);
      Path file = mounted.path("file");
      Files.write(file, content);
      mounted.succeed("sync", pool);
      fragment(mounted, file, content);
      // All is moved at once, and then it waits for two minutes: it is over its limit.
      Process first = start(pool, file);
      refuse(1, "a defragmentation is running already", "defrag", pool);
      first.destroyForcibly().waitFor();
      long end = System.nanoTime() + 30_000_000_000L;
      while (!MountedPool.cowfs("defrag", pool).errors().isEmpty()) {
        assertTrue(System.nanoTime() < end, "it does not end");
      }
      fragment(mounted, file, content);
      Process second = start(pool, file);
      mounted.unmount();
      assertTrue(second.waitFor() != 0);
      cowfs("check", pool);
      mounted.mount();
      assertArrayEquals(content, Files.readAllBytes(file));
    }
  }

  private static Process start(String pool, Path file) throws Exception {
    Process started =
        new ProcessBuilder(MountedPool.launcher().toString(), "defrag", pool)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    while (number(cowfs("frag", "--json", file.toString()), "runs") > 10) {
      assertTrue(started.isAlive());
      Thread.sleep(100);
    }
    return started;
  }

  @Test
  void whatCannotBeDoneIsSaidInOneLine() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      String pool = mounted.pool().toString();
      refuse(1, "no such file or directory", "defrag", mounted.path("none").toString());
      refuse(1, "no such file or directory", "frag", mounted.path("none").toString());
      refuse(1, "no such file or directory", "defrag", directory.resolve("none/x").toString());
      refuse(2, "--wrong", "defrag", "--wrong", pool);
      refuse(1, "there is no 'none'", "defrag", "--path", "none", pool);
      refuse(1, "defrag.background", "set", pool, "defrag.background=0");
      mounted.succeed("set", pool, "readonly=on");
      refuse(1, "dataset 'root' is read-only", "defrag", mounted.path(".").toString());
      assertTrue(cowfs("defrag", pool).contains("read-only:  root\n"));
    }
  }
}
