package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import java.nio.file.Path;

/** The files by which the kernel lets the owner of a FUSE connection look after it (fusectl). */
final class ControlFileSystem {
  private static final Path CONNECTIONS = Path.of("/sys/fs/fuse/connections");

  /* System calls since Linux 5.2, with the same number on all architectures that Java knows. */
  private static final long FSOPEN = 430;
  private static final long FSCONFIG = 431;
  private static final long FSMOUNT = 432;

  private static final int CLOSE_ON_EXEC = 1;
  private static final int CONFIG_CREATE = 6;

  private ControlFileSystem() {}

  /**
   * The file that aborts a connection when something is written to it, where the file system is
   * mounted.
   *
   * @param device of the mount, as in {@link MountTable#deviceOf}
   */
  static Path abortFile(String device) {
    return CONNECTIONS.resolve(minor(device)).resolve("abort");
  }

  private static String minor(String device) {
    return device.substring(device.indexOf(':') + 1);
  }

  /**
   * A descriptor of that file for writing, or a negative number. Root needs no mount: it makes one
   * that is seen nowhere.
   */
  static int openAbortFile(String device) {
    int flags = LibC.Native.O_WRONLY | LibC.Native.O_CLOEXEC;
    int mounted = LIBC.open(LibC.Native.string(abortFile(device).toString()), flags);
    if (mounted >= 0) {
      return mounted;
    }
    int root = mountDetached();
    int detached = LIBC.openat(root, LibC.Native.string(minor(device) + "/abort"), flags);
    LIBC.close(root);
    return detached;
  }

  private static int mountDetached() {
    try (NativeArena arena = new NativeArena()) {
      byte[] type = LibC.Native.string("fusectl");
      long name = LibC.Native.address(arena.allocate(type.length).put(0, type));
      int context = (int) LIBC.syscall(FSOPEN, name, CLOSE_ON_EXEC, 0, 0, 0, 0);
      LIBC.syscall(FSCONFIG, context, CONFIG_CREATE, 0, 0, 0, 0);
      int root = (int) LIBC.syscall(FSMOUNT, context, CLOSE_ON_EXEC, 0, 0, 0, 0);
      LIBC.close(context);
      return root;
    }
  }
}
