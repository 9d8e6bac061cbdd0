package io.cowfs.core.fs;

import io.cowfs.core.block.CorruptBlockException;
import io.cowfs.core.btree.Tree;
import io.cowfs.core.vfs.FileSystem;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Finds paths in one committed tree by its back references. Remembers the paths of the directories
 * used last, within a bound. Belongs to one thread; the tree must stay.
 */
final class TreePaths {
  private static final int CACHE_BYTES_MAX = 4 << 20;

  /** What an entry takes besides its path; roughly. */
  private static final int ENTRY_OVERHEAD_BYTES = 120;

  private static final byte[] ROOT = new byte[0];
  private static final byte[] CUT = {'.', '.', '.'};

  private final Tree tree;
  private final Map<Long, byte[]> directories = new LinkedHashMap<>(64, 0.75f, true);
  private long cacheBytes;

  /** A directory on the way up, by the one name it has. */
  private record Step(long directory, byte[] name) {}

  TreePaths(Tree tree) {
    this.tree = tree;
  }

  /** The path of a name in a directory. */
  byte[] path(DirectoryItems.Link link) throws IOException {
    return append(directory(link.parent()), link.name());
  }

  /** The path of a directory; empty for the root. */
  private byte[] directory(long inode) throws IOException {
    Deque<Step> below = new ArrayDeque<>();
    byte[] path = null;
    long at = inode;
    // The bound also ends the way round a damaged tree in which directories contain each other.
    for (int bytes = 0; path == null; ) {
      path = at == FileSystem.ROOT_INODE ? ROOT : directories.get(at);
      if (path == null) {
        DirectoryItems.Link link = nameOf(at);
        below.push(new Step(at, link.name()));
        bytes += 1 + link.name().length;
        path = bytes > FileChange.PATH_BYTES_MAX ? CUT : null;
        at = link.parent();
      }
    }
    while (!below.isEmpty()) {
      Step step = below.pop();
      path = append(path, step.name());
      remember(step.directory(), path);
    }
    return path;
  }

  private DirectoryItems.Link nameOf(long directory) throws IOException {
    var links = DirectoryItems.linksOf(tree, directory);
    if (links.size() != 1) {
      throw new CorruptBlockException(
          "directory %d has %d names".formatted(directory, links.size()));
    }
    return links.get(0);
  }

  private static byte[] append(byte[] directory, byte[] name) {
    int length = directory.length + 1 + name.length;
    byte[] path = Arrays.copyOf(directory, length);
    path[directory.length] = '/';
    System.arraycopy(name, 0, path, directory.length + 1, name.length);
    return length <= FileChange.PATH_BYTES_MAX ? path : cut(path);
  }

  /** Leaves out names at the beginning. */
  private static byte[] cut(byte[] path) {
    int from = path.length - FileChange.PATH_BYTES_MAX + CUT.length;
    while (path[from] != '/') {
      from++;
    }
    byte[] shorter = Arrays.copyOf(CUT, CUT.length + path.length - from);
    System.arraycopy(path, from, shorter, CUT.length, path.length - from);
    return shorter;
  }

  private void remember(long directory, byte[] path) {
    byte[] before = directories.put(directory, path);
    cacheBytes += path.length + ENTRY_OVERHEAD_BYTES;
    cacheBytes -= before == null ? 0 : before.length + ENTRY_OVERHEAD_BYTES;
    var eldest = directories.entrySet().iterator();
    while (cacheBytes > CACHE_BYTES_MAX) {
      cacheBytes -= eldest.next().getValue().length + ENTRY_OVERHEAD_BYTES;
      eldest.remove();
    }
  }
}
