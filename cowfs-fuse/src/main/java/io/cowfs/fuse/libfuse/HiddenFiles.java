package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.FileSystem;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Open files without a name, by the names that the library believes to have given them: {@code
 * .fuse_hidden} and a number that it uses once. Nothing of that exists in the file system, where
 * the file is simply unlinked. Each has one reference here. Thread-safe.
 */
final class HiddenFiles {
  /**
   * An open file without a name.
   *
   * @param directory the inode of the one in which it was
   * @param lost the directory is gone too, and with it the library's path
   */
  private record Hidden(long inode, long directory, boolean lost) {}

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
    files.put(key(name), new Hidden(inode, directory, false));
  }

  /** The inode behind a hidden name, or null. */
  Long find(byte[] name) {
    Hidden found = files.isEmpty() ? null : files.get(key(name));
    return found == null ? null : found.inode();
  }

  /** The library has no path any more to what was hidden in this directory. */
  void directoryRemoved(long directory) {
    files.replaceAll(
        (name, file) ->
            file.directory() == directory ? new Hidden(file.inode(), directory, true) : file);
  }

  /** Whether the library has no path to an open file. */
  boolean isLost(long inode) {
    return files.values().stream().anyMatch(file -> file.lost() && file.inode() == inode);
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
