package io.cowfs.core.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NewDeviceTest {
  @TempDir private Path base;

  private Optional<String> contentWith(long offset, String magic) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            base.resolve("at-" + offset),
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.CREATE)) {
      channel.write(
          ByteBuffer.wrap(magic.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1)), offset);
      return NewDevice.content(channel);
    }
  }

  @Test
  void everySignatureIsFound() throws IOException {
    assertEquals(
        Optional.of("an ext2, ext3 or ext4 file system"), contentWith(1080, "\u0053\u00ef"));
    assertEquals(Optional.of("a Btrfs file system"), contentWith(65600, "_BHRfS_M"));
    assertEquals(Optional.of("an LVM volume"), contentWith(512, "LABELONE"));
    assertEquals(Optional.of("swap space"), contentWith(4086, "SWAPSPACE2"));
    assertEquals(
        Optional.of("a member of a ZFS pool"),
        contentWith(132 << 10, "\u000c\u00b1\u00ba\0\0\0\0\0"));
    assertEquals(Optional.of("a partition table or boot sector"), contentWith(510, "\u0055\u00aa"));
    assertEquals(Optional.of("a LUKS volume"), contentWith(0, "LUKS\u00ba\u00be"));
  }

  @Test
  void anEmptyDeviceAndAShortOneHoldNothing() throws IOException {
    assertEquals(Optional.empty(), contentWith(1 << 20, "x"));
    assertEquals(Optional.empty(), contentWith(3, ""));
  }

  @Test
  void thatOfAPoolIsFound() throws IOException {
    Path file = base.resolve("pool");
    try (FileDevice device = FileDevice.create(file, 1 << 20)) {
      new PoolLabel(UUID.randomUUID(), 0, 0, 0, 0, 0, 0).write(device);
    }
    try (FileChannel channel = FileChannel.open(file)) {
      assertEquals(Optional.of("a cowfs pool"), NewDevice.content(channel));
    }
  }
}
