package io.cowfs.core.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.memory.DirectBuffers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileDeviceTest extends BlockDeviceContract {
  @TempDir Path directory;

  @Override
  BlockDevice open() throws IOException {
    return FileDevice.create(directory.resolve("data"), CAPACITY);
  }

  @Test
  void createRefusesAnExistingFile() {
    assertThrows(
        FileAlreadyExistsException.class,
        () -> FileDevice.create(directory.resolve("data"), CAPACITY));
  }

  @Test
  void openRefusesAMissingFile() {
    assertThrows(
        NoSuchFileException.class, () -> FileDevice.open(directory.resolve("none"), CAPACITY));
  }

  @Test
  void withoutALimitTheCapacityIsThatOfTheLargestFile() throws IOException {
    try (FileDevice unlimited = FileDevice.open(directory.resolve("data"), 0)) {
      assertEquals(FileDevice.UNLIMITED_BYTES, unlimited.capacity());
    }
  }

  @Test
  void punchingGivesSpaceBackToTheHost() throws Exception {
    Path file = directory.resolve("data");
    device.write(ByteBuffer.allocateDirect(8 << 20), 0);
    device.sync();
    long before = blocks(file);
    device.punch(1 << 20, 6 << 20);
    assertTrue(blocks(file) <= before - (5 << 20) / 512, "blocks still in use");
    assertEquals(8 << 20, Files.size(file));
  }

  @Test
  void preallocationTakesSpaceFromTheHost() throws Exception {
    device.preallocate(0, 4 << 20);
    assertTrue(blocks(directory.resolve("data")) >= (4 << 20) / 512);
  }

  @Test
  void nothingWorksAfterClose() throws IOException {
    device.close();
    assertThrows(IOException.class, () -> device.write(ByteBuffer.allocate(1), 0));
    ByteBuffer[] much = {DirectBuffers.aligned(1 << 20), DirectBuffers.aligned(1 << 20)};
    assertThrows(IOException.class, () -> device.write(much, 0));
    assertThrows(IOException.class, () -> device.punch(0, 4096));
  }

  /** Blocks of 512 bytes in use, as stat(1) tells. */
  private static long blocks(Path file) throws Exception {
    Process stat = new ProcessBuilder("stat", "-c", "%b", file.toString()).start();
    String output =
        new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).trim();
    assertEquals(0, stat.waitFor());
    return Long.parseLong(output);
  }
}
