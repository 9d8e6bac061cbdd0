package io.cowfs.fuse.operations;

import static io.cowfs.fuse.wire.IoctlFormat.*;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.InodeFlag;
import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * ioctl(2). The kernel passes arguments by the sizes and directions in the command's number: that
 * of {@code GOING_DOWN}, which says how much to flush, does not come here, and nothing is flushed.
 * Of the commands about flags, it has checked who asks: the owner, and for {@link
 * InodeFlag#IMMUTABLE} and {@link InodeFlag#APPEND_ONLY} whoever has CAP_LINUX_IMMUTABLE.
 */
final class IoctlOperations {
  /** The bits by which the two commands name the flags; 0 where one has none. */
  private record Bits(int flag, int extended) {}

  private static final Map<InodeFlag, Bits> BITS = new EnumMap<>(InodeFlag.class);

  static {
    BITS.put(InodeFlag.IMMUTABLE, new Bits(FLAG_IMMUTABLE, XFLAG_IMMUTABLE));
    BITS.put(InodeFlag.APPEND_ONLY, new Bits(FLAG_APPEND, XFLAG_APPEND));
    BITS.put(InodeFlag.NO_ATIME, new Bits(FLAG_NO_ATIME, XFLAG_NO_ATIME));
    BITS.put(InodeFlag.NO_DUMP, new Bits(FLAG_NO_DUMP, XFLAG_NO_DUMP));
    BITS.put(InodeFlag.NO_COMPRESSION, new Bits(FLAG_NO_COMPRESSION, 0));
  }

  private final FileSystem fileSystem;

  IoctlOperations(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  void run(Call call, Reply reply) throws FsException {
    Request request = call.request();
    switch (request.intAt(COMMAND)) {
      case GET_FLAGS -> {
        int out = answer(request, reply, Integer.BYTES);
        int word = 0;
        for (InodeFlag flag : fileSystem.getFlags(request.nodeId())) {
          word |= BITS.get(flag).flag;
        }
        reply.putInt(out, word);
      }
      case SET_FLAGS -> {
        setFlags(request);
        answer(request, reply, 0);
      }
      case GET_ATTRIBUTES -> {
        int out = answer(request, reply, FSX_BYTES);
        int word = 0;
        for (InodeFlag flag : fileSystem.getFlags(request.nodeId())) {
          word |= BITS.get(flag).extended;
        }
        reply.putInt(out + FSX_FLAGS, word);
      }
      case SET_ATTRIBUTES -> {
        setAttributes(request);
        answer(request, reply, 0);
      }
      case TRIM -> {
        requireRoot(request);
        requireArgument(request, TRIM_BYTES);
        long trimmed =
            fileSystem.trim(
                request.longAt(IN_BYTES + TRIM_START),
                request.longAt(IN_BYTES + TRIM_LENGTH),
                request.longAt(IN_BYTES + TRIM_MINIMUM));
        int out = answer(request, reply, TRIM_BYTES);
        reply.putLong(out + TRIM_START, request.longAt(IN_BYTES + TRIM_START));
        reply.putLong(out + TRIM_LENGTH, trimmed);
        reply.putLong(out + TRIM_MINIMUM, request.longAt(IN_BYTES + TRIM_MINIMUM));
      }
      case GOING_DOWN -> {
        requireRoot(request);
        fileSystem.shutDown();
        answer(request, reply, Integer.BYTES);
      }
      default -> reply.error(Errno.ENOTTY);
    }
  }

  /** True when what the kernel holds of the inode is to be written back before. */
  static boolean needsFlush(Request request) {
    int command = request.intAt(COMMAND);
    return command == SET_FLAGS || command == SET_ATTRIBUTES;
  }

  /** Appends a successful answer with room for what the caller gets, and returns where that is. */
  private static int answer(Request request, Reply reply, int bytes) throws FsException {
    if (request.intAt(OUT_SIZE) < bytes) {
      throw new FsException(FsError.INVALID);
    }
    reply.append(OUT_BYTES);
    return reply.append(bytes);
  }

  private static void requireRoot(Request request) throws FsException {
    if (request.uid() != 0) {
      throw new FsException(FsError.NOT_PERMITTED);
    }
  }

  private static void requireArgument(Request request, int bytes) throws FsException {
    if (request.intAt(IN_SIZE) < bytes || request.bodyBytes() < IN_BYTES + bytes) {
      throw new FsException(FsError.INVALID);
    }
  }

  private void setFlags(Request request) throws FsException {
    requireArgument(request, Integer.BYTES);
    int word = request.intAt(IN_BYTES);
    EnumSet<InodeFlag> flags = EnumSet.noneOf(InodeFlag.class);
    for (Map.Entry<InodeFlag, Bits> known : BITS.entrySet()) {
      if ((word & known.getValue().flag) != 0) {
        flags.add(known.getKey());
        word &= ~known.getValue().flag;
      }
    }
    if (word != 0) {
      throw new FsException(FsError.NOT_SUPPORTED);
    }
    fileSystem.setFlags(request.nodeId(), flags);
  }

  private void setAttributes(Request request) throws FsException {
    requireArgument(request, FSX_BYTES);
    int word = request.intAt(IN_BYTES + FSX_FLAGS);
    Set<InodeFlag> before = fileSystem.getFlags(request.nodeId());
    EnumSet<InodeFlag> flags = EnumSet.noneOf(InodeFlag.class);
    for (Map.Entry<InodeFlag, Bits> known : BITS.entrySet()) {
      int bit = known.getValue().extended;
      // What this command has no bit for stays as it is.
      if (bit == 0 ? before.contains(known.getKey()) : (word & bit) != 0) {
        flags.add(known.getKey());
      }
      word &= ~bit;
    }
    boolean more =
        (request.intAt(IN_BYTES + FSX_EXTENT_SIZE)
                | request.intAt(IN_BYTES + FSX_PROJECT)
                | request.intAt(IN_BYTES + FSX_COW_EXTENT_SIZE))
            != 0;
    if (word != 0 || more) {
      throw new FsException(FsError.NOT_SUPPORTED);
    }
    fileSystem.setFlags(request.nodeId(), flags);
  }
}
