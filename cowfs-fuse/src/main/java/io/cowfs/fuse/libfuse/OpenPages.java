package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.CacheInvalidator;

/**
 * What the kernel keeps of this transport's mounts: nothing but the pages of open files; what is
 * left of others is dropped when they are opened. Thread-safe; threads that serve requests must not
 * use it.
 */
record OpenPages(Session session, OpenFiles files) implements CacheInvalidator {
  @Override
  public void inodeChanged(long inode) {
    files.nodesOf(inode).forEach(session::dropPages);
  }

  @Override
  public void attributesChanged(long inode) {}

  @Override
  public void entryChanged(long parent, byte[] name) {}

  /** The kernel's size of an open file cannot be set right in time for an append. */
  @Override
  public boolean settle(long inode) {
    return false;
  }
}
