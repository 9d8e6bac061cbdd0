package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** {@code cowfs frag} of paths on a mount, and of a pool that is not mounted. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class FragMountTest {
  private static final int SECTOR_BYTES = 4096;
  private static final int FILE_BYTES = 1 << 20;

  @TempDir private Path directory;

  private static String frag(String... arguments) throws Exception {
    String[] line = new String[arguments.length + 1];
    line[0] = "frag";
    System.arraycopy(arguments, 0, line, 1, arguments.length);
    Program.Result result = MountedPool.cowfs(line).expectExit(0);
    assertEquals("", result.errors());
    return result.output();
  }

  @Test
  void aFileADirectoryAndAPoolMountedAndNot() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      mounted.succeed("set", mounted.pool().toString(), "compression=off");
      byte[] content = new byte[FILE_BYTES];
      new Random(1).nextBytes(content);
      Path below = Files.createDirectory(mounted.path("below"));
      Path file = below.resolve("at@file");
      Files.write(file, content);
      mounted.succeed("sync", mounted.pool().toString());
      try (RandomAccessFile changed = new RandomAccessFile(file.toFile(), "rw")) {
        for (int i = 1; i < 8; i += 2) {
          changed.seek((long) i * 3 * SECTOR_BYTES);
          changed.write(content, 0, SECTOR_BYTES);
        }
      }
      // What the kernel holds back counts.
      String[] lines = frag("--bytes", file.toString()).split("\n", -1);
      assertTrue(lines[0].matches("NAME +SIZE +EXTENTS +RUNS +MEAN RUN +LARGEST +OF SIZE"));
      String[] cells = lines[1].split(" +");
      assertEquals("below/at@file", cells[0]);
      assertEquals(FILE_BYTES, Integer.parseInt(cells[1]));
      assertEquals(9, Integer.parseInt(cells[3]), lines[1]);

      Path link = directory.resolve("link");
      Files.createSymbolicLink(link, below);
      String expected = "\"files\": 1, \"size\": " + FILE_BYTES;
      for (Path target : new Path[] {link, mounted.pool().resolve("root")}) {
        String json = frag("--json", target.toString());
        assertTrue(json.contains("\"dataset\": \"root\", " + expected), json);
        assertTrue(json.contains("\"path\": \"below/at@file\", \"size\""), json);
        assertTrue(json.contains("\"free\": {\"largestRun\": "), json);
      }
      Program.Result wrong = MountedPool.cowfs("frag", mounted.path("none").toString());
      wrong.expectExit(1);
      assertEquals(1, wrong.errors().lines().count(), wrong.toString());

      mounted.unmount();
      String all = frag(mounted.pool().toString());
      assertTrue(all.contains("root:/below/at@file "), all);
      assertTrue(all.contains("FREE RUNS OF"), all);
    }
  }
}
