package io.cowfs.fuse.operations;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.fuse.wire.Request;

/**
 * Tells the truncation by which the kernel takes a file over, after a rollback, from all others: it
 * comes from a certain thread of this process. One file at a time. Thread-safe.
 */
public final class Settling {
  private record Expected(long inode, int thread) {}

  private volatile Expected expected;

  /** The next truncation of the inode by this thread is answered by {@link FileSystem#settled}. */
  public void expect(long inode, int thread) {
    expected = new Expected(inode, thread);
  }

  /** No such truncation comes any more. */
  public void expectNone() {
    expected = null;
  }

  /** The kernel names the thread that calls it where other systems name the process. */
  boolean isEndedBy(Request request) {
    Expected now = expected;
    return now != null && now.inode == request.nodeId() && now.thread == request.pid();
  }
}
