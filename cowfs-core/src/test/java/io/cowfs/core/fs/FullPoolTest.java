package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A pool that runs full says so to the writer: no commit ever fails, deleting works, and what is
 * deleted can be written again.
 */
class FullPoolTest {
  private static final long SEED = Long.getLong("cowfs.test.seed", 20_261_125);

  @TempDir Path directory;
  private TestPool pool;
  private FileSystem fs;
  private final Random random = new Random(SEED);

  private void create(long capacityBytes, CompressionSetting compression) throws IOException {
    System.out.println("seed " + SEED);
    pool = TestPool.create(directory, capacityBytes, compression, TestPool.RESTLESS);
    fs = pool.fileSystem();
  }

  @AfterEach
  void poolIsSoundAndOpensAgain() throws IOException {
    assertEquals("active", pool.pool().status().state());
    pool.audit();
    pool.reopen();
    pool.auditAsFound();
    pool.fileSystem();
    pool.close();
  }

  private byte[] content(int bytes, boolean compressible) {
    byte[] content = new byte[bytes];
    if (!compressible) {
      random.nextBytes(content);
    }
    return content;
  }

  private static byte[] name(String text) {
    return Model.bytes(text);
  }

  private static boolean refusedForSpace(FsException failure) {
    assertEquals(FsError.NO_SPACE, failure.error(), () -> failure + ": " + failure.getCause());
    return true;
  }

  private interface Change {
    void run() throws FsException;
  }

  /** Returns false when there was no space. */
  private static boolean hadSpace(Change change) {
    try {
      change.run();
      return true;
    } catch (FsException failure) {
      return !refusedForSpace(failure);
    }
  }

  private void write(long inode, long offset, byte[] bytes) throws FsException {
    FileHandle handle = fs.open(inode, Set.of(OpenFlags.WRITE));
    try {
      fs.write(Caller.ROOT, handle, offset, ByteBuffer.wrap(bytes), false);
    } finally {
      fs.release(handle);
    }
  }

  private long makeFile(long parent, String name) throws FsException {
    Attributes made =
        fs.makeNode(Caller.ROOT, parent, name(name), FileType.REGULAR.format() | 0644, 0);
    fs.forget(made.inode(), 1);
    return made.inode();
  }

  /** Writes to the end of the space; returns the bytes that found room. */
  private long fill(long inode, int piece, boolean compressible) {
    long[] written = {0};
    while (hadSpace(() -> write(inode, written[0], content(piece, compressible)))) {
      written[0] += piece;
    }
    return written[0];
  }

  @Test
  void youngPoolCommitsOnFullHost() throws Exception {
    create(32L << 20, CompressionSetting.NONE);
    pool.device().limitHostSpace(pool.device().hostBytesUsed());
    for (int i = 0; i < DeviceLayout.RING_SLOTS; i++) {
      pool.commit();
    }
  }

  @Test
  void dataFillsThePoolAndComesBackTwice() throws Exception {
    create(32L << 20, CompressionSetting.NONE);
    long first = 0;
    for (int round = 0; round < 3; round++) {
      long inode = makeFile(FileSystem.ROOT_INODE, "big");
      long written = fill(inode, 1 << 17, false);
      first = round == 0 ? written : first;
      System.out.println("round " + round + ": " + (written >> 10) + " KiB");
      assertTrue(written >= first * 9 / 10 && written > 20 << 20, "only " + written);
      fs.unlink(FileSystem.ROOT_INODE, name("big"));
    }
  }

  @Test
  void dataWithCopiesFillsThePoolAndComesBackTwice() throws Exception {
    create(48L << 20, CompressionSetting.LZ4);
    for (int copies = 1; copies <= 3; copies++) {
      pool.pool()
          .administration()
          .setProperties("root", null, Map.of("copies", Integer.toString(copies)));
      long inode = makeFile(FileSystem.ROOT_INODE, "big");
      long written = fill(inode, 1 << 17, copies == 2);
      System.out.println(copies + " copies: " + (written >> 10) + " KiB");
      long taken = fs.getAttributes(inode).allocatedBytes();
      assertTrue(copies == 2 || taken >= 28 << 20, "only " + taken);
      // What is cut of compressed extents is written anew.
      for (int i = 0; i < 100; i++) {
        long offset = random.nextInt((int) (written >> 12)) * 4096L;
        hadSpace(() -> write(inode, offset, content(4096, false)));
      }
      assertNull(suspension());
      fs.unlink(FileSystem.ROOT_INODE, name("big"));
    }
  }

  @Test
  void smallFilesFillThePoolAndCanAllBeDeleted() throws Exception {
    create(16L << 20, CompressionSetting.LZ4);
    for (int round = 0; round < 1; round++) {
      List<String> names = new ArrayList<>();
      boolean space = true;
      while (space) {
        String next = "file" + names.size();
        byte[] bytes = content(1 + random.nextInt(3000), false);
        space =
            hadSpace(
                () -> {
                  long made = makeFile(FileSystem.ROOT_INODE, next);
                  names.add(next);
                  write(made, 0, bytes);
                });
      }
      // Not even a name has room any more.
      while (hadSpace(() -> makeFile(FileSystem.ROOT_INODE, "file" + names.size()))) {
        names.add("file" + names.size());
      }
      System.out.println("round " + round + ": " + names.size() + " files");
      assertTrue(names.size() > 1000, names.size() + " files");
      java.util.Collections.shuffle(names, random);
      for (String each : names) {
        fs.unlink(FileSystem.ROOT_INODE, name(each));
      }
    }
  }

  @Test
  void overwritesUnderSnapshotsRunFullAndSnapshotsGiveSpaceBack() throws Exception {
    create(48L << 20, CompressionSetting.LZ4);
    long inode = makeFile(FileSystem.ROOT_INODE, "file");
    byte[] whole = content(8 << 20, false);
    write(inode, 0, whole);
    int snapshots = 0;
    boolean space = true;
    while (space) {
      pool.snapshot("s" + snapshots++);
      for (int i = 0; i < 200 && space; i++) {
        long offset = random.nextInt(2048) * 4096L;
        space = hadSpace(() -> write(inode, offset, content(4096, random.nextBoolean())));
      }
      assertTrue(snapshots < 200, "never full");
    }
    System.out.println(snapshots + " snapshots");
    for (int i = 0; i < snapshots; i++) {
      pool.destroySnapshot("s" + i);
    }
    write(inode, 0, whole);
    pool.commit();
  }

  @Test
  void partialOverwritesOfCompressedExtentsRunFullWithoutHarm() throws Exception {
    create(24L << 20, CompressionSetting.LZ4);
    long inode = makeFile(FileSystem.ROOT_INODE, "file");
    int extents = 1000;
    for (int i = 0; i < extents; i++) {
      write(inode, (long) i << 17, new byte[1 << 17]);
    }
    pool.commit();
    int refused = 0;
    for (int i = 0; i < 30_000 && refused < 50; i++) {
      long offset = ((long) random.nextInt(extents) << 17) + random.nextInt(32) * 4096L;
      refused += hadSpace(() -> write(inode, offset, content(4096, false))) ? 0 : 1;
    }
    pool.commit();
    assertTrue(refused > 0, "never full");
  }

  @Test
  void metadataOnANearlyFullPoolNeverFailsACommit() throws Exception {
    create(32L << 20, CompressionSetting.NONE);
    List<String> names = new ArrayList<>();
    List<Long> directories = new ArrayList<>(List.of(FileSystem.ROOT_INODE));
    for (int i = 0; i < 20; i++) {
      directories.add(
          fs.makeDirectory(Caller.ROOT, FileSystem.ROOT_INODE, name("d" + i), 0755).inode());
    }
    for (int i = 0; i < 4000; i++) {
      makeFile(directories.get(random.nextInt(directories.size())), "name" + i);
      names.add("name" + i);
    }
    pool.commit();
    long big = makeFile(FileSystem.ROOT_INODE, "big");
    fill(big, 1 << 16, false);
    int done = 0;
    for (int i = 0; i < 700; i++) {
      done += hadSpace(() -> changeSomeName(directories, names)) ? 1 : 0;
      assertNull(suspension(), "operation " + i);
    }
    System.out.println(done + " of 700 operations had space");
    pool.commit();
    fs.unlink(FileSystem.ROOT_INODE, name("big"));
    pool.commit();
  }

  private String suspension() {
    String state = pool.pool().status().state();
    return state.equals("active") ? null : state;
  }

  private void changeSomeName(List<Long> directories, List<String> names) throws FsException {
    long directory = directories.get(random.nextInt(directories.size()));
    byte[] name = name(names.get(random.nextInt(names.size())));
    try {
      switch (random.nextInt(5)) {
        case 0 ->
            fs.rename(
                directory,
                name,
                directories.get(random.nextInt(directories.size())),
                name,
                RenameMode.REPLACE);
        case 1 ->
            fs.forget(
                fs.makeNode(Caller.ROOT, directory, name, FileType.REGULAR.format(), 0).inode(), 1);
        case 2 -> {
          long inode = fs.lookup(directory, name).inode();
          fs.forget(inode, 1);
          fs.setXattr(
              inode,
              name("user.a"),
              content(1 + random.nextInt(8000), false),
              XattrMode.CREATE_OR_REPLACE);
        }
        case 3 -> {
          long inode = fs.lookup(directory, name).inode();
          fs.forget(inode, 1);
          write(inode, 0, content(1 + random.nextInt(2048), false));
        }
        default -> fs.unlink(directory, name);
      }
    } catch (FsException failure) {
      if (failure.error() != FsError.NOT_FOUND && failure.error() != FsError.EXISTS) {
        throw failure;
      }
    }
  }

  @Test
  void aFullHostRefusesWritersAndHarmsNothing() throws Exception {
    create(256L << 20, CompressionSetting.NONE);
    long kept = makeFile(FileSystem.ROOT_INODE, "kept");
    write(kept, 0, content(1 << 20, false));
    pool.commit();
    pool.device().limitHostSpace(pool.device().hostBytesUsed() + (8 << 20));
    long inode = makeFile(FileSystem.ROOT_INODE, "big");
    long written = fill(inode, 1 << 16, false);
    System.out.println("host full after " + (written >> 10) + " KiB");
    for (int i = 0; i < 200; i++) {
      String next = "n" + i;
      hadSpace(() -> makeFile(FileSystem.ROOT_INODE, next));
    }
    pool.commit();
    fs.unlink(FileSystem.ROOT_INODE, name("big"));
    pool.commit();
    write(kept, 0, content(1 << 20, false));
    pool.commit();
  }
}
