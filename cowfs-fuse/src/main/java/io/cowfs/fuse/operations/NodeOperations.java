package io.cowfs.fuse.operations;

import static io.cowfs.fuse.wire.AttrFormat.*;

import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import io.cowfs.fuse.wire.Lifetime;
import io.cowfs.fuse.wire.NameFormat;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;

/** Finding and forgetting inodes, and their attributes. */
final class NodeOperations {
  private static final int SUID = 04000;
  private static final int SGID = 02000;
  private static final int GROUP_EXECUTE = 010;

  private final FileSystem fileSystem;
  private final HandleTable handles;
  private final Settling settling;
  private final Lifetimes lifetimes;

  NodeOperations(FileSystem fileSystem, HandleTable handles, Settling settling) {
    this.fileSystem = fileSystem;
    this.handles = handles;
    this.settling = settling;
    this.lifetimes = new Lifetimes(fileSystem);
  }

  /** The kernel keeps also that a name is not there, where it would be told of a change. */
  void lookup(Call call, Reply reply) throws FsException {
    Request request = call.request();
    long parent = request.nodeId();
    Lifetime ofNames = lifetimes.of(parent);
    Attributes found;
    try {
      found = fileSystem.lookup(parent, request.nameAt(0));
    } catch (FsException e) {
      if (e.error() == FsError.NOT_FOUND && ofNames != Lifetime.NONE) {
        reply.noEntry(ofNames);
        return;
      }
      throw e;
    }
    reply.entry(found, ofNames, lifetimes.of(found.inode()));
  }

  void forget(Call call, Reply reply) {
    reply.none();
    Request request = call.request();
    forget(request.nodeId(), request.longAt(NameFormat.FORGET_COUNT));
  }

  void batchForget(Call call, Reply reply) {
    reply.none();
    Request request = call.request();
    int room = (request.bodyBytes() - NameFormat.BATCH_BYTES) / NameFormat.BATCH_ONE_BYTES;
    int count = Math.min(request.intAt(NameFormat.BATCH_COUNT), room);
    for (int i = 0; i < count; i++) {
      int at = NameFormat.BATCH_BYTES + i * NameFormat.BATCH_ONE_BYTES;
      forget(
          request.longAt(at + NameFormat.BATCH_ONE_NODE_ID),
          request.longAt(at + NameFormat.BATCH_ONE_COUNT));
    }
  }

  private void forget(long inode, long count) {
    if (inode != FileSystem.ROOT_INODE) {
      fileSystem.forget(inode, count);
    }
  }

  void getAttributes(Call call, Reply reply) throws FsException {
    long inode = call.request().nodeId();
    reply.attributes(fileSystem.getAttributes(inode), lifetimes.of(inode));
  }

  /** What the kernel asks for when it is the birth time that is wanted. */
  void getExtendedAttributes(Call call, Reply reply) throws FsException {
    long inode = call.request().nodeId();
    reply.extendedAttributes(fileSystem.getAttributes(inode), lifetimes.of(inode));
  }

  void setAttributes(Call call, Reply reply) throws FsException {
    Request request = call.request();
    int valid = request.intAt(SET_VALID);
    long inode = request.nodeId();
    if ((valid & VALID_SIZE) != 0 && settling.isEndedBy(request)) {
      reply.attributes(fileSystem.settled(inode), lifetimes.of(inode));
      return;
    }
    FileHandle handle =
        (valid & VALID_HANDLE) != 0 ? handles.get(request.longAt(SET_HANDLE)) : null;
    AttributeChange change =
        new AttributeChange(
            (valid & VALID_MODE) != 0 ? request.intAt(SET_MODE) & 07777 : null,
            (valid & VALID_UID) != 0 ? request.intAt(SET_UID) : null,
            (valid & VALID_GID) != 0 ? request.intAt(SET_GID) : null,
            (valid & VALID_SIZE) != 0 ? request.longAt(SET_SIZE) : null,
            time(request, valid, VALID_ATIME, VALID_ATIME_NOW, SET_ATIME, SET_ATIME_NANOS),
            time(request, valid, VALID_MTIME, VALID_MTIME_NOW, SET_MTIME, SET_MTIME_NANOS),
            time(request, valid, VALID_CTIME, 0, SET_CTIME, SET_CTIME_NANOS),
            (valid & VALID_KILL_SUIDGID) != 0 || endsPrivileges(call.caller(), inode, valid));
    reply.attributes(
        fileSystem.setAttributes(call.caller(), inode, handle, change), lifetimes.of(inode));
  }

  /**
   * Whether this is a chown(2) to the same owner and group, and the file has suid or sgid. The
   * kernel asks for no change then, or where it keeps the times only for that of the time, and has
   * not looked at who calls. Without any change, this may also be a user's fallocate(2), which
   * takes the privileges away by itself.
   *
   * @throws FsException NOT_PERMITTED where another than the owner would take the privileges away
   */
  private boolean endsPrivileges(Caller caller, long inode, int valid) throws FsException {
    if ((valid & ~VALID_CTIME) != 0) {
      return false;
    }
    Attributes now = fileSystem.getAttributes(inode);
    boolean suid = (now.mode() & SUID) != 0;
    boolean sgid = (now.mode() & (SGID | GROUP_EXECUTE)) == (SGID | GROUP_EXECUTE);
    if (now.isDirectory() || !(suid || sgid)) {
      return false;
    }
    boolean permitted = caller.uid() == 0 || caller.uid() == now.uid();
    if (!permitted && valid == VALID_CTIME) {
      throw new FsException(FsError.NOT_PERMITTED);
    }
    return permitted;
  }

  private static Timestamp time(
      Request request, int valid, int bit, int nowBit, int secondsAt, int nanosAt) {
    if ((valid & nowBit) != 0) {
      return AttributeChange.NOW;
    }
    return (valid & bit) != 0
        ? new Timestamp(request.longAt(secondsAt), request.intAt(nanosAt))
        : null;
  }
}
