package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;

/**
 * What the kernel keeps of this transport's mounts: nothing but the pages of open files; what is
 * left of others is dropped when they are opened. Thread-safe; threads that serve requests must not
 * use it.
 */
record OpenPages(FileSystem fileSystem, OpenFiles files, Session session)
    implements CacheInvalidator {
  @Override
  public void inodeChanged(long inode) {
    files.nodesOf(inode).forEach(session::dropPages);
  }

  @Override
  public void attributesChanged(long inode) {}

  @Override
  public void entryChanged(long parent, byte[] name) {}

  /**
   * Pages are all that there is to forget. The kernel asks for the size when it comes to the end of
   * the one that it knows, and where appended data goes is not for it to say.
   */
  @Override
  public boolean settle(long inode) {
    inodeChanged(inode);
    try {
      fileSystem.settled(inode);
    } catch (FsException gone) {
      return false;
    }
    // What was written in between came to nothing.
    inodeChanged(inode);
    return true;
  }
}
