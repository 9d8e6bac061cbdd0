package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

/**
 * Has the kernel write files back, and keep their pages: opens them by handle, and waits for their
 * pages. Where that is not possible, the pages are dropped instead, which writes them back too.
 * Thread-safe; workers must not use it, because it waits for them.
 */
final class WriteBack {
  /** Since this minor version (Linux 6.16), a page stays marked until its WRITE is answered. */
  private static final int MINOR_PAGES_WAIT = 44;

  private static final int WAIT_BEFORE_WRITE_WAIT_AFTER = 7;

  private final FilesByHandle files;
  private final boolean pagesWait;
  private final KernelNotifier notifier;

  /**
   * For one mount.
   *
   * @param kernelMinor the kernel's own protocol version
   * @param notifier shared with no worker
   */
  WriteBack(FilesByHandle files, int kernelMinor, KernelNotifier notifier) {
    this.files = files;
    this.pagesWait = kernelMinor >= MINOR_PAGES_WAIT;
    this.notifier = notifier;
  }

  /** Writes back what the kernel holds of these inodes; returns when all of it was answered. */
  void flush(long[] inodes) {
    if (inodes.length == 0) {
      return;
    }
    boolean[] flushed = files.each(inodes, LibC.Native.O_RDONLY, this::flush);
    for (int i = 0; i < inodes.length; i++) {
      if (!flushed[i]) {
        notifier.inodeChanged(inodes[i]);
      }
    }
  }

  private boolean flush(int file) {
    // A write that failed is the business of its writer, who is told by the kernel.
    if (pagesWait) {
      LIBC.sync_file_range(file, 0, 0, WAIT_BEFORE_WRITE_WAIT_AFTER);
    } else {
      LIBC.fdatasync(file);
    }
    return true;
  }
}
