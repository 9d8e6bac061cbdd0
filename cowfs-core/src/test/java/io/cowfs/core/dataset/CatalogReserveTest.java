package io.cowfs.core.dataset;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CatalogReserveTest {
  private static final long LIMIT_BYTES = 32L << 20;

  @TempDir Path directory;

  @Test
  void theHostHasGivenSpaceBeyondTheEnd() throws IOException {
    Path file = Files.createFile(directory.resolve("data.mdb"));
    try (CatalogReserve reserve = new CatalogReserve(file, LIMIT_BYTES)) {
      reserve.keep(1 << 20);
    }
    assertTrue(allocatedBytes(file) >= 4 << 20, "no reserve was taken");
  }

  @Test
  void anIndexAtItsLimitNeedsNoMore() throws IOException {
    Path file = Files.createFile(directory.resolve("data.mdb"));
    try (CatalogReserve reserve = new CatalogReserve(file, LIMIT_BYTES)) {
      reserve.keep(LIMIT_BYTES);
    }
    assertEquals(0, allocatedBytes(file));
  }

  private static long allocatedBytes(Path file) throws IOException {
    Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
    String blocks = new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    return 512 * Long.parseLong(blocks.strip());
  }
}
