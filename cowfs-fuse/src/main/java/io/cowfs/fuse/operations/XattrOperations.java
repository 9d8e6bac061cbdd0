package io.cowfs.fuse.operations;

import static io.cowfs.fuse.wire.XattrFormat.*;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.XattrMode;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Extended attributes. Names of the {@code system} namespace are not supported: access control
 * lists would be stored there, and the kernel would not obey them.
 */
final class XattrOperations {
  private static final byte[] SYSTEM_PREFIX = "system.".getBytes(StandardCharsets.US_ASCII);

  private final FileSystem fileSystem;

  XattrOperations(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
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
    byte[] name = nameAt(request, SET_BYTES);
    ByteBuffer data = request.dataAt(SET_BYTES + name.length + 1, request.intAt(SET_SIZE));
    byte[] value = new byte[data.remaining()];
    data.get(value);
    fileSystem.setXattr(request.nodeId(), name, value, mode);
  }

  void get(Call call, Reply reply) throws FsException {
    Request request = call.request();
    answer(request, reply, fileSystem.getXattr(request.nodeId(), nameAt(request, GET_BYTES)));
  }

  void list(Call call, Reply reply) throws FsException {
    Request request = call.request();
    answer(request, reply, fileSystem.listXattrs(request.nodeId()));
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

  private static byte[] nameAt(Request request, int bodyOffset) throws FsException {
    byte[] name = request.nameAt(bodyOffset);
    if (name.length >= SYSTEM_PREFIX.length
        && Arrays.equals(name, 0, SYSTEM_PREFIX.length, SYSTEM_PREFIX, 0, SYSTEM_PREFIX.length)) {
      throw new FsException(FsError.NOT_SUPPORTED);
    }
    return name;
  }
}
