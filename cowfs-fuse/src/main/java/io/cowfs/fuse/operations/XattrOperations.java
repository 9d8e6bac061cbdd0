package io.cowfs.fuse.operations;

import static io.cowfs.fuse.wire.XattrFormat.*;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.XattrMode;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Extended attributes in the namespaces of users, of security modules and of root. Names of the
 * {@code system} namespace are not supported: access control lists would be stored there, and the
 * kernel would not obey them.
 */
final class XattrOperations {
  private static final byte[] TRUSTED_PREFIX = "trusted.".getBytes(StandardCharsets.US_ASCII);

  private static final List<byte[]> NAMESPACES =
      List.of(
          TRUSTED_PREFIX,
          "user.".getBytes(StandardCharsets.US_ASCII),
          "security.".getBytes(StandardCharsets.US_ASCII));

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
    byte[] names = fileSystem.listXattrs(request.nodeId());
    answer(request, reply, request.uid() == 0 ? names : withoutTrusted(names));
  }

  void remove(Call call, Reply reply) throws FsException {
    Request request = call.request();
    fileSystem.removeXattr(request.nodeId(), nameAt(request, 0));
  }

  /** The names but for those of the trusted namespace, which privileged callers alone see. */
  private static byte[] withoutTrusted(byte[] names) {
    ByteArrayOutputStream visible = new ByteArrayOutputStream(names.length);
    for (int from = 0, to = 0; to < names.length; to++) {
      if (names[to] == 0) {
        byte[] name = Arrays.copyOfRange(names, from, to + 1);
        if (!startsWith(name, TRUSTED_PREFIX)) {
          visible.writeBytes(name);
        }
        from = to + 1;
      }
    }
    return visible.toByteArray();
  }

  private static boolean startsWith(byte[] name, byte[] prefix) {
    return name.length >= prefix.length
        && Arrays.equals(name, 0, prefix.length, prefix, 0, prefix.length);
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
    if (NAMESPACES.stream().noneMatch(prefix -> startsWith(name, prefix))) {
      throw new FsException(FsError.NOT_SUPPORTED);
    }
    return name;
  }
}
