package io.cowfs.core.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.DirectoryVisitor;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystemStatus;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

/** What a file system should contain, below one directory. */
final class Model {
  final ModelNode root;

  Model(long rootInode) {
    this(new ModelNode(rootInode, FileType.DIRECTORY));
    root.nlink = 2;
    root.parent = root;
  }

  Model(ModelNode root) {
    this.root = root;
  }

  /** A copy that later changes do not touch. */
  Model copy() {
    return new Model(root.copy(new HashMap<>()));
  }

  /** All inodes that have a name, and the root; in an order that depends on the names only. */
  List<ModelNode> all() {
    List<ModelNode> found = new ArrayList<>(List.of(root));
    Set<ModelNode> met = new HashSet<>(found);
    for (int i = 0; i < found.size(); i++) {
      for (ModelNode child : found.get(i).entries.values()) {
        if (met.add(child)) {
          found.add(child);
        }
      }
    }
    return found;
  }

  /** Every inode by its number. */
  Map<Long, ModelNode> byInode() {
    Map<Long, ModelNode> map = new HashMap<>();
    all().forEach(node -> map.put(node.inode, node));
    return map;
  }

  static String text(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  static byte[] bytes(String name) {
    return name.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** Compares everything below the root. */
  void compare(FileSystem fs, Random random) throws FsException {
    compare(fs, random, failure -> false);
  }

  /** The same, but inodes that cannot be read because of damage are passed over and counted. */
  int compareWhatIsWhole(FileSystem fs, Random random) throws FsException {
    return compare(fs, random, failure -> failure.error() == FsError.IO);
  }

  private int compare(FileSystem fs, Random random, Predicate<FsException> isPassedOver)
      throws FsException {
    int passedOver = 0;
    List<String> paths = new ArrayList<>(List.of(""));
    List<ModelNode> nodes = new ArrayList<>(List.of(root));
    Set<ModelNode> met = new HashSet<>(nodes);
    for (int i = 0; i < nodes.size(); i++) {
      String path = paths.get(i);
      ModelNode node = nodes.get(i);
      try {
        compareNode(fs, node, path, random);
      } catch (FsException failure) {
        if (!isPassedOver.test(failure)) {
          throw new AssertionError(path + " (inode " + node.inode + ")", failure);
        }
        passedOver++;
      }
      for (Map.Entry<String, ModelNode> entry : node.entries.entrySet()) {
        if (met.add(entry.getValue())) {
          nodes.add(entry.getValue());
          paths.add(path + "/" + entry.getKey());
        }
      }
    }
    return passedOver;
  }

  /** The file system has no other files than those of the model. */
  void compareCount(FileSystem fs) throws FsException {
    FileSystemStatus status = fs.status();
    assertEquals(all().size(), status.files() - status.freeFiles(), "files");
  }

  private static void compareNode(FileSystem fs, ModelNode node, String path, Random random)
      throws FsException {
    compareAttributes(node, fs.getAttributes(node.inode), path);
    compareXattrs(fs, node, path);
    if (node.isDirectory()) {
      compareDirectory(fs, node, path, random);
    } else if (node.isRegular()) {
      FileHandle handle = fs.open(node.inode, OpenFlags.READ_ONLY);
      try {
        compareContent(fs, handle, node, path, 0, node.size() + 10);
      } finally {
        fs.release(handle);
      }
    } else if (node.type == FileType.SYMLINK) {
      assertArrayEquals(node.target, fs.readSymlink(node.inode), path);
    }
  }

  static void compareAttributes(ModelNode node, Attributes actual, String path) {
    assertEquals(node.inode, actual.inode(), path);
    assertEquals(node.type, actual.type(), path);
    assertEquals(node.mode, actual.mode() & 07777, path + ": mode");
    assertEquals(node.uid, actual.uid(), path + ": uid");
    assertEquals(node.gid, actual.gid(), path + ": gid");
    assertEquals(node.nlink, actual.nlink(), path + ": nlink");
    assertEquals(node.rdev, actual.rdev(), path + ": rdev");
    long size =
        node.isDirectory()
            ? node.entries.size() + 2
            : node.type == FileType.SYMLINK ? node.target.length : node.size();
    assertEquals(size, actual.size(), path + ": size");
    Attributes seen = node.seen;
    if (seen != null) {
      assertEquals(seen.mtime(), actual.mtime(), path + ": mtime");
      assertEquals(seen.ctime(), actual.ctime(), path + ": ctime");
      assertEquals(seen.btime(), actual.btime(), path + ": btime");
    }
    node.seen = actual;
  }

  static void compareContent(
      FileSystem fs, FileHandle handle, ModelNode node, String path, long offset, int length)
      throws FsException {
    ByteBuffer buffer =
        length % 2 == 0 ? ByteBuffer.allocate(length + 3) : ByteBuffer.allocateDirect(length + 3);
    buffer.position(3);
    int count = fs.read(handle, offset, length, buffer);
    int expected = (int) Math.max(0, Math.min(length, node.size() - offset));
    assertEquals(expected, count, path + ": bytes read at " + offset);
    assertEquals(3 + count, buffer.position(), path + ": the buffer's position");
    byte[] content = new byte[count];
    buffer.get(3, content);
    byte[] wanted = count == 0 ? content : node.read((int) offset, (int) offset + count);
    int mismatch = java.util.Arrays.mismatch(wanted, content);
    if (mismatch >= 0) {
      throw new AssertionError(
          "%s (inode %d): differs at %d (sector %d + %d): expected %d, found %d; size %d"
              .formatted(
                  path,
                  node.inode,
                  offset + mismatch,
                  (offset + mismatch) / 4096,
                  (offset + mismatch) % 4096,
                  wanted[mismatch],
                  content[mismatch],
                  node.size()));
    }
  }

  static void compareXattrs(FileSystem fs, ModelNode node, String path) throws FsException {
    TreeMap<String, byte[]> actual = new TreeMap<>();
    String list = text(fs.listXattrs(node.inode));
    for (String name : list.isEmpty() ? new String[0] : list.split("\0")) {
      byte[] before = actual.put(name, fs.getXattr(node.inode, bytes(name)));
      assertEquals(null, before, path + ": listed twice: " + name);
    }
    assertEquals(node.xattrs.keySet(), actual.keySet(), path + ": xattrs");
    node.xattrs.forEach(
        (name, value) -> assertArrayEquals(value, actual.get(name), path + ": xattr " + name));
  }

  static void compareDirectory(FileSystem fs, ModelNode node, String path, Random random)
      throws FsException {
    TreeMap<String, Long> expected =
        new TreeMap<>(Map.of(".", node.inode, "..", node.parent.inode));
    node.entries.forEach((name, child) -> expected.put(name, child.inode));
    TreeMap<String, Long> actual = new TreeMap<>();
    FileHandle handle = fs.openDirectory(node.inode, OpenFlags.READ_ONLY);
    try {
      long[] cookie = {0};
      int[] room = {0};
      boolean[] full = {true};
      DirectoryVisitor visitor =
          (name, inode, type, next) -> {
            if (room[0]-- == 0) {
              full[0] = true;
              return false;
            }
            if (next <= cookie[0]) {
              throw new AssertionError(path + ": cookies do not ascend");
            }
            cookie[0] = next;
            String text = text(name);
            ModelNode child = node.entries.get(text);
            assertEquals(child == null ? FileType.DIRECTORY : child.type, type, path + "/" + text);
            assertEquals(null, actual.put(text, inode), path + ": visited twice: " + text);
            return true;
          };
      while (full[0]) {
        full[0] = false;
        room[0] = 1 + random.nextInt(40);
        fs.readDirectory(handle, cookie[0], visitor);
      }
    } finally {
      fs.release(handle);
    }
    assertEquals(expected, actual, path + ": entries");
  }
}
