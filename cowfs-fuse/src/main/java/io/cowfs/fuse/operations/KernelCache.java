package io.cowfs.fuse.operations;

/** What the kernel holds of the file system, as far as operations must act on it. Thread-safe. */
public interface KernelCache {
  /**
   * Has the kernel write back what it holds of the inode, drops it there, and returns when all of
   * it has been answered by the file system. Waits for requests that other workers answer: workers
   * must not call it.
   */
  void flush(long inode);

  /** Has the kernel ask again for the inode's attributes. Waits for nothing. */
  void attributesChanged(long inode);
}
