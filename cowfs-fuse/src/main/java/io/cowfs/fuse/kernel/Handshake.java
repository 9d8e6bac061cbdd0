package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.wire.InitFormat.*;

import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.wire.Opcode;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;

/**
 * INIT: the newest protocol that both sides know, and which of the kernel's features are taken.
 * Features that this program does not know are never answered.
 */
final class Handshake {
  /** The most data of a READ or WRITE, where the kernel lets us choose. */
  static final int MAX_TRANSFER_BYTES = 1 << 20;

  private static final int MAX_TRANSFER_BYTES_OLD = 128 << 10;
  private static final int PAGE_BYTES = 4096;
  private static final int MAX_READAHEAD_BYTES = 1 << 20;

  /** Asynchronous requests (read ahead, writeback) that the kernel may have under way. */
  private static final int MAX_BACKGROUND = 64;

  private static final int CONGESTION_THRESHOLD = MAX_BACKGROUND * 3 / 4;

  private static final long WANTED =
      ASYNC_READ
          | ATOMIC_O_TRUNC
          | EXPORT_SUPPORT
          | BIG_WRITES
          | DONT_MASK
          | DO_READDIRPLUS
          | READDIRPLUS_AUTO
          | ASYNC_DIO
          | PARALLEL_DIROPS
          | POSIX_ACL
          | MAX_PAGES
          | CACHE_SYMLINKS
          | HANDLE_KILLPRIV_V2
          | SETXATTR_EXT
          | INIT_EXT;

  /**
   * What was agreed on.
   *
   * @param flags the features that hold from now on
   * @param kernelMinor the kernel's own minor version, which may be newer than the one spoken
   */
  record Result(long flags, int kernelMinor) {}

  private Handshake() {}

  /**
   * Reads INIT and answers it.
   *
   * @param writeback ask for the writeback cache
   */
  static Result run(FuseDevice device, boolean writeback) throws MountException {
    Request request = new Request(MAX_TRANSFER_BYTES);
    Reply reply = new Reply(0);
    long address = LibC.Native.address(request.buffer());
    while (true) {
      long bytes = device.read(request, address);
      if (bytes == -Errno.EINTR || bytes == -Errno.EAGAIN) {
        continue;
      }
      if (bytes < 0) {
        throw new MountException(
            "/dev/fuse: " + LibC.Native.message((int) -bytes) + " while mounting");
      }
      if (!request.received(bytes)
          || request.opcode() != Opcode.INIT
          || request.bodyBytes() < IN_SIZE_SHORT) {
        throw new MountException("/dev/fuse: the kernel did not begin with INIT");
      }
      reply.begin();
      if (request.intAt(IN_MAJOR) > MAJOR) {
        // The kernel then comes again with our major version.
        answerMajor(reply);
        send(device, request, reply);
        continue;
      }
      long flags = answer(request, reply, writeback);
      send(device, request, reply);
      if (reply.errno() != 0) {
        throw new MountException(
            "the kernel's FUSE protocol is too old: "
                + request.intAt(IN_MAJOR)
                + "."
                + request.intAt(IN_MINOR)
                + ", at least "
                + MAJOR
                + "."
                + MINOR_MIN
                + " is needed");
      }
      return new Result(flags, request.intAt(IN_MINOR));
    }
  }

  private static void send(FuseDevice device, Request request, Reply reply) throws MountException {
    int bytes = reply.finish(request.unique());
    int errno = device.send(LibC.Native.address(reply.buffer()), bytes);
    if (errno != 0) {
      throw new MountException(
          "/dev/fuse: " + LibC.Native.message(errno) + " while answering INIT");
    }
  }

  private static void answerMajor(Reply reply) {
    int at = reply.append(OUT_SIZE);
    reply.putInt(at + OUT_MAJOR, MAJOR);
    reply.putInt(at + OUT_MINOR, MINOR);
  }

  /** Fills the reply, with EPROTO when the kernel is too old. Returns the flags taken. */
  static long answer(Request request, Reply reply, boolean writeback) {
    int minor = Math.min(request.intAt(IN_MINOR), MINOR);
    if (request.intAt(IN_MAJOR) < MAJOR || minor < MINOR_MIN) {
      reply.error(Errno.EPROTO);
      return 0;
    }
    long offered = Integer.toUnsignedLong(request.intAt(IN_FLAGS));
    if ((offered & INIT_EXT) != 0 && request.bodyBytes() >= IN_SIZE) {
      offered |= Integer.toUnsignedLong(request.intAt(IN_FLAGS2)) << Integer.SIZE;
    }
    long flags = offered & (writeback ? WANTED | WRITEBACK_CACHE : WANTED);
    boolean large = (flags & MAX_PAGES) != 0;
    int at = reply.append(OUT_SIZE);
    reply.putInt(at + OUT_MAJOR, MAJOR);
    reply.putInt(at + OUT_MINOR, minor);
    reply.putInt(
        at + OUT_MAX_READAHEAD, minUnsigned(request.intAt(IN_MAX_READAHEAD), MAX_READAHEAD_BYTES));
    reply.putInt(at + OUT_FLAGS, (int) flags);
    reply.putShort(at + OUT_MAX_BACKGROUND, MAX_BACKGROUND);
    reply.putShort(at + OUT_CONGESTION_THRESHOLD, CONGESTION_THRESHOLD);
    reply.putInt(at + OUT_MAX_WRITE, large ? MAX_TRANSFER_BYTES : MAX_TRANSFER_BYTES_OLD);
    reply.putInt(at + OUT_TIME_GRANULARITY, 1);
    reply.putShort(at + OUT_MAX_PAGES, large ? MAX_TRANSFER_BYTES / PAGE_BYTES : 0);
    reply.putInt(at + OUT_FLAGS2, (int) (flags >>> Integer.SIZE));
    return flags;
  }

  private static int minUnsigned(int a, int b) {
    return Integer.compareUnsigned(a, b) < 0 ? a : b;
  }
}
