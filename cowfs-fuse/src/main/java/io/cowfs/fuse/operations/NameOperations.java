package io.cowfs.fuse.operations;

import static io.cowfs.fuse.wire.NameFormat.*;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;

/** Making, moving and removing names. */
final class NameOperations {
  private final FileSystem fileSystem;
  private final Lifetimes lifetimes;

  NameOperations(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
    this.lifetimes = new Lifetimes(fileSystem);
  }

  void makeNode(Call call, Reply reply) throws FsException {
    Request request = call.request();
    entry(
        request,
        reply,
        fileSystem.makeNode(
            call.caller(request.intAt(MKNOD_UMASK)),
            request.nodeId(),
            request.nameAt(MKNOD_BYTES),
            request.intAt(MKNOD_MODE),
            request.intAt(MKNOD_RDEV)));
  }

  void makeDirectory(Call call, Reply reply) throws FsException {
    Request request = call.request();
    entry(
        request,
        reply,
        fileSystem.makeDirectory(
            call.caller(request.intAt(MKDIR_UMASK)),
            request.nodeId(),
            request.nameAt(MKDIR_BYTES),
            request.intAt(MKDIR_MODE)));
  }

  /** The request's inode is the directory of the new name. */
  private void entry(Request request, Reply reply, Attributes made) {
    reply.entry(made, lifetimes.of(request.nodeId()), lifetimes.of(made.inode()));
  }

  void makeSymlink(Call call, Reply reply) throws FsException {
    Request request = call.request();
    byte[] name = request.nameAt(0);
    byte[] target = request.stringAt(name.length + 1);
    entry(request, reply, fileSystem.makeSymlink(call.caller(), request.nodeId(), name, target));
  }

  void readSymlink(Call call, Reply reply) throws FsException {
    reply.appendBytes(fileSystem.readSymlink(call.request().nodeId()));
  }

  void link(Call call, Reply reply) throws FsException {
    Request request = call.request();
    entry(
        request,
        reply,
        fileSystem.link(
            request.longAt(LINK_OLD_NODE_ID), request.nodeId(), request.nameAt(LINK_BYTES)));
  }

  void unlink(Call call, Reply reply) throws FsException {
    Request request = call.request();
    fileSystem.unlink(request.nodeId(), request.nameAt(0));
  }

  void removeDirectory(Call call, Reply reply) throws FsException {
    Request request = call.request();
    fileSystem.removeDirectory(request.nodeId(), request.nameAt(0));
  }

  void rename(Call call, Reply reply) throws FsException {
    Request request = call.request();
    byte[] name = request.nameAt(RENAME_BYTES);
    byte[] newName = request.nameAt(RENAME_BYTES + name.length + 1);
    long newParent = request.longAt(RENAME_NEW_DIRECTORY);
    fileSystem.rename(request.nodeId(), name, newParent, newName, RenameMode.REPLACE);
  }

  void rename2(Call call, Reply reply) throws FsException {
    Request request = call.request();
    int flags = request.intAt(RENAME2_FLAGS);
    RenameMode mode =
        switch (flags & ~RENAME_WHITEOUT) {
          case 0 -> RenameMode.REPLACE;
          case RENAME_NOREPLACE -> RenameMode.NO_REPLACE;
          case RENAME_EXCHANGE -> RenameMode.EXCHANGE;
          default -> throw new FsException(FsError.INVALID);
        };
    byte[] name = request.nameAt(RENAME2_BYTES);
    byte[] newName = request.nameAt(RENAME2_BYTES + name.length + 1);
    long newParent = request.longAt(RENAME2_NEW_DIRECTORY);
    if ((flags & RENAME_WHITEOUT) == 0) {
      fileSystem.rename(request.nodeId(), name, newParent, newName, mode);
    } else {
      fileSystem.renameLeavingWhiteout(
          call.caller(), request.nodeId(), name, newParent, newName, mode);
    }
  }
}
