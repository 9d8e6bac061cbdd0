package io.cowfs.fuse.operations;

/** Pages of file data that the kernel has, and the file system perhaps not yet. */
public interface KernelPages {
  /**
   * Has the kernel write back what it holds of the inode, drops it there, and returns when all of
   * it has been answered by the file system. Waits for requests that other workers answer: workers
   * must not call it.
   */
  void flush(long inode);
}
