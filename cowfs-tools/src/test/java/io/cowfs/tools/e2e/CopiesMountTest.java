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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** A pool that has lost one copy of everything that it has twice, mounted and not. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class CopiesMountTest {
  private static final int SECTOR_BYTES = 4096;
  private static final long FIRST_DATA_SECTOR = 130;
  private static final int CHUNK_BYTES = 1 << 20;

  @TempDir private Path directory;

  /** Which of two equal copies is destroyed. */
  private enum Place {
    FIRST,
    SECOND
  }

  private static byte[] random(int seed, int length) {
    byte[] content = new byte[length];
    new Random(seed).nextBytes(content);
    return content;
  }

  /**
   * Writes over one of each two sectors of the data file that are equal.
   *
   * @return how many
   */
  private static int destroy(Path data, Place place) throws IOException {
    List<Long> sectors = new ArrayList<>();
    try (FileChannel file =
        FileChannel.open(data, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Map<ByteBuffer, Long> first = new HashMap<>();
      ByteBuffer zeros = ByteBuffer.allocate(CHUNK_BYTES);
      for (long at = FIRST_DATA_SECTOR * SECTOR_BYTES; at < file.size(); at += CHUNK_BYTES) {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
        file.read(chunk, at);
        if (chunk.clear().equals(zeros)) {
          continue;
        }
        for (int i = 0; i < CHUNK_BYTES; i += SECTOR_BYTES) {
          ByteBuffer content = chunk.slice(i, SECTOR_BYTES);
          long sector = (at + i) / SECTOR_BYTES;
          Long before = content.equals(zeros.slice(0, SECTOR_BYTES)) ? null : first.get(content);
          first.putIfAbsent(content, sector);
          if (before != null) {
            sectors.add(place == Place.FIRST ? before : sector);
          }
        }
      }
      for (long sector : sectors) {
        ByteBuffer garbage = ByteBuffer.wrap(random((int) sector, SECTOR_BYTES));
        file.write(garbage, sector * SECTOR_BYTES);
      }
    }
    return sectors.size();
  }

  @Test
  void oneCopyOfEverythingIsEnough() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      String pool = mounted.pool().toString();
      mounted.succeed("set", mounted.root().toString(), "copies=2");
      Map<String, byte[]> files = new HashMap<>();
      for (int i = 0; i < 40; i++) {
        files.put("file-" + i, random(i, 1000 + i * 5000));
        Files.write(mounted.path("file-" + i), files.get("file-" + i));
      }
      mounted.succeed("snapshot", mounted.root() + "@s");
      mounted.unmount();
      Path data = mounted.pool().resolve("data");
      long size = Files.size(data);

      for (Place place : Place.values()) {
        int destroyed = destroy(data, place);
        assertTrue(destroyed > 900, place + ": " + destroyed);
        mounted.mount();
        for (Map.Entry<String, byte[]> each : files.entrySet()) {
          assertArrayEquals(each.getValue(), Files.readAllBytes(mounted.path(each.getKey())));
        }
        Program.Result scrub = MountedPool.cowfs("scrub", "--wait", pool).expectExit(0);
        boolean said = scrub.output().contains("repaired:");
        assertTrue(said || place == Place.FIRST, scrub::toString);
        String status = mounted.succeed("status", pool);
        assertTrue(status.contains(", no errors"), status);
        mounted.unmount();
        mounted.succeed("check", pool);
      }

      destroy(data, Place.FIRST);
      Program.Result check = MountedPool.cowfs("check", pool);
      assertEquals(1, check.exitCode(), check::toString);
      assertTrue((check.output() + check.errors()).contains("space/copy: "), check::toString);
      MountedPool.cowfs("scrub", pool).expectExit(0);
      mounted.succeed("check", pool);
      assertTrue(Files.size(data) <= 2 * size, "it does not grow");
      mounted.mount();
    }
  }

  @Test
  void aDatasetHasItsOwnNumberOfCopies() throws Exception {
    try (MountedPool mounted = MountedPool.create(directory)) {
      String dataset = mounted.pool() + "/twice";
      mounted.succeed("create", "-o", "copies=2", dataset);
      assertTrue(mounted.succeed("get", dataset, "copies").contains("2"), "set");
      Program.Result refused = MountedPool.cowfs("set", dataset, "copies=4");
      assertEquals(1, refused.exitCode(), refused::toString);
      assertEquals(1, refused.errors().lines().count(), refused::toString);

      Files.write(mounted.path("once"), random(1, 1 << 20));
      mounted.succeed("sync", mounted.pool().toString());
      assertEquals(2048, blocks(mounted.path("once")));
      mounted.succeed("set", mounted.root().toString(), "copies=3");
      Files.write(mounted.path("thrice"), random(2, 1 << 20));
      mounted.succeed("sync", mounted.pool().toString());
      assertEquals(3 * 2048, blocks(mounted.path("thrice")));
      assertEquals(2048, blocks(mounted.path("once")));
    }
  }

  private static long blocks(Path file) throws IOException {
    return Long.parseLong(
        Program.run(Path.of("/"), List.of("stat", "-c", "%b", file.toString()))
            .expectExit(0)
            .output()
            .strip());
  }
}
