package io.cowfs.core.fs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.block.BlockPointer;
import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.NodeVisitor;
import io.cowfs.core.codec.Compression;
import io.cowfs.core.codec.CompressionSetting;
import io.cowfs.core.pool.TestPool;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystem.AllocationMode;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.core.vfs.XattrMode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A node of a tree that is damaged in both places is an error of those who need it. No change gets
 * into a commit that cannot be made because of it, which would suspend the whole pool.
 */
class DamagedTreeTest {
  private static final Set<OpenFlags> READ_WRITE = EnumSet.of(OpenFlags.READ, OpenFlags.WRITE);
  private static final int DIRECTORIES = 3;
  private static final int FILES = 60;

  /** At every so many bytes, a fragmented file has a sector: two leaves are near each other. */
  private static final long FRAGMENT_STEP = 8 << 10;

  private static final int FRAGMENTS = 1000;
  private static final int LARGE_VALUE_BYTES = 60_000;
  private static final int LEAVES = 24;

  @TempDir Path directory;
  private TestPool pool;

  private interface Operation {
    void run(FileSystem fs, long directory) throws FsException;
  }

  @BeforeEach
  void create() throws IOException {
    pool =
        TestPool.create(
            directory.resolve("pool"), 128L << 20, CompressionSetting.NONE, TestPool.ON_DEMAND);
  }

  @AfterEach
  void close() {
    pool.closeAfterFailure();
  }

  /** Flips a bit in all places of a node; once more, and it is mended. */
  private void damage(BlockPointer node) {
    for (int i = 0; i < node.places(); i++) {
      pool.device().flipBit(node.place(i) * BlockPointer.SECTOR_BYTES + 100, 3);
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static void write(FileSystem fs, FileHandle file, long offset, int length)
      throws FsException {
    fs.write(Caller.ROOT, file, offset, ByteBuffer.allocate(length), false);
  }

  private static void setXattr(FileSystem fs, long inode, String name, int length)
      throws FsException {
    fs.setXattr(inode, bytes(name), new byte[length], XattrMode.CREATE_OR_REPLACE);
  }

  private static FileHandle open(FileSystem fs, long parent, String name) throws FsException {
    return fs.open(fs.lookup(parent, bytes(name)).inode(), READ_WRITE);
  }

  private static void truncate(FileSystem fs, long parent, String name, long size)
      throws FsException {
    AttributeChange change = new AttributeChange(null, null, null, size, null, null, null, false);
    fs.setAttributes(Caller.ROOT, fs.lookup(parent, bytes(name)).inode(), null, change);
  }

  private static void chmod(FileSystem fs, long parent, String name) throws FsException {
    AttributeChange change = new AttributeChange(0600, null, null, null, null, null, null, false);
    fs.setAttributes(Caller.ROOT, fs.lookup(parent, bytes(name)).inode(), null, change);
  }

  /** What a tree consists of, each from left to right. */
  private static final class Nodes implements NodeVisitor {
    final List<BlockPointer> inner = new ArrayList<>();
    final List<BlockPointer> leaves = new ArrayList<>();

    /** Leaves that have more than parts of large attributes. */
    final List<BlockPointer> mixedLeaves = new ArrayList<>();

    private boolean isMixed;

    @Override
    public void item(Key key, byte[] source, int offset, int length) {
      isMixed |= key.kind() != Items.XATTR_VALUE;
    }

    @Override
    public void node(BlockPointer pointer, int level) {
      (level > 0 ? inner : leaves).add(pointer);
      if (level == 0 && isMixed) {
        mixedLeaves.add(pointer);
      }
      isMixed = false;
    }
  }

  private Nodes nodesOfTree() throws IOException {
    Nodes nodes = new Nodes();
    pool.liveTree("root").walk(-1, nodes);
    return nodes;
  }

  private void fill() throws Exception {
    FileSystem fs = pool.fileSystem();
    for (int d = 0; d < DIRECTORIES; d++) {
      long parent = fs.makeDirectory(Caller.ROOT, 1, bytes("d" + d), 0755).inode();
      for (int i = 0; i < FILES; i++) {
        FileHandle file = fs.create(Caller.ROOT, parent, bytes("f" + i), 0644, Set.of()).handle();
        write(fs, file, 0, i % 3 == 0 ? 100 : 20_000);
        setXattr(fs, file.inode(), "user.small", 200 + i);
        setXattr(fs, file.inode(), "user.large", LARGE_VALUE_BYTES);
        fs.release(file);
      }
      for (int i = 0; i < 3; i++) {
        FileHandle file = fs.create(Caller.ROOT, parent, bytes("g" + i), 0644, Set.of()).handle();
        for (int fragment = 0; fragment < FRAGMENTS; fragment++) {
          write(fs, file, fragment * FRAGMENT_STEP, 4096);
        }
        fs.release(file);
      }
    }
    pool.commit();
  }

  /** Each on files of its own. */
  private static Map<String, Operation> operations() {
    Map<String, Operation> all = new LinkedHashMap<>();
    all.put("overwrite", (fs, dir) -> write(fs, open(fs, dir, "f1"), 8192, 5000));
    all.put("append", (fs, dir) -> write(fs, open(fs, dir, "f2"), 20_480, 5000));
    all.put("append to inline data", (fs, dir) -> write(fs, open(fs, dir, "f3"), 100, 9000));
    all.put("write far away", (fs, dir) -> write(fs, open(fs, dir, "f4"), 10 << 20, 5000));
    all.put("truncate", (fs, dir) -> truncate(fs, dir, "f5", 100));
    all.put(
        "rename", (fs, dir) -> fs.rename(dir, bytes("f7"), dir, bytes("r"), RenameMode.REPLACE));
    all.put(
        "replace", (fs, dir) -> fs.rename(dir, bytes("f8"), dir, bytes("f10"), RenameMode.REPLACE));
    all.put("link", (fs, dir) -> fs.link(fs.lookup(dir, bytes("f11")).inode(), dir, bytes("l")));
    all.put("unlink", (fs, dir) -> fs.unlink(dir, bytes("f13")));
    all.put(
        "unlink what is open",
        (fs, dir) -> {
          FileHandle file = open(fs, dir, "f14");
          fs.unlink(dir, bytes("f14"));
          write(fs, file, 8192, 5000);
        });
    all.put(
        "small attribute",
        (fs, dir) -> setXattr(fs, fs.lookup(dir, bytes("f16")).inode(), "user.more", 9));
    all.put(
        "large attribute",
        (fs, dir) ->
            setXattr(fs, fs.lookup(dir, bytes("f17")).inode(), "user.more", LARGE_VALUE_BYTES));
    all.put(
        "another large attribute",
        (fs, dir) ->
            setXattr(fs, fs.lookup(dir, bytes("f20")).inode(), "user.more", LARGE_VALUE_BYTES));
    all.put(
        "replace a large attribute",
        (fs, dir) -> setXattr(fs, fs.lookup(dir, bytes("f40")).inode(), "user.large", 40_000));
    all.put(
        "remove a large attribute",
        (fs, dir) -> fs.removeXattr(fs.lookup(dir, bytes("f0")).inode(), bytes("user.large")));
    all.put(
        "copy",
        (fs, dir) -> {
          FileSystem.Copy copy =
              new FileSystem.Copy(open(fs, dir, "g0"), 0, open(fs, dir, "f19"), 0, 10 << 20);
          fs.copyRange(Caller.ROOT, copy, false);
        });
    all.put(
        "overwrite fragments",
        (fs, dir) -> {
          FileHandle file = open(fs, dir, "g0");
          for (int i = 0; i < FRAGMENTS; i += 90) {
            write(fs, file, i * FRAGMENT_STEP, 4096);
          }
        });
    all.put(
        "overwrite other fragments",
        (fs, dir) -> {
          FileHandle file = open(fs, dir, "g0");
          FsException last = null;
          for (int i = 0; i < FRAGMENTS; i += 50) {
            try {
              write(fs, file, i * FRAGMENT_STEP + 4096, 4096);
            } catch (FsException damaged) {
              last = damaged; // those on both sides of it go on
            }
          }
          if (last != null) {
            throw last;
          }
        });
    all.put("change the mode", (fs, dir) -> chmod(fs, dir, "f22"));
    all.put(
        "unlink and create again",
        (fs, dir) -> {
          fs.unlink(dir, bytes("f23"));
          fs.create(Caller.ROOT, dir, bytes("f23"), 0644, Set.of());
        });
    all.put("append to fragments", (fs, dir) -> write(fs, open(fs, dir, "g0"), 30 << 20, 5000));
    all.put(
        "punch a hole",
        (fs, dir) ->
            fs.allocate(open(fs, dir, "g0"), AllocationMode.PUNCH_HOLE, 2_000_000, 6_000_000));
    all.put(
        "allocate",
        (fs, dir) ->
            fs.allocate(open(fs, dir, "g0"), AllocationMode.RESERVE, 2_000_000, 18_000_000));
    all.put("truncate fragments", (fs, dir) -> truncate(fs, dir, "g1", 5_000_000));
    all.put("unlink fragments", (fs, dir) -> fs.unlink(dir, bytes("g2")));
    all.put("create", (fs, dir) -> fs.create(Caller.ROOT, dir, bytes("new"), 0644, Set.of()));
    all.put(
        "make an unnamed file", (fs, dir) -> fs.createUnnamed(Caller.ROOT, dir, 0644, Set.of()));
    all.put("mkdir", (fs, dir) -> fs.makeDirectory(Caller.ROOT, dir, bytes("directory"), 0755));
    all.put("symlink", (fs, dir) -> fs.makeSymlink(Caller.ROOT, dir, bytes("s"), bytes("target")));
    return all;
  }

  /** How many changes were refused while a node was damaged, after each of them was committed. */
  private int changeEverything(BlockPointer damaged) throws IOException {
    FileSystem fs = pool.fileSystem();
    int refused = 0;
    for (Map.Entry<String, Operation> operation : operations().entrySet()) {
      for (int d = 0; d < DIRECTORIES; d++) {
        try {
          operation.getValue().run(fs, fs.lookup(1, bytes("d" + d)).inode());
        } catch (FsException failure) {
          assertEquals(FsError.IO, failure.error(), operation.getKey());
          refused++;
        }
        try {
          pool.commit();
        } catch (IOException failure) {
          throw new IOException(operation.getKey() + ", node " + damaged, failure);
        }
      }
    }
    return refused;
  }

  /** Some leaves, and all nodes above them. */
  private List<BlockPointer> someNodes() throws IOException {
    long seed = Long.getLong("cowfs.test.seed", System.nanoTime());
    System.out.println("DamagedTreeTest seed " + seed);
    Random random = new Random(seed);
    Nodes all = nodesOfTree();
    assertTrue(all.inner.size() > 2, "three levels");
    List<BlockPointer> some = new ArrayList<>(all.inner);
    Collections.shuffle(all.leaves, random);
    some.addAll(all.leaves.subList(0, LEAVES / 3));
    Collections.shuffle(all.mixedLeaves, random);
    some.addAll(all.mixedLeaves.subList(0, LEAVES));
    return some;
  }

  /** Whether inodes are in memory before a node is damaged. */
  private enum Inodes {
    KNOWN,
    UNKNOWN
  }

  private void know() throws Exception {
    FileSystem fs = pool.fileSystem();
    for (int d = 0; d < DIRECTORIES; d++) {
      long parent = fs.lookup(1, bytes("d" + d)).inode();
      for (int i = 0; i < FILES; i++) {
        fs.lookup(parent, bytes("f" + i));
      }
      for (int i = 0; i < 3; i++) {
        fs.lookup(parent, bytes("g" + i));
      }
    }
    pool.dropCaches();
  }

  @ParameterizedTest
  @EnumSource
  void noChangeThatMeetsADamagedNodeSuspendsThePool(Inodes inodes) throws Exception {
    fill();
    List<BlockPointer> nodes = someNodes();
    pool.close();
    TestPool.Saved saved = pool.save();
    pool.open();
    int unopened = 0;
    int needed = 0;
    for (BlockPointer damaged : nodes) {
      pool.closeAfterFailure();
      pool.restore(saved);
      if (inodes == Inodes.KNOWN) {
        pool.open();
        know();
        damage(damaged);
      } else {
        damage(damaged);
        pool.open();
      }
      try {
        pool.fileSystem();
      } catch (CorruptBlockException noRoot) {
        unopened++;
        continue;
      }
      needed += changeEverything(damaged) > 0 ? 1 : 0;
      pool.close();
      damage(damaged);
      pool.open();
      pool.commit();
      assertEquals(List.of(), pool.findings(), () -> "mended, node " + damaged);
    }
    assertTrue(unopened <= 4, unopened + ": the way to the root directory");
    assertTrue(needed > nodes.size() / 3, needed + " of " + nodes.size());
  }

  @Test
  void aDatasetOpensWhereOrphansAreDamaged() throws Exception {
    FileSystem fs = pool.fileSystem();
    fs.create(Caller.ROOT, 1, bytes("file"), 0644, Set.of());
    for (int i = 0; i < 1500; i++) {
      fs.create(Caller.ROOT, 1, bytes("open"), 0644, Set.of());
      fs.unlink(1, bytes("open"));
    }
    pool.commit();
    pool.snapshot("s");
    BlockPointer orphans = nodesOfTree().leaves.get(0);
    // Closing frees them, and this puts them back.
    pool.rollback("s");
    damage(orphans);
    pool.reopen();

    FileSystem again = pool.fileSystem();
    write(again, open(again, 1, "file"), 0, 100);
    FsException refused = assertThrows(FsException.class, () -> again.unlink(1, bytes("file")));
    assertEquals(FsError.IO, refused.error(), "its orphan would be where the damage is");
    again.create(Caller.ROOT, 1, bytes("another"), 0644, Set.of());
    pool.commit();
  }

  @Test
  void aPoolWhoseLogCannotBeReplayedCanBeRead() throws Exception {
    FileSystem fs = pool.fileSystem();
    for (int i = 0; i < 2000; i++) {
      fs.release(fs.create(Caller.ROOT, 1, bytes("f" + i), 0644, Set.of()).handle());
    }
    pool.commit();
    FileHandle late = fs.create(Caller.ROOT, 1, bytes("late"), 0644, Set.of()).handle();
    write(fs, late, 0, 10_000);
    fs.sync(Caller.ROOT, late.inode(), false);
    List<BlockPointer> leaves = nodesOfTree().leaves;
    BlockPointer newest = leaves.get(leaves.size() - 1);
    pool.crash(new Random(1));
    damage(newest);

    pool.open();
    String state = pool.pool().status().state();
    assertTrue(state.startsWith("read-only: what was synced after the last commit"), state);
    FileSystem readable = pool.fileSystem();
    readable.lookup(1, bytes("f1"));
    FsException refused =
        assertThrows(
            FsException.class,
            () -> readable.create(Caller.ROOT, 1, bytes("another"), 0644, Set.of()));
    assertEquals(FsError.READ_ONLY, refused.error());
    pool.close();
    damage(newest);

    pool.open();
    assertEquals("active", pool.pool().status().state());
    FileSystem mended = pool.fileSystem();
    assertEquals(10_000, mended.lookup(1, bytes("late")).size());
    assertEquals(List.of(), pool.findings());
  }

  @Test
  void aPoolWhoseLogCutsADamagedExtentCanBeRead() throws Exception {
    pool.close();
    pool =
        TestPool.create(
            directory.resolve("compressed"),
            64L << 20,
            new CompressionSetting(Compression.LZ4, 0),
            TestPool.ON_DEMAND);
    FileSystem fs = pool.fileSystem();
    FileHandle file = fs.create(Caller.ROOT, 1, bytes("file"), 0644, Set.of()).handle();
    write(fs, file, 0, 128 << 10);
    pool.commit();
    List<DataExtent> extents = new ArrayList<>();
    pool.liveTree("root")
        .scan(
            Items.extent(file.inode(), 0),
            Items.extent(file.inode(), -1L),
            (key, source, offset, length) ->
                extents.add(DataExtentFormat.decode(ByteBuffer.wrap(source, offset, length))));
    assertEquals(Compression.LZ4, extents.get(0).compression());
    write(fs, file, 8192, 4096);
    fs.sync(Caller.ROOT, file.inode(), false);
    pool.crash(new Random(1));
    pool.rot(extents.get(0), 20, 3);

    pool.open();
    String state = pool.pool().status().state();
    assertTrue(state.startsWith("read-only: what was synced after the last commit"), state);
    pool.fileSystem().lookup(1, bytes("file"));
    pool.close();
    pool.rot(extents.get(0), 20, 3);
    pool.open();
    assertEquals("active", pool.pool().status().state());
    assertEquals(List.of(), pool.findings());
  }
}
