package io.cowfs.core.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.fs.SnapshotRights;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.OpenFlags;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FileRehearsalTest {
  @TempDir Path directory;

  @Test
  void whatItMadeIsGoneAndWasSynced() throws Exception {
    try (TestPool pool =
        TestPool.create(directory, 64L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND)) {
      FileSystem files = pool.pool().browsableFileSystem("root", SnapshotRights.OWNER);
      long inodes = inodes(files);
      long syncs = pool.syncs();

      FileRehearsal.run(files);

      assertEquals(List.of(".", ".."), names(files));
      assertEquals(inodes, inodes(files));
      assertTrue(pool.syncs() > syncs, "nothing was synced");
    }
  }

  private static long inodes(FileSystem files) throws Exception {
    return files.status().files() - files.status().freeFiles();
  }

  private static List<String> names(FileSystem files) throws Exception {
    FileHandle root = files.openDirectory(FileSystem.ROOT_INODE, OpenFlags.READ_ONLY);
    List<String> names = new ArrayList<>();
    files.readDirectory(
        root,
        0,
        (name, inode, type, cookie) -> names.add(new String(name, StandardCharsets.UTF_8)));
    files.release(root);
    return names;
  }
}
