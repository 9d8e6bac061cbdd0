package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Opens files of a mount by their handles, which root may: no names are looked up, and names need
 * not be there. Thread-safe; workers must not use it, because the kernel may ask them.
 */
final class FilesByHandle {
  /** No file. */
  static final int NONE = -1;

  private final FileSystem fileSystem;
  private final Path mountPoint;
  private final Optional<String> device;

  /**
   * For one mount.
   *
   * @param device of the mount, as in {@link MountTable#deviceOf}
   */
  FilesByHandle(FileSystem fileSystem, Path mountPoint, Optional<String> device) {
    this.fileSystem = fileSystem;
    this.mountPoint = mountPoint;
    this.device = device;
  }

  /** A descriptor of the root of this mount, or NONE when it cannot be reached by its path. */
  int openRoot() {
    try {
      // Something else may be mounted over it.
      if (device.isEmpty() || !MountTable.deviceOf(mountPoint).equals(device)) {
        return NONE;
      }
    } catch (IOException e) {
      return NONE;
    }
    byte[] path = LibC.Native.string(mountPoint.toString());
    return LIBC.open(path, LibC.Native.O_RDONLY | LibC.Native.O_CLOEXEC);
  }

  /**
   * A descriptor of a file, for the caller to close.
   *
   * @param root from {@link #openRoot}, or NONE
   * @param flags of open(2)
   * @return NONE when the file cannot be opened: it is gone, or the kernel has it under an older
   *     generation, or this is not root
   */
  int open(int root, long inode, int flags) {
    if (root < 0) {
      return NONE;
    }
    byte[] handle;
    try {
      handle = FileHandleFormat.of(inode, fileSystem.getAttributes(inode).generation());
    } catch (FsException e) {
      return NONE;
    }
    return Math.max(NONE, LIBC.open_by_handle_at(root, handle, flags | LibC.Native.O_CLOEXEC));
  }

  /** Closes a descriptor; NONE is ignored. */
  static void close(int descriptor) {
    if (descriptor >= 0) {
      LIBC.close(descriptor);
    }
  }
}
