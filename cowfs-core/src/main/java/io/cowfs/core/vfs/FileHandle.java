package io.cowfs.core.vfs;

/** An open file or directory. Given to {@link FileSystem#release} exactly once. Thread-safe. */
public interface FileHandle {
  /** The inode that is open. */
  long inode();
}
