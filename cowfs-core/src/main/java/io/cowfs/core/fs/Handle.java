package io.cowfs.core.fs;

import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;

/** An open file or directory: keeps its inode in memory until it is released. */
final class Handle implements FileHandle {
  private final Inode inode;
  private final boolean keepsAccessTime;
  private final int generationShift;

  /** The inode must be locked, or not yet known to others. */
  Handle(Inode inode, boolean keepsAccessTime) {
    this.inode = inode;
    this.keepsAccessTime = keepsAccessTime;
    this.generationShift = inode.generationShift;
  }

  @Override
  public long inode() {
    return inode.number;
  }

  Inode target() {
    return inode;
  }

  /**
   * The inode must be loaded and locked.
   *
   * @throws FsException STALE when a rollback has changed the file since it was opened: what the
   *     front end knows of its size and content through this handle is no longer so
   */
  void check() throws FsException {
    if (inode.generationShift != generationShift) {
      throw new FsException(FsError.STALE);
    }
  }

  /** Reading through this handle does not count as an access (O_NOATIME). */
  boolean keepsAccessTime() {
    return keepsAccessTime;
  }
}
