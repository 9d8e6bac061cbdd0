package io.cowfs.core.fs;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.cowfs.core.alloc.Allocator;
import io.cowfs.core.block.BlockStore;
import io.cowfs.core.block.CacheLimits;
import io.cowfs.core.block.DataExtent;
import io.cowfs.core.block.DataExtentFormat;
import io.cowfs.core.block.Repair;
import io.cowfs.core.btree.CraftedTree;
import io.cowfs.core.btree.Key;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.codec.SectorChecksums;
import io.cowfs.core.device.FaultInjectingDevice;
import io.cowfs.core.txg.TransactionalTree;
import io.cowfs.core.vfs.FileSystem.SeekTarget;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Reads a tree whose nodes are right and whose items are whatever the input says: of each, one byte
 * for the inode and the kind, two for the rest of the key, one for the size of the value.
 */
public final class TreeFuzz {
  private static final int INODES = 4;
  private static final int HEADER_BYTES = 4;

  /** The offset of an extent is given in these units: a quarter of a sector. */
  private static final int UNIT_BYTES = 1024;

  private static final int READ_BYTES_MAX = 600 << 10;

  private static final BlockStore STORE = store();

  private final Tree tree;
  private final DirectoryItems directories;
  private final DirectoryReads directoryReads;
  private final FileReads reads;
  private final FileSeek seek;
  private final XattrReads xattrs;

  private TreeFuzz(Tree tree) {
    TransactionalTree unchanged = new TransactionalTree(tree, 0, 1);
    this.tree = tree;
    this.directories = new DirectoryItems(unchanged);
    this.directoryReads =
        new DirectoryReads(unchanged, directories, new ReentrantReadWriteLock().readLock());
    this.reads = new FileReads(unchanged, STORE, null);
    this.seek = new FileSeek(unchanged);
    this.xattrs = new XattrReads(unchanged);
  }

  private static BlockStore store() {
    FaultInjectingDevice zeros = new FaultInjectingDevice(16 << 20);
    return new BlockStore(
        zeros,
        Repair.NEVER,
        Allocator.create(zeros),
        CacheLimits.DEFAULT,
        BlockStore.writingThreads());
  }

  /** Called by the fuzzer. */
  public static void fuzzerTestOneInput(byte[] input) {
    TreeMap<Key, byte[]> items = items(input);
    if (!items.isEmpty()) {
      new TreeFuzz(CraftedTree.of(items)).readAll();
    }
  }

  private static TreeMap<Key, byte[]> items(byte[] input) {
    TreeMap<Key, byte[]> items = new TreeMap<>();
    for (int at = 0; at + HEADER_BYTES <= input.length; ) {
      int kind = (input[at] & 0x3f) % (Items.ORPHAN + 1);
      long inode = 1 + (input[at] >> 6 & 3);
      long low = (input[at + 1] & 0xff) << 8 | input[at + 2] & 0xff;
      int length = Math.min(input[at + 3] & 0xff, input.length - at - HEADER_BYTES);
      at += HEADER_BYTES;
      items.put(
          new Key(inode, kind, kind == Items.EXTENT ? low * UNIT_BYTES : low),
          Arrays.copyOfRange(input, at, at + length));
      at += length;
    }
    return items;
  }

  private interface Part {
    void run() throws IOException, FsException;
  }

  private static void attempt(Part part) {
    try {
      part.run();
    } catch (FsException refused) {
      assertTrue(refused.getMessage() != null);
    } catch (IOException damaged) {
      assertEquals(1, damaged.getMessage().lines().count());
    }
  }

  private void readAll() {
    for (long number = 1; number <= INODES; number++) {
      long inode = number;
      attempt(() -> read(load(inode)));
      attempt(() -> xattrs(inode));
      attempt(() -> directories.linksOf(inode, 100));
      directories.pathOf(inode);
      DirectoryItems.pathsOf(tree, inode);
      for (long top = 1; top <= INODES; top++) {
        long other = top;
        attempt(() -> directories.isAtOrBelow(inode, other));
      }
    }
    VolumeAudit.run("crafted", tree, 1);
  }

  private Inode load(long number) throws IOException, FsException {
    byte[] value = tree.get(Items.inode(number));
    Inode inode = new Inode(number);
    inode.decode(value == null ? new byte[0] : value);
    return inode;
  }

  private void read(Inode inode) throws IOException, FsException {
    inode.attributes();
    switch (inode.type()) {
      case REGULAR -> {
        int first = (int) Math.min(inode.size, READ_BYTES_MAX);
        attempt(() -> read(inode, 0, first));
        attempt(() -> read(inode, first / 3, first - first / 3));
        attempt(() -> read(inode, inode.size - first / 2, first / 2));
        attempt(() -> seek.seek(inode, 0, SeekTarget.DATA));
        attempt(() -> seek.seek(inode, 0, SeekTarget.HOLE));
      }
      case SYMLINK -> assertTrue(reads.readSymlink(inode).length <= Creation.SYMLINK_BYTES_MAX);
      case DIRECTORY ->
          directoryReads.read(
              inode,
              0,
              (name, number, type, cookie) -> {
                assertTrue(number > 0 && type != null && cookie > 0);
                requireName(name);
                return true;
              });
      default -> {}
    }
  }

  private static void requireName(byte[] name) {
    try {
      DirectoryItems.checkName(name);
    } catch (FsException impossible) {
      throw new AssertionError("a name that cannot be is listed", impossible);
    }
  }

  private void read(Inode inode, long offset, int length) throws IOException {
    ByteBuffer destination = ByteBuffer.allocate(length);
    reads.read(inode, offset, length, destination);
    assertEquals(length, destination.position());
  }

  private void xattrs(long inode) throws IOException, FsException {
    byte[] names = xattrs.list(inode);
    for (int from = 0, to = 0; to < names.length; to++) {
      if (names[to] == 0) {
        byte[] name = Arrays.copyOfRange(names, from, to);
        attempt(() -> assertTrue(xattrs.get(inode, name).length <= Xattrs.VALUE_BYTES_MAX));
        assertTrue(name.length > 0, "an attribute without a name is listed");
        from = to + 1;
      }
    }
  }

  /** Inputs to begin with: what is whole, and what has been refused since it was met. */
  public static byte[][] seeds() {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    add(file, 1, Items.INODE, 0, inode(FileType.REGULAR, 300_000));
    add(file, 1, Items.EXTENT, 0, extent(200, 4));
    add(file, 1, Items.EXTENT, 16, extent(210, 2));
    add(file, 1, Items.EXTENT, 64, extent(204, 16));
    add(file, 1, Items.XATTR, 40, XattrFormat.encodeInline(bytes("user.a"), bytes("value")));
    add(file, 1, Items.XATTR, 48, XattrFormat.encodeExternal(bytes("user.b"), 3, 0));
    add(file, 1, Items.XATTR_VALUE, 0, bytes("abc"));
    ByteArrayOutputStream directory = new ByteArrayOutputStream();
    add(directory, 1, Items.INODE, 0, inode(FileType.DIRECTORY, 1));
    add(directory, 1, Items.DIRECTORY_ENTRY, 80, name(2, FileType.DIRECTORY, "below"));
    add(directory, 2, Items.INODE, 0, inode(FileType.DIRECTORY, 1));
    add(directory, 2, Items.BACK_REFERENCE, 80, name(1, null, "below"));
    add(directory, 2, Items.DIRECTORY_ENTRY, 80, name(3, FileType.SYMLINK, "link"));
    add(directory, 3, Items.INODE, 0, inode(FileType.SYMLINK, 6));
    add(directory, 3, Items.BACK_REFERENCE, 80, name(2, null, "link"));
    add(directory, 3, Items.SYMLINK, 0, bytes("target"));
    ByteArrayOutputStream circle = new ByteArrayOutputStream();
    add(circle, 2, Items.INODE, 0, inode(FileType.DIRECTORY, 1));
    add(circle, 2, Items.BACK_REFERENCE, 80, name(3, null, "a"));
    add(circle, 3, Items.INODE, 0, inode(FileType.DIRECTORY, 1));
    add(circle, 3, Items.BACK_REFERENCE, 80, name(2, null, "b"));
    ByteArrayOutputStream overlapping = new ByteArrayOutputStream();
    add(overlapping, 1, Items.INODE, 0, inode(FileType.REGULAR, 40_000));
    add(overlapping, 1, Items.EXTENT, 0, extent(200, 4));
    add(overlapping, 1, Items.EXTENT, 8, extent(210, 2));
    ByteArrayOutputStream unaligned = new ByteArrayOutputStream();
    add(unaligned, 1, Items.INODE, 0, inode(FileType.REGULAR, 40_000));
    add(unaligned, 1, Items.EXTENT, 1, extent(200, 4));
    ByteArrayOutputStream longLink = new ByteArrayOutputStream();
    add(longLink, 1, Items.INODE, 0, inode(FileType.SYMLINK, 5_000));
    for (int chunk = 0; chunk < 20; chunk++) {
      add(longLink, 1, Items.SYMLINK, chunk, new byte[250]);
    }
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    add(names, 1, Items.INODE, 0, inode(FileType.DIRECTORY, 1));
    add(names, 1, Items.DIRECTORY_ENTRY, 80, name(2, FileType.REGULAR, "../../etc"));
    add(names, 1, Items.XATTR, 40, XattrFormat.encodeInline(bytes("user.\0"), bytes("value")));
    return new byte[][] {
      file.toByteArray(),
      directory.toByteArray(),
      circle.toByteArray(),
      overlapping.toByteArray(),
      unaligned.toByteArray(),
      longLink.toByteArray(),
      names.toByteArray()
    };
  }

  private static void add(ByteArrayOutputStream input, int inode, int kind, int low, byte[] value) {
    input.writeBytes(new byte[] {(byte) (inode - 1 << 6 | kind), (byte) (low >> 8), (byte) low});
    input.write(value.length);
    input.writeBytes(value);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  private static byte[] name(long inode, FileType type, String name) {
    return NameFormat.encode(inode, type, bytes(name));
  }

  private static byte[] inode(FileType type, long size) {
    Inode inode = new Inode(1);
    inode.mode = type.format() | 0644;
    inode.nlink = 1;
    inode.size = size;
    inode.allocatedSectors = type == FileType.REGULAR ? 20 : 0;
    Timestamp now = new Timestamp(1_700_000_000, 5);
    inode.atime = now;
    inode.mtime = now;
    inode.ctime = now;
    inode.btime = now;
    return inode.encode();
  }

  /** The device has nothing but zeros. */
  private static byte[] extent(long sector, int sectors) {
    int[] checksums = new int[sectors];
    ByteBuffer zeros = ByteBuffer.allocate(sectors * SectorChecksums.SECTOR_BYTES);
    SectorChecksums.compute(zeros, 0, sectors, checksums, 0);
    return DataExtentFormat.encode(
        DataExtent.plain(sector, sectors * SectorChecksums.SECTOR_BYTES, 1, checksums));
  }
}
