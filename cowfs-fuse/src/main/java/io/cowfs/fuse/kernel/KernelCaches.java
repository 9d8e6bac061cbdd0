package io.cowfs.fuse.kernel;

import io.cowfs.core.vfs.CacheInvalidator;

/** What the kernel caches of one mount, as the file system sees it. Thread-safe. */
final class KernelCaches implements CacheInvalidator {
  private final KernelNotifier notifier;
  private final Settler settler;

  /**
   * @param notifier shared with no worker
   */
  KernelCaches(KernelNotifier notifier, Settler settler) {
    this.notifier = notifier;
    this.settler = settler;
  }

  @Override
  public void inodeChanged(long inode) {
    notifier.inodeChanged(inode);
  }

  @Override
  public void attributesChanged(long inode) {
    notifier.attributesChanged(inode);
  }

  @Override
  public void entryChanged(long parent, byte[] name) {
    notifier.entryChanged(parent, name);
  }

  @Override
  public boolean settle(long inode) {
    return settler.settle(inode);
  }
}
