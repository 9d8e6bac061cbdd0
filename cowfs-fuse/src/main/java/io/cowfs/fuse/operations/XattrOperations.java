package io.cowfs.fuse.operations;

import static io.cowfs.fuse.wire.XattrFormat.*;

import io.cowfs.core.vfs.AclKind;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.XattrMode;
import io.cowfs.fuse.wire.InitFormat;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.nio.ByteBuffer;

/** Extended attributes. */
final class XattrOperations {
  private final FileSystem fileSystem;
  private final boolean acls;

  /** Bytes before the name in SETXATTR. */
  private final int setBytes;

  /**
   * @param agreed the features agreed on with the kernel
   */
  XattrOperations(FileSystem fileSystem, long agreed) {
    this.fileSystem = fileSystem;
    this.acls = (agreed & InitFormat.POSIX_ACL) != 0;
    this.setBytes = (agreed & InitFormat.SETXATTR_EXT) != 0 ? SET_BYTES : SET_BYTES_SHORT;
  }

  void set(Call call, Reply reply) throws FsException {
    Request request = call.request();
    XattrMode mode =
        switch (request.intAt(SET_FLAGS)) {
          case 0 -> XattrMode.CREATE_OR_REPLACE;
          case CREATE -> XattrMode.CREATE;
          case REPLACE -> XattrMode.REPLACE;
          default -> throw new FsException(FsError.INVALID);
        };
    byte[] name = nameAt(request, setBytes);
    ByteBuffer data = request.dataAt(setBytes + name.length + 1, request.intAt(SET_SIZE));
    byte[] value = new byte[data.remaining()];
    data.get(value);
    AclKind acl = AclKind.ofXattr(name);
    if (acl == null) {
      fileSystem.setXattr(request.nodeId(), name, value, mode);
    } else {
      boolean clearSgid =
          setBytes == SET_BYTES && (request.intAt(SET_MORE_FLAGS) & ACL_KILL_SGID) != 0;
      fileSystem.setAcl(request.nodeId(), acl, value, clearSgid);
    }
  }

  void get(Call call, Reply reply) throws FsException {
    Request request = call.request();
    answer(request, reply, fileSystem.getXattr(request.nodeId(), nameAt(request, GET_BYTES)));
  }

  void list(Call call, Reply reply) throws FsException {
    Request request = call.request();
    byte[] names = fileSystem.listXattrs(request.nodeId());
    answer(request, reply, XattrNames.visibleTo(request.uid(), names));
  }

  void remove(Call call, Reply reply) throws FsException {
    Request request = call.request();
    fileSystem.removeXattr(request.nodeId(), nameAt(request, 0));
  }

  /** The value, or for a caller that gave no room, only its size. */
  private static void answer(Request request, Reply reply, byte[] value) throws FsException {
    int room = request.intAt(GET_SIZE);
    if (room == 0) {
      reply.putInt(reply.append(OUT_BYTES) + OUT_SIZE, value.length);
    } else if (Integer.compareUnsigned(value.length, room) > 0) {
      throw new FsException(FsError.RANGE);
    } else {
      reply.appendBytes(value);
    }
  }

  private byte[] nameAt(Request request, int bodyOffset) throws FsException {
    byte[] name = request.nameAt(bodyOffset);
    XattrNames.require(name, acls);
    return name;
  }
}
