package io.cowfs.core.fs;

import io.cowfs.core.vfs.FileHandle;

/** An open file or directory: keeps its inode in memory until it is released. */
final class Handle implements FileHandle {
  private final Inode inode;
  private final boolean keepsAccessTime;

  Handle(Inode inode, boolean keepsAccessTime) {
    this.inode = inode;
    this.keepsAccessTime = keepsAccessTime;
  }

  @Override
  public long inode() {
    return inode.number;
  }

  Inode target() {
    return inode;
  }

  /** Reading through this handle does not count as an access (O_NOATIME). */
  boolean keepsAccessTime() {
    return keepsAccessTime;
  }
}
