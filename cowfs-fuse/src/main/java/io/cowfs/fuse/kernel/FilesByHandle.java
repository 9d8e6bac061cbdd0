package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.IntPredicate;

/**
 * Opens files of a mount by their handles, which root may: no names are looked up, and names need
 * not be there. Thread-safe; workers must not use it, because the kernel may ask them.
 */
final class FilesByHandle {
  private final FileSystem fileSystem;
  private final Path mountPoint;
  private final Optional<String> device;
  private final PrivateTableThread thread;

  /**
   * For one mount.
   *
   * @param device of the mount, as in {@link MountTable#deviceOf}
   * @param thread makes all system calls on the mount
   */
  FilesByHandle(
      FileSystem fileSystem, Path mountPoint, Optional<String> device, PrivateTableThread thread) {
    this.fileSystem = fileSystem;
    this.mountPoint = mountPoint;
    this.device = device;
    this.thread = thread;
  }

  /**
   * Opens each of the files, and has work done with its descriptor.
   *
   * @param flags of open(2)
   * @param work by native calls only, see {@link PrivateTableThread}; false when it failed
   * @return for which of them it was done. A file cannot be opened when it is gone, when the kernel
   *     has it under an older generation, or when this is not root
   */
  boolean[] each(long[] inodes, int flags, IntPredicate work) {
    boolean[] none = new boolean[inodes.length];
    if (!isReachable()) {
      return none;
    }
    byte[][] handles = new byte[inodes.length][];
    for (int i = 0; i < inodes.length; i++) {
      handles[i] = handleOf(inodes[i]);
    }
    byte[] path = LibC.Native.string(mountPoint.toString());
    return thread.call(() -> open(path, handles, flags | LibC.Native.O_CLOEXEC, work), none);
  }

  /** Something else may be mounted over it. */
  private boolean isReachable() {
    try {
      return device.isPresent() && MountTable.deviceOf(mountPoint).equals(device);
    } catch (IOException e) {
      return false;
    }
  }

  /** Null when the file is gone. */
  private byte[] handleOf(long inode) {
    try {
      return FileHandleFormat.of(inode, fileSystem.getAttributes(inode).generation());
    } catch (FsException e) {
      return null;
    }
  }

  private static boolean[] open(byte[] root, byte[][] handles, int flags, IntPredicate work) {
    boolean[] done = new boolean[handles.length];
    int mount = LIBC.open(root, LibC.Native.O_RDONLY | LibC.Native.O_CLOEXEC);
    for (int i = 0; mount >= 0 && i < handles.length; i++) {
      int file = handles[i] == null ? -1 : LIBC.open_by_handle_at(mount, handles[i], flags);
      if (file >= 0) {
        done[i] = work.test(file);
        LIBC.close(file);
      }
    }
    if (mount >= 0) {
      LIBC.close(mount);
    }
    return done;
  }
}
