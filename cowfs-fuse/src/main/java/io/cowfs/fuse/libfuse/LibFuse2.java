package io.cowfs.fuse.libfuse;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.Type;
import io.cowfs.fuse.kernel.MountException;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import ru.serce.jnrfuse.LibFuse;

/**
 * The functions of libfuse 2.9 that jnr-fuse does not declare, under their C names: it only has the
 * one that mounts, loops and unmounts all by itself, installs signal handlers and detaches from the
 * terminal. Thread-safe.
 */
@SuppressWarnings("MemberName")
public interface LibFuse2 extends LibFuse {
  /** A channel over a descriptor of {@code /dev/fuse}, which it owns. */
  Pointer fuse_kern_chan_new(int descriptor);

  /** Bytes received, 0 when the mount has ended, or a negated errno. */
  int fuse_chan_recv(Pointer channelSlot, long address, long bytes);

  Pointer fuse_get_session(Pointer fuse);

  void fuse_session_process(Pointer session, long address, long bytes, Pointer channel);

  /** Frees everything, the channel too. */
  void fuse_destroy(Pointer fuse);

  void fuse_opt_free_args(Pointer arguments);

  /** Whether the caller of the request that this thread serves no longer waits. */
  int fuse_interrupted();

  /** 0 or a negated errno. Waits for requests about pages that are under way. */
  int fuse_lowlevel_notify_inval_inode(Pointer channel, long nodeId, long offset, long bytes);

  /** Where functions of certain versions are found. */
  interface DynamicLinker {
    Pointer dlopen(String name, int flags);

    Pointer dlvsym(Pointer library, String function, String version);
  }

  /** The loaded library. */
  final class Native {
    private static final String NAME = "libfuse.so.2";
    private static final int RTLD_NOW = 2;

    private static final CallContext NEW =
        CallContext.getCallContext(
            Type.POINTER,
            new Type[] {Type.POINTER, Type.POINTER, Type.POINTER, Type.ULONG, Type.POINTER},
            CallingConvention.DEFAULT,
            false);

    private final LibFuse2 functions;
    private final long fuseNew;

    private Native(LibFuse2 functions, long fuseNew) {
      this.functions = functions;
      this.fuseNew = fuseNew;
    }

    /**
     * @throws MountException when it is not installed
     */
    static Native load() throws MountException {
      return load(NAME);
    }

    static Native load(String name) throws MountException {
      try {
        LibFuse2 functions = LibraryLoader.create(LibFuse2.class).failImmediately().load(name);
        return new Native(functions, fuseNew());
      } catch (UnsatisfiedLinkError e) {
        throw new MountException(
            name + " is not installed (package libfuse2, since Debian 13 libfuse2t64)", e);
      }
    }

    /**
     * The library exports {@code fuse_new} four times. Asked without a version, the linker gives
     * one with the arguments of 2002.
     */
    private static long fuseNew() {
      DynamicLinker linker = LibraryLoader.create(DynamicLinker.class).load("libdl.so.2");
      Pointer function = linker.dlvsym(linker.dlopen(NAME, RTLD_NOW), "fuse_new", "FUSE_2.6");
      if (function == null) {
        throw new UnsatisfiedLinkError("fuse_new@FUSE_2.6");
      }
      return function.address();
    }

    LibFuse2 functions() {
      return functions;
    }

    /**
     * {@code fuse_new}: a file system with paths on a channel, or 0.
     *
     * @param arguments a {@code struct fuse_args}
     * @param operations a {@code struct fuse_operations}, copied
     */
    long create(Pointer channel, Pointer arguments, Pointer operations, long operationsBytes) {
      return Invoker.getInstance()
          .invokeN5(
              NEW,
              fuseNew,
              channel.address(),
              arguments.address(),
              operations.address(),
              operationsBytes,
              0);
    }
  }
}
