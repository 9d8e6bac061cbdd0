package io.cowfs.core.fs;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileType;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/** An inode of the reference model. Content is shared between copies until it is changed. */
final class ModelNode {
  final long inode;
  final FileType type;
  int mode;
  int uid;
  int gid;
  int nlink;
  int rdev;
  byte[] target;
  ModelNode parent;

  /** Names as Latin-1 text, one character for each byte. */
  final TreeMap<String, ModelNode> entries = new TreeMap<>();

  final TreeMap<String, byte[]> xattrs = new TreeMap<>();

  /** What stat showed when nothing has changed since; null after a change. */
  Attributes seen;

  private byte[] data = new byte[0];
  private int size;
  private boolean shared;

  ModelNode(long inode, FileType type) {
    this.inode = inode;
    this.type = type;
  }

  boolean isDirectory() {
    return type == FileType.DIRECTORY;
  }

  boolean isRegular() {
    return type == FileType.REGULAR;
  }

  int size() {
    return size;
  }

  byte byteAt(int index) {
    return data[index];
  }

  void write(int offset, byte[] source) {
    resize(Math.max(size, offset + source.length));
    System.arraycopy(source, 0, data, offset, source.length);
  }

  void resize(int newSize) {
    int room = newSize <= data.length ? data.length : Math.max(newSize, 2 * data.length);
    if (shared || room > data.length) {
      data = Arrays.copyOf(data, room);
      shared = false;
    }
    if (newSize < size) {
      Arrays.fill(data, newSize, size, (byte) 0);
    }
    size = newSize;
    seen = null;
  }

  void zero(int from, int to) {
    resize(size);
    Arrays.fill(data, Math.min(from, size), Math.min(to, size), (byte) 0);
  }

  byte[] read(int from, int to) {
    return Arrays.copyOfRange(data, from, to);
  }

  boolean hasContentOf(ModelNode other) {
    return type == other.type
        && Arrays.equals(data, 0, size, other.data, 0, other.size)
        && Arrays.equals(target, other.target);
  }

  /** A deep copy; {@code copies} collects what was copied already. */
  ModelNode copy(Map<ModelNode, ModelNode> copies) {
    ModelNode known = copies.get(this);
    if (known != null) {
      return known;
    }
    ModelNode copy = new ModelNode(inode, type);
    copies.put(this, copy);
    copy.mode = mode;
    copy.uid = uid;
    copy.gid = gid;
    copy.nlink = nlink;
    copy.rdev = rdev;
    copy.target = target;
    copy.seen = seen;
    copy.parent = parent == null ? null : parent.copy(copies);
    copy.xattrs.putAll(xattrs);
    copy.data = data;
    copy.size = size;
    copy.shared = true;
    shared = true;
    entries.forEach((name, child) -> copy.entries.put(name, child.copy(copies)));
    return copy;
  }
}
