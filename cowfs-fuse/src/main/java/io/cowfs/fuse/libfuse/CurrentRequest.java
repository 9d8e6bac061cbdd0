package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.fuse.wire.AttrFormat;
import io.cowfs.fuse.wire.HeaderFormat;
import io.cowfs.fuse.wire.NameFormat;
import io.cowfs.fuse.wire.Opcode;
import io.cowfs.fuse.wire.Request;
import java.util.Arrays;

/**
 * The request of the kernel that a thread has given to the library, whose callbacks tell less: they
 * run on the same thread.
 */
final class CurrentRequest {
  /** Of requests that end a mount, and of those that are none of the kernel's. */
  private static final long NO_NODE = 0;

  /** Stands for whichever handle is open on the request's file. */
  static final long ANY_HANDLE = -1;

  private static final ThreadLocal<Request> REQUESTS = new ThreadLocal<>();

  /** From now on, this is what the calling thread serves. */
  void set(Request request) {
    REQUESTS.set(request);
  }

  /**
   * Has the library ask an open file or directory for its attributes where it has no path to it any
   * more. The kernel asks for those of an inode even in fstat(2).
   */
  static void complete(Request request, OpenFiles files, HiddenFiles hidden) {
    if (request.opcode() != Opcode.GETATTR || request.bodyBytes() < AttrFormat.GET_BYTES) {
      return;
    }
    if (withoutPath(request.nodeId(), files, hidden) != null) {
      int body = Request.BEGIN + HeaderFormat.IN_SIZE;
      request.buffer().putInt(body + AttrFormat.GET_FLAGS, AttrFormat.GET_BY_HANDLE);
      request.buffer().putLong(body + AttrFormat.GET_HANDLE, ANY_HANDLE);
    }
  }

  /** The inode that is open as this node of the library, which may have no path to it; or null. */
  private static Long withoutPath(long nodeId, OpenFiles files, HiddenFiles hidden) {
    Long inode = hidden.findLost(nodeId);
    return inode == null ? files.inodeOfRemoved(nodeId) : inode;
  }

  /**
   * What a request by {@link #ANY_HANDLE} is about. Handles may have been closed since, but not the
   * one by which it was made.
   */
  long inodeOfAnyHandle(OpenFiles files, HiddenFiles hidden) throws FsException {
    Long inode = withoutPath(nodeId(), files, hidden);
    if (inode == null) {
      throw new FsException(FsError.STALE);
    }
    return inode;
  }

  /** The library's number for the file that the request is about. */
  long nodeId() {
    Request request = REQUESTS.get();
    return request == null ? NO_NODE : request.nodeId();
  }

  private boolean is(int opcode) {
    Request request = REQUESTS.get();
    return request != null && request.opcode() == opcode;
  }

  /** Whether a name was asked for that need not exist. */
  boolean isLookup() {
    return is(Opcode.LOOKUP);
  }

  /** Whether the library asks for names of its own making, which need not exist. */
  boolean removesName() {
    return is(Opcode.UNLINK) || is(Opcode.RENAME);
  }

  boolean isGetAttributes() {
    return is(Opcode.GETATTR);
  }

  boolean isUnlink() {
    return is(Opcode.UNLINK);
  }

  /** Whether a user has asked for a renaming to this name. */
  boolean isRenameTo(byte[] name) throws FsException {
    if (!is(Opcode.RENAME)) {
      return false;
    }
    Request request = REQUESTS.get();
    int oldBytes = request.stringAt(NameFormat.RENAME_BYTES).length;
    byte[] wanted = request.stringAt(NameFormat.RENAME_BYTES + oldBytes + 1);
    return Arrays.equals(wanted, name);
  }
}
