package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import io.cowfs.fuse.operations.Settling;

/**
 * Makes the kernel take over a file that it holds open as the file system has it now.
 *
 * <p>With the writeback cache, the kernel believes nobody about the size and the times of a regular
 * file but itself: it takes a size only from the answer to a truncation, and a modification time
 * only from its caller. So this process truncates and touches the file, and the file system, to
 * which the file is unsettled, answers with what is there and changes nothing.
 *
 * <ol>
 *   <li>A notification drops the kernel's pages. Dirty ones are written before; what they hold was
 *       written before the rollback, and the file system throws it away.
 *   <li>The first truncation brings the size. Until here, somebody may have written on at the old
 *       end, or into a page that the kernel took to be beyond it; such pages are dropped with it.
 *   <li>The modification time.
 *   <li>The second truncation ends the unsettled state. The kernel lets nobody write to the file
 *       while it waits for the answer, neither through its cache nor past it, so each write is
 *       either thrown away or made with what the kernel knows now. Times are not touched by it,
 *       unless somebody has changed the size since.
 *   <li>Pages that were written and thrown away in between are dropped.
 * </ol>
 *
 * <p>The change time, which nobody can set, becomes that of the rollback, in the kernel and until
 * it forgets the inode. Thread-safe; one file at a time. Workers must not use it.
 */
final class Settler {
  private static final int AT_FDCWD = -100;

  private final FileSystem fileSystem;
  private final FilesByHandle files;
  private final Settling settling;
  private final KernelNotifier notifier;

  /**
   * @param settling where the workers look
   * @param notifier shared with no worker
   */
  Settler(FileSystem fileSystem, FilesByHandle files, Settling settling, KernelNotifier notifier) {
    this.fileSystem = fileSystem;
    this.files = files;
    this.settling = settling;
    this.notifier = notifier;
  }

  /** False when it cannot be done: this is not root, or the file is being executed. */
  synchronized boolean settle(long inode) {
    Attributes wanted;
    try {
      wanted = fileSystem.getAttributes(inode);
    } catch (FsException gone) {
      return false;
    }
    notifier.inodeChanged(inode);
    boolean settled;
    try {
      long[] one = {inode};
      settled = files.each(one, LibC.Native.O_PATH, file -> takeOver(file, wanted))[0];
    } finally {
      settling.expectNone();
    }
    if (settled) {
      notifier.inodeChanged(inode);
    }
    return settled;
  }

  /** On the thread of {@link #files}. */
  private boolean takeOver(int file, Attributes wanted) {
    byte[] path = LibC.Native.string("/proc/thread-self/fd/" + file);
    if (LIBC.truncate(path, wanted.size()) != 0) {
      return false;
    }
    Timestamp mtime = wanted.mtime();
    long[] times = {0, LibC.Native.UTIME_OMIT, mtime.seconds(), mtime.nanos()};
    if (LIBC.utimensat(AT_FDCWD, path, times, 0) != 0) {
      return false;
    }
    settling.expect(wanted.inode(), LIBC.gettid());
    return LIBC.truncate(path, wanted.size()) == 0;
  }
}
