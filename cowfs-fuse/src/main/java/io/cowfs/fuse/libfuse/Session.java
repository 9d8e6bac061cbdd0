package io.cowfs.fuse.libfuse;

import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.kernel.MountException;
import io.cowfs.fuse.wire.Request;
import java.util.function.Consumer;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * The library's side of a mount. Any number of threads may {@link #serve} at once; when all have
 * come back, {@link #destroy} frees it.
 */
final class Session {
  private static final System.Logger LOG = System.getLogger(Session.class.getName());

  /**
   * Inodes show the numbers of the file system. The kernel keeps neither names nor attributes: the
   * protocol has a way to take them back, but this library does not tell under which number of its
   * own it has them.
   */
  private static final String OPTIONS =
      "-ouse_ino,attr_timeout=0,entry_timeout=0,negative_timeout=0";

  private static final Runtime RUNTIME = Runtime.getSystemRuntime();

  private final LibFuse2 library;
  private final Pointer channel;
  private final Pointer fuse;
  private final Pointer session;

  /** Guarded by this. */
  private boolean destroyed;

  private Session(LibFuse2 library, Pointer channel, Pointer fuse) {
    this.library = library;
    this.channel = channel;
    this.fuse = fuse;
    this.session = library.fuse_get_session(fuse);
  }

  /**
   * Takes over the descriptor, if it succeeds.
   *
   * @param callbacks to be kept until the session is destroyed
   */
  static Session over(int descriptor, LibFuse2.Native library, CallbackTable callbacks)
      throws MountException {
    LibFuse2 functions = library.functions();
    Pointer[] words = {string("cowfs"), string(OPTIONS)};
    Pointer values = Memory.allocateDirect(RUNTIME, (words.length + 1) * Long.BYTES, true);
    for (int i = 0; i < words.length; i++) {
      values.putPointer((long) i * Long.BYTES, words[i]);
    }
    Pointer arguments = Memory.allocateDirect(RUNTIME, ArgumentsFormat.BYTES, true);
    arguments.putInt(ArgumentsFormat.COUNT, words.length);
    arguments.putPointer(ArgumentsFormat.VALUES, values);

    Pointer channel = functions.fuse_kern_chan_new(descriptor);
    long fuse = library.create(channel, arguments, callbacks.memory(), callbacks.bytes());
    functions.fuse_opt_free_args(arguments);
    if (fuse == 0) {
      throw new MountException("libfuse.so.2 refuses to serve a mount");
    }
    return new Session(functions, channel, Pointer.wrap(RUNTIME, fuse));
  }

  private static Pointer string(String text) {
    byte[] bytes = text.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    Pointer string = Memory.allocateDirect(RUNTIME, bytes.length + 1, true);
    string.put(0, bytes, 0, bytes.length);
    return string;
  }

  /**
   * Receives requests and has the library call back, until the mount has ended.
   *
   * @param request the calling thread's
   * @param before what is done with each request first
   */
  void serve(Request request, Consumer<Request> before) {
    Pointer slot = Memory.allocateDirect(RUNTIME, Long.BYTES);
    long address = Pointer.wrap(RUNTIME, request.buffer()).address() + Request.BEGIN;
    int room = request.buffer().capacity() - Request.BEGIN;
    while (true) {
      slot.putPointer(0, channel);
      int bytes = library.fuse_chan_recv(slot, address, room);
      if (bytes == -Errno.EINTR || bytes == -Errno.EAGAIN) {
        continue;
      }
      if (bytes <= 0) {
        return;
      }
      if (request.received(bytes)) {
        before.accept(request);
        library.fuse_session_process(session, address, bytes, channel);
      } else {
        LOG.log(System.Logger.Level.ERROR, "the kernel sent a malformed request");
      }
    }
  }

  /** Has the kernel drop its pages of a file. Threads that serve must not call it. */
  synchronized void dropPages(long nodeId) {
    if (destroyed) {
      return;
    }
    int errno = -library.fuse_lowlevel_notify_inval_inode(channel, nodeId, 0, 0);
    // The kernel does not know the file any more, or the mount has ended: nothing is cached.
    if (errno != 0 && errno != Errno.ENOENT && errno != Errno.ENODEV && errno != Errno.ENOTCONN) {
      LOG.log(System.Logger.Level.WARNING, "the kernel keeps pages: errno {0}", errno);
    }
  }

  /** Frees everything and closes the descriptor. */
  synchronized void destroy() {
    destroyed = true;
    library.fuse_destroy(fuse);
  }
}
