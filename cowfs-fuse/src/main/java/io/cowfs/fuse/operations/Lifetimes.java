package io.cowfs.fuse.operations;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.fuse.wire.Lifetime;

/** What the kernel may keep of a file system. Stateless. */
record Lifetimes(FileSystem fileSystem) {
  /** Of an inode's attributes, and of the names in it when it is a directory. */
  Lifetime of(long inode) {
    return fileSystem.changesUnannounced(inode) ? Lifetime.NONE : Lifetime.LONG;
  }
}
