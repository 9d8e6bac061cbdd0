package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.wire.NotifyFormat.*;

import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.operations.KernelCache;
import io.cowfs.fuse.wire.Reply;

/**
 * Tells the kernel that what it caches is out of date. Thread-safe; one message at a time. A
 * message may wait until the kernel's requests about the inode are answered, so no worker may send
 * one.
 */
final class KernelNotifier implements KernelCache {
  private static final System.Logger LOG = System.getLogger(KernelNotifier.class.getName());

  /** Names of the protocol may be up to this long. */
  private static final int NAME_BYTES_MAX = 1024;

  private final FuseDevice device;
  private final Reply message = new Reply(ENTRY_BYTES + NAME_BYTES_MAX + 1);
  private final long address;

  /** Guarded by this. */
  private boolean closed;

  KernelNotifier(FuseDevice device) {
    this.device = device;
    this.address = LibC.Native.address(message.buffer());
  }

  /**
   * All that is cached of the inode is out of date. Dirty pages are written back before they are
   * dropped.
   */
  void inodeChanged(long inode) {
    // From offset 0 on, a length of 0 means all pages.
    invalidateInode(inode, 0);
  }

  /** A negative offset leaves the pages alone. */
  @Override
  public void attributesChanged(long inode) {
    invalidateInode(inode, -1);
  }

  private synchronized void invalidateInode(long inode, long offset) {
    message.begin();
    int at = message.append(INODE_BYTES);
    message.putLong(at + INODE_NODE_ID, inode);
    message.putLong(at + INODE_OFFSET, offset);
    message.putLong(at + INODE_LENGTH, 0);
    send(CODE_INVALIDATE_INODE);
  }

  /** What is cached for this name is out of date. */
  synchronized void entryChanged(long parent, byte[] name) {
    message.begin();
    int at = message.append(ENTRY_BYTES);
    message.putLong(at + ENTRY_PARENT, parent);
    message.putInt(at + ENTRY_NAME_LENGTH, name.length);
    message.appendBytes(name);
    message.append(1);
    send(CODE_INVALIDATE_ENTRY);
  }

  /** Invalidating an inode writes its dirty pages back and waits for them. */
  @Override
  public void flush(long inode) {
    inodeChanged(inode);
  }

  /** Sends nothing from now on: the descriptor may be closed. */
  synchronized void close() {
    closed = true;
  }

  private void send(int code) {
    if (closed) {
      return;
    }
    int errno = device.send(address, message.finishNotification(code));
    // The kernel does not know the inode or the name, or the mount has ended: nothing is cached.
    boolean nothingCached =
        errno == Errno.ENOENT
            || errno == Errno.ENOTDIR
            || errno == Errno.ENODEV
            || errno == Errno.ENOTCONN;
    if (errno != 0 && !nothingCached) {
      LOG.log(
          System.Logger.Level.WARNING,
          "the kernel refused a notification: " + LibC.Native.message(errno));
    }
  }
}
