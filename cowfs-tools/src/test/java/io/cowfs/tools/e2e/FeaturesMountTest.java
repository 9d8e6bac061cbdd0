package io.cowfs.tools.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;

/** A pool of a later version can be looked at, where its label says so. */
@EnabledIf("io.cowfs.tools.e2e.Requirements#fuse")
final class FeaturesMountTest {
  private static final int SECTOR_BYTES = 4096;
  private static final int FEATURES_TO_READ = 48;
  private static final int FEATURES_TO_WRITE = 56;
  private static final int CHECKSUM = 4092;

  @TempDir private Path directory;

  @Test
  void aPoolWithUnknownFeaturesIsMountedReadOnlyOrRefused() throws IOException {
    try (MountedPool mounted = MountedPool.create(directory)) {
      String pool = mounted.pool().toString();
      Files.writeString(mounted.path("file"), "content");
      mounted.succeed("snapshot", pool + "@s");
      mounted.unmount();

      setFeature(mounted, FEATURES_TO_WRITE, 7);
      assertRefused("mount it with -o ro", "mount", pool, mounted.root().toString());
      assertFalse(mounted.isMounted());
      mounted.mount("-o", "ro");
      assertEquals("content", Files.readString(mounted.path("file")));
      assertEquals("content", Files.readString(mounted.path(".cowfs/snapshot/s/file")));
      Program.Result write =
          Program.run(mounted.root(), List.of("/bin/sh", "-c", "echo more >> file"));
      assertTrue(write.errors().contains("Read-only file system"), write::toString);
      assertTrue(mounted.succeed("status", pool).contains("read-only: "));
      assertTrue(mounted.succeed("list", pool).contains("root@s"));
      assertRefused("bit 7", "snapshot", pool + "@new");
      assertEquals("no errors found\n", mounted.succeed("check", pool));
      mounted.unmount();
      assertEquals("no errors found\n", mounted.succeed("check", pool));
      assertRefused("bit 7", "set", pool, "user:note=x");
      assertRefused("bit 7", "check", "--rebuild-index", pool);

      setFeature(mounted, FEATURES_TO_READ, 40);
      assertRefused("bit 40", "list", pool);
      assertRefused("bit 40", "mount", "-o", "ro", pool, mounted.root().toString());
    }
  }

  /** Sets a bit in both copies of the label. */
  private static void setFeature(MountedPool mounted, int offset, int bit) throws IOException {
    try (FileChannel data =
        FileChannel.open(
            mounted.pool().resolve("data"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      for (int copy = 0; copy < 2; copy++) {
        ByteBuffer label = ByteBuffer.allocate(SECTOR_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.read(label, (long) copy * SECTOR_BYTES);
        label.putLong(offset, label.getLong(offset) | 1L << bit);
        CRC32C crc = new CRC32C();
        crc.update(label.array(), 0, CHECKSUM);
        label.putInt(CHECKSUM, (int) crc.getValue());
        data.write(label.rewind(), (long) copy * SECTOR_BYTES);
      }
    }
  }

  private static void assertRefused(String what, String... arguments) throws IOException {
    Program.Result refused = MountedPool.cowfs(arguments);
    assertEquals(1, refused.exitCode(), refused::toString);
    assertEquals(1, refused.errors().lines().count(), refused::toString);
    assertTrue(refused.errors().contains(what), refused::toString);
  }
}
