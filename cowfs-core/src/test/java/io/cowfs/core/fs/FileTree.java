package io.cowfs.core.fs;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.core.vfs.Timestamp;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** All that a file system shows, by path; what the paths are compared by is in the entries. */
final class FileTree {
  /**
   * What a path shows.
   *
   * @param twin the first path with the same inode; its own for most
   */
  record Entry(
      FileType type,
      int mode,
      int uid,
      int gid,
      int rdev,
      long size,
      Timestamp mtime,
      String content,
      String xattrs,
      String twin) {
    Entry withoutTimes() {
      return new Entry(type, mode, uid, gid, rdev, 0, null, content, xattrs, twin);
    }
  }

  final TreeMap<String, Entry> entries = new TreeMap<>();
  final Map<String, Attributes> attributes = new HashMap<>();
  private final FileSystem fs;
  private final String top;
  private final Map<Long, String> firstPaths = new HashMap<>();

  private FileTree(FileSystem fs, String top) {
    this.fs = fs;
    this.top = top;
  }

  /** Reads everything at and below a path, {@code ""} for the root; paths begin with a slash. */
  static FileTree read(FileSystem fs, String top) throws FsException {
    FileTree tree = new FileTree(fs, top);
    tree.add("", FileSystem.ROOT_INODE);
    return tree;
  }

  static boolean isInside(String path, String top) {
    return path.equals(top) || path.startsWith(top + "/");
  }

  /** What is at or below the path that was asked for, and directories above it. */
  private void add(String path, long inode) throws FsException {
    boolean inside = isInside(path, top);
    if (inside) {
      Attributes shown = fs.getAttributes(inode);
      String twin = firstPaths.computeIfAbsent(inode, number -> path);
      attributes.put(path, shown);
      entries.put(
          path,
          new Entry(
              shown.type(),
              shown.mode(),
              shown.uid(),
              shown.gid(),
              shown.rdev(),
              shown.size(),
              shown.mtime(),
              content(shown),
              xattrs(inode),
              shown.type() == FileType.DIRECTORY ? path : twin));
    }
    if (fs.getAttributes(inode).type() == FileType.DIRECTORY) {
      Map<String, Long> children = list(fs, inode);
      for (Map.Entry<String, Long> child : children.entrySet()) {
        String below = path + "/" + child.getKey();
        if (isInside(below, top) || isInside(top, below)) {
          add(below, child.getValue());
        }
      }
    }
  }

  static Map<String, Long> list(FileSystem fs, long inode) throws FsException {
    TreeMap<String, Long> children = new TreeMap<>();
    FileHandle handle = fs.openDirectory(inode, OpenFlags.READ_ONLY);
    fs.readDirectory(
        handle,
        0,
        (name, number, type, next) -> {
          String text = Model.text(name);
          if (!text.equals(".") && !text.equals("..")) {
            children.put(text, number);
          }
          return true;
        });
    fs.release(handle);
    return children;
  }

  private String content(Attributes shown) throws FsException {
    return switch (shown.type()) {
      case SYMLINK -> Model.text(fs.readSymlink(shown.inode()));
      case REGULAR -> Integer.toHexString(Arrays.hashCode(read(fs, shown)));
      default -> "";
    };
  }

  static byte[] read(FileSystem fs, Attributes shown) throws FsException {
    ByteBuffer buffer = ByteBuffer.allocate((int) shown.size());
    FileHandle handle =
        fs.open(shown.inode(), java.util.Set.of(OpenFlags.READ, OpenFlags.NO_ATIME));
    try {
      while (buffer.hasRemaining()) {
        int count = fs.read(handle, buffer.position(), buffer.remaining(), buffer);
        if (count == 0) {
          throw new AssertionError("inode " + shown.inode() + " ends at " + buffer.position());
        }
      }
    } finally {
      fs.release(handle);
    }
    return buffer.array();
  }

  private String xattrs(long inode) throws FsException {
    TreeMap<String, Integer> found = new TreeMap<>();
    String list = Model.text(fs.listXattrs(inode));
    for (String name : list.isEmpty() ? new String[0] : list.split("\0")) {
      found.put(name, Arrays.hashCode(fs.getXattr(inode, Model.bytes(name))));
    }
    return found.toString();
  }

  /** The same as a model, with the inodes that the file system has now. The root was read. */
  Model model() throws FsException {
    Map<Long, ModelNode> nodes = new HashMap<>();
    for (Map.Entry<String, Entry> entry : entries.entrySet()) {
      Attributes shown = attributes.get(entry.getKey());
      ModelNode node = nodes.get(shown.inode());
      if (node == null) {
        node = node(shown);
        nodes.put(shown.inode(), node);
      }
      int slash = entry.getKey().lastIndexOf('/');
      if (slash < 0) {
        node.parent = node;
      } else {
        ModelNode parent = nodes.get(attributes.get(entry.getKey().substring(0, slash)).inode());
        parent.entries.put(entry.getKey().substring(slash + 1), node);
        node.parent = parent;
      }
    }
    return new Model(nodes.get(FileSystem.ROOT_INODE));
  }

  private ModelNode node(Attributes shown) throws FsException {
    ModelNode node = new ModelNode(shown.inode(), shown.type());
    node.mode = shown.mode() & 07777;
    node.uid = shown.uid();
    node.gid = shown.gid();
    node.nlink = shown.nlink();
    node.rdev = shown.rdev();
    if (node.isRegular()) {
      node.write(0, read(fs, shown));
    } else if (node.type == FileType.SYMLINK) {
      node.target = fs.readSymlink(node.inode);
    }
    String list = Model.text(fs.listXattrs(node.inode));
    for (String name : list.isEmpty() ? new String[0] : list.split("\0")) {
      node.xattrs.put(name, fs.getXattr(node.inode, Model.bytes(name)));
    }
    return node;
  }
}
