package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Has the kernel write files back, and keep their pages: opens them by handle, which root may, and
 * waits for their pages. Where that is not possible, the pages are dropped instead, which writes
 * them back too. Thread-safe; workers must not use it, because it waits for them.
 */
final class WriteBack {
  /** Since this minor version (Linux 6.16), a page stays marked until its WRITE is answered. */
  private static final int MINOR_PAGES_WAIT = 44;

  private static final int WAIT_BEFORE_WRITE_WAIT_AFTER = 7;

  private final FileSystem fileSystem;
  private final Path mountPoint;
  private final Optional<String> device;
  private final boolean pagesWait;
  private final KernelNotifier notifier;

  /**
   * For one mount.
   *
   * @param device of the mount, as in {@link MountTable#deviceOf}
   * @param kernelMinor the kernel's own protocol version
   * @param notifier shared with no worker
   */
  WriteBack(
      FileSystem fileSystem,
      Path mountPoint,
      Optional<String> device,
      int kernelMinor,
      KernelNotifier notifier) {
    this.fileSystem = fileSystem;
    this.mountPoint = mountPoint;
    this.device = device;
    this.pagesWait = kernelMinor >= MINOR_PAGES_WAIT;
    this.notifier = notifier;
  }

  /** Writes back what the kernel holds of these inodes; returns when all of it was answered. */
  void flush(long[] inodes) {
    if (inodes.length == 0) {
      return;
    }
    int root = openRoot();
    try {
      for (long inode : inodes) {
        if (root < 0 || !flushByHandle(root, inode)) {
          notifier.inodeChanged(inode);
        }
      }
    } finally {
      if (root >= 0) {
        LIBC.close(root);
      }
    }
  }

  /** The root of this mount, or -1 when it cannot be reached by its path. */
  private int openRoot() {
    try {
      // Something else may be mounted over it.
      if (device.isEmpty() || !MountTable.deviceOf(mountPoint).equals(device)) {
        return -1;
      }
    } catch (IOException e) {
      return -1;
    }
    byte[] path = LibC.Native.string(mountPoint.toString());
    return LIBC.open(path, LibC.Native.O_RDONLY | LibC.Native.O_CLOEXEC);
  }

  /**
   * False when the file cannot be opened by its handle: it is gone, or the kernel has it under an
   * older generation, or this is not root.
   */
  private boolean flushByHandle(int root, long inode) {
    byte[] handle;
    try {
      handle = FileHandleFormat.of(inode, fileSystem.getAttributes(inode).generation());
    } catch (FsException e) {
      return false;
    }
    int fd = LIBC.open_by_handle_at(root, handle, LibC.Native.O_RDONLY | LibC.Native.O_CLOEXEC);
    if (fd < 0) {
      return false;
    }
    try {
      // A write that failed is the business of its writer, who is told by the kernel.
      if (pagesWait) {
        LIBC.sync_file_range(fd, 0, 0, WAIT_BEFORE_WRITE_WAIT_AFTER);
      } else {
        LIBC.fdatasync(fd);
      }
      return true;
    } finally {
      LIBC.close(fd);
    }
  }
}
