package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged data is an error of the file that has it, which the log names, and of no other. */
class DamagedFileTest {
  private static final int BYTES = 200_000;

  @TempDir Path directory;

  /** Keeps what is logged. */
  private static final class Memory extends Handler {
    private final List<String> messages = new ArrayList<>();

    @Override
    public void publish(LogRecord logged) {
      messages.add(logged.getMessage());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  private static FileHandle write(FileSystem fs, long parent, String name) throws FsException {
    byte[] content = new byte[BYTES];
    for (int i = 0; i < BYTES; i++) {
      content[i] = (byte) (i / 700 + name.length());
    }
    FileHandle file = fs.create(Caller.ROOT, parent, Model.bytes(name), 0644, Set.of()).handle();
    fs.write(Caller.ROOT, file, 0, ByteBuffer.wrap(content), false);
    return file;
  }

  private static DataExtent firstExtentOf(TestPool pool, long inode) throws IOException {
    List<DataExtent> found = new ArrayList<>();
    pool.liveTree("root")
        .walk(
            -1,
            new NodeVisitor() {
              @Override
              public void item(Key key, byte[] source, int offset, int length) throws IOException {
                DataExtent extent =
                    ExtentItems.extentOf(key, Arrays.copyOfRange(source, offset, offset + length));
                if (extent != null && key.high() == inode) {
                  found.add(extent);
                }
              }

              @Override
              public void node(BlockPointer pointer, int level) {}
            });
    return found.get(0);
  }

  private void check(CompressionSetting compression) throws Exception {
    Logger logger = Logger.getLogger(StorageErrors.class.getName());
    Memory log = new Memory();
    try (TestPool pool =
        TestPool.create(
            directory.resolve(compression.compression().name()),
            64L << 20,
            compression,
            TestPool.ON_DEMAND)) {
      FileSystem fs = pool.fileSystem();
      long parent = fs.makeDirectory(Caller.ROOT, 1, Model.bytes("dir"), 0755).inode();
      FileHandle victim = write(fs, parent, "victim");
      FileHandle other = write(fs, parent, "other");
      pool.commit();
      DataExtent extent = firstExtentOf(pool, victim.inode());
      assertEquals(compression.compression(), extent.compression());
      pool.device().flipBit(extent.sector() * BlockPointer.SECTOR_BYTES + 100, 3);

      logger.setLevel(Level.ALL); // whatever others do to the loggers above it
      logger.addHandler(log);
      FsException refused =
          assertThrows(
              FsException.class, () -> fs.read(victim, 0, BYTES, ByteBuffer.allocate(BYTES)));
      assertEquals(FsError.IO, refused.error());
      assertEquals(1, log.messages.size(), log.messages::toString);
      assertTrue(
          log.messages.get(0).startsWith("root:/dir/victim (inode " + victim.inode() + "): "),
          log.messages::toString);
      assertEquals(BYTES, fs.read(other, 0, BYTES, ByteBuffer.allocate(BYTES)));
      assertEquals(1, log.messages.size(), log.messages::toString);
      pool.device().flipBit(extent.sector() * BlockPointer.SECTOR_BYTES + 100, 3);
    } finally {
      logger.removeHandler(log);
      logger.setLevel(null);
    }
  }

  @Test
  void theLogNamesTheFileOfADamagedSector() throws Exception {
    check(CompressionSetting.NONE);
  }

  @Test
  void theLogNamesTheFileOfADamagedCompressedExtent() throws Exception {
    check(new CompressionSetting(Compression.LZ4, 0));
  }
}
