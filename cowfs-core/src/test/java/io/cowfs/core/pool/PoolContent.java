package io.cowfs.core.pool;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.cowfs.core.dataset.DatasetInfo;
import io.cowfs.core.dataset.NodeKind;
import io.cowfs.core.fs.SnapshotRights;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileType;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Everything that can be read of a pool: all datasets with all files of their snapshots. What
 * cannot be read because it is damaged is kept as such. Confined to one thread.
 */
final class PoolContent {
  private static final Set<OpenFlags> READ = Set.of(OpenFlags.READ, OpenFlags.NO_ATIME);
  private static final byte[] DAMAGED = {};

  /** By what was read, for instance {@code data root/directory/file}. */
  private final Map<String, byte[]> found = new TreeMap<>();

  private int damaged;

  private PoolContent() {}

  /**
   * Reads a pool that is open.
   *
   * @throws IOException when there is no reading at all of a dataset
   */
  static PoolContent read(Pool pool) throws IOException {
    PoolContent content = new PoolContent();
    content.put("list", pool.list().toString().getBytes(UTF_8));
    for (DatasetInfo info : pool.list()) {
      if (info.kind() == NodeKind.HEAD) {
        String name = info.dataset();
        content.put(
            "properties " + name,
            pool.administration().properties(name, null).toString().getBytes(UTF_8));
        content.readDataset(name, pool.browsableFileSystem(name, SnapshotRights.OWNER));
      }
    }
    return content;
  }

  /** How many files and directories could not be read whole. */
  int damaged() {
    return damaged;
  }

  /** How many bytes of files were read. */
  long bytes() {
    return found.values().stream().mapToLong(bytes -> bytes.length).sum();
  }

  /** What is different from a pool that is whole, but for damage; null when nothing is. */
  String differenceFrom(PoolContent good) {
    for (Map.Entry<String, byte[]> each : found.entrySet()) {
      byte[] expected = good.found.get(each.getKey());
      if (expected == null) {
        return "there is no '" + each.getKey() + "'";
      }
      if (each.getValue() != DAMAGED && !Arrays.equals(expected, each.getValue())) {
        return "'" + each.getKey() + "' is wrong";
      }
    }
    for (String expected : good.found.keySet()) {
      if (!found.containsKey(expected) && !isBelowDamage(expected)) {
        return "'" + expected + "' is missing";
      }
    }
    return null;
  }

  private boolean isBelowDamage(String what) {
    String path = what.substring(what.indexOf(' ') + 1);
    for (int end = path.length(); end > 0; end = path.lastIndexOf('/', end - 1)) {
      String above = path.substring(0, end);
      if (found.get("data " + above) == DAMAGED || found.get("attributes " + above) == DAMAGED) {
        return true;
      }
    }
    return false;
  }

  private void put(String what, byte[] value) {
    if (found.put(what, value) != null) {
      throw new AssertionError("'" + what + "' is there twice");
    }
  }

  private interface Reading {
    byte[] read() throws FsException;
  }

  /** False when it is damaged. Nothing that is there may be said not to be. */
  private boolean put(String what, Reading reading) {
    try {
      put(what, reading.read());
      return true;
    } catch (FsException failure) {
      if (failure.error() != FsError.IO) {
        throw new AssertionError(what + ": " + failure.getMessage(), failure);
      }
      put(what, DAMAGED);
      damaged++;
      return false;
    }
  }

  private void readDataset(String name, FileSystem fs) throws IOException {
    readInode(fs, name, FileSystem.ROOT_INODE);
    Map<String, Long> snapshots = new LinkedHashMap<>();
    put(
        "data " + name + "/.cowfs",
        () -> {
          long control = found(fs, FileSystem.ROOT_INODE, ".cowfs");
          snapshots.putAll(list(fs, found(fs, control, "snapshot")));
          return snapshots.keySet().toString().getBytes(UTF_8);
        });
    for (String snapshot : snapshots.keySet()) {
      long[] root = new long[1];
      String path = name + "/.cowfs/" + snapshot;
      if (put(
          "found " + path,
          () -> {
            long control = found(fs, FileSystem.ROOT_INODE, ".cowfs");
            root[0] = found(fs, found(fs, control, "snapshot"), snapshot);
            return new byte[1];
          })) {
        readInode(fs, path, root[0]);
      }
    }
  }

  private void readInode(FileSystem fs, String path, long inode) {
    Attributes[] read = new Attributes[1];
    if (!put(
        "attributes " + path,
        () -> {
          read[0] = fs.getAttributes(inode);
          return text(read[0]);
        })) {
      return;
    }
    Attributes shown = read[0];
    put("xattrs " + path, () -> xattrs(fs, inode));
    if (shown.type() == FileType.REGULAR) {
      put("data " + path, () -> read(fs, shown));
    } else if (shown.type() == FileType.SYMLINK) {
      put("data " + path, () -> fs.readSymlink(inode));
    } else if (shown.isDirectory()) {
      Map<String, Long> children = new LinkedHashMap<>();
      put(
          "data " + path,
          () -> {
            children.putAll(list(fs, inode));
            return children.keySet().toString().getBytes(UTF_8);
          });
      children.keySet().removeIf(child -> child.equals(".cowfs"));
      for (String child : children.keySet()) {
        long[] found = new long[1];
        String below = path + "/" + child;
        if (put(
            "found " + below,
            () -> {
              found[0] = found(fs, inode, child);
              return new byte[1];
            })) {
          readInode(fs, below, found[0]);
        }
      }
    }
  }

  private static long found(FileSystem fs, long directory, String name) throws FsException {
    long inode = fs.lookup(directory, name.getBytes(UTF_8)).inode();
    fs.forget(inode, 1);
    return inode;
  }

  /** But for the inode number, which is not stable in snapshots. */
  private static byte[] text(Attributes of) {
    return "%o %d %d %d %d %d %s %s %s"
        .formatted(
            of.mode(),
            of.nlink(),
            of.uid(),
            of.gid(),
            of.rdev(),
            of.size(),
            of.mtime(),
            of.ctime(),
            of.btime())
        .getBytes(UTF_8);
  }

  private static byte[] xattrs(FileSystem fs, long inode) throws FsException {
    String names = new String(fs.listXattrs(inode), UTF_8);
    StringBuilder all = new StringBuilder();
    for (String name : names.isEmpty() ? new String[0] : names.split("\0", -1)) {
      if (!name.isEmpty()) {
        all.append(name).append('=');
        all.append(Arrays.toString(fs.getXattr(inode, name.getBytes(UTF_8)))).append('\n');
      }
    }
    return all.toString().getBytes(UTF_8);
  }

  private static byte[] read(FileSystem fs, Attributes file) throws FsException {
    FileHandle handle = fs.open(file.inode(), READ);
    try {
      ByteBuffer content = ByteBuffer.allocate((int) file.size());
      while (content.hasRemaining()) {
        int from = content.position();
        int wanted = Math.min(128 << 10, content.remaining());
        if (fs.read(handle, from, wanted, content) < 1) {
          throw new AssertionError("a file ends before its end");
        }
      }
      return content.array();
    } finally {
      fs.release(handle);
    }
  }

  private static Map<String, Long> list(FileSystem fs, long directory) throws FsException {
    Map<String, Long> entries = new LinkedHashMap<>();
    FileHandle handle = fs.openDirectory(directory, READ);
    try {
      fs.readDirectory(
          handle,
          0,
          (name, inode, type, cookie) -> {
            String text = new String(name, UTF_8);
            if (!text.equals(".") && !text.equals("..")) {
              entries.put(text, inode);
            }
            return true;
          });
      return entries;
    } finally {
      fs.release(handle);
    }
  }
}
