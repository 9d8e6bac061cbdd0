package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.FileSystem;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Open files without a name, by the names that the library believes to have given them: {@code
 * .fuse_hidden}, its number for the file, and a number that it uses once, in hexadecimal. Nothing
 * of that exists in the file system, where the file is simply unlinked. Each has one reference
 * here. Thread-safe.
 */
final class HiddenFiles {
  private static final int NODE_ID_BEGIN = ".fuse_hidden".length();
  private static final int NODE_ID_END = NODE_ID_BEGIN + Integer.BYTES * 2;
  private static final int HEXADECIMAL = 16;

  /**
   * An open file without a name.
   *
   * @param directory the inode of the one in which it was
   * @param lost the directory is gone too, and with it the library's path
   */
  private record Hidden(long inode, long nodeId, long directory, boolean lost) {}

  private final FileSystem fileSystem;
  private final Map<String, Hidden> files = new ConcurrentHashMap<>();

  HiddenFiles(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  private static String key(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  /** Takes over a reference to the inode. */
  void add(byte[] name, long inode, long directory) {
    String key = key(name);
    long nodeId = Long.parseLong(key.substring(NODE_ID_BEGIN, NODE_ID_END), HEXADECIMAL);
    files.put(key, new Hidden(inode, nodeId, directory, false));
  }

  /** The inode behind a hidden name, or null. */
  Long find(byte[] name) {
    Hidden found = files.isEmpty() ? null : files.get(key(name));
    return found == null ? null : found.inode();
  }

  /** Whether the library takes this file for hidden, and its hidden name for one of its links. */
  boolean isNode(long nodeId) {
    return files.values().stream().anyMatch(file -> file.nodeId() == nodeId);
  }

  /** The library has no path any more to what was hidden in this directory. */
  void directoryRemoved(long directory) {
    files.replaceAll(
        (name, file) ->
            file.directory() == directory
                ? new Hidden(file.inode(), file.nodeId(), directory, true)
                : file);
  }

  /** The inode of an open file to which the library has no path, or null. */
  Long findLost(long nodeId) {
    for (Hidden file : files.values()) {
      if (file.lost() && file.nodeId() == nodeId) {
        return file.inode();
      }
    }
    return null;
  }

  /** Forgets the name; the file goes with its last handle. */
  void remove(byte[] name) {
    remove(key(name));
  }

  private void remove(String key) {
    Hidden file = files.remove(key);
    if (file != null) {
      fileSystem.forget(file.inode(), 1);
    }
  }

  /** Forgets all names of a file. */
  void removeAll(long inode) {
    files.forEach(
        (name, file) -> {
          if (file.inode() == inode) {
            remove(name);
          }
        });
  }

  void clear() {
    files.keySet().forEach(this::remove);
  }

  boolean isEmpty() {
    return files.isEmpty();
  }
}
