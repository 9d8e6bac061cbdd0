package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file has as many names as on ext4, and no more. */
class LinkLimitTest {
  private static final int NAMES_MAX = 65_000;
  private static final long ROOT = FileSystem.ROOT_INODE;

  @Test
  void aFileHasNoMoreThan65000Names(@TempDir Path directory) throws Exception {
    TestPool pool =
        TestPool.create(directory, 256 << 20, CompressionSetting.NONE, TestPool.ON_DEMAND);
    FileSystem fs = pool.fileSystem();
    int mode = FileType.REGULAR.format() | 0644;
    long file = fs.makeNode(Caller.ROOT, ROOT, name(0), mode, 0).inode();
    for (int i = 1; i < NAMES_MAX; i++) {
      fs.link(file, ROOT, name(i));
    }
    assertEquals(NAMES_MAX, fs.getAttributes(file).nlink());
    FsException refusal =
        assertThrows(FsException.class, () -> fs.link(file, ROOT, name(NAMES_MAX)));
    assertEquals(FsError.TOO_MANY_LINKS, refusal.error());

    fs.unlink(ROOT, name(7));
    fs.link(file, ROOT, name(NAMES_MAX));
    assertEquals(NAMES_MAX, fs.getAttributes(file).nlink());
    pool.audit();
    pool.close();
  }

  private static byte[] name(int i) {
    return Model.bytes("name" + i);
  }
}
