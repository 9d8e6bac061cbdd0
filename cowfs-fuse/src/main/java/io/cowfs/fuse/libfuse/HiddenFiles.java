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
  private final FileSystem fileSystem;
  private final Map<String, Long> inodes = new ConcurrentHashMap<>();

  HiddenFiles(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  private static String key(byte[] name) {
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  /** Takes over a reference to the inode. */
  void add(byte[] name, long inode) {
    inodes.put(key(name), inode);
  }

  /** The inode behind a hidden name, or null. */
  Long find(byte[] name) {
    return inodes.isEmpty() ? null : inodes.get(key(name));
  }

  /** Forgets the name; the file goes with its last handle. */
  void remove(byte[] name) {
    remove(key(name));
  }

  private void remove(String key) {
    Long inode = inodes.remove(key);
    if (inode != null) {
      fileSystem.forget(inode, 1);
    }
  }

  /** Forgets all names of a file. */
  void removeAll(long inode) {
    inodes.forEach(
        (name, hidden) -> {
          if (hidden == inode) {
            remove(name);
          }
        });
  }

  void clear() {
    inodes.keySet().forEach(this::remove);
  }

  boolean isEmpty() {
    return inodes.isEmpty();
  }
}
