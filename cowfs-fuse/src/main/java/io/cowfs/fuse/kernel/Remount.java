package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import io.cowfs.fuse.errno.Errno;
import java.nio.file.Path;
import java.util.List;

/**
 * Changes the flags of a mount, as root. For a process that does not serve it: the kernel writes
 * back what it holds before it answers, and a server that is killed while it waits for its own
 * workers could not end.
 */
public final class Remount {
  private Remount() {}

  /**
   * Has the kernel change the flags.
   *
   * @param mountPoint absolute, without symbolic links
   * @param arguments of {@code -o}; flags that are not there are cleared
   * @throws MountException when it is refused; nothing is changed then
   */
  public static void apply(Path mountPoint, List<String> arguments) throws MountException {
    MountOptions options = MountOptions.parse(arguments);
    byte[] none = LibC.Native.string("none");
    int result =
        LIBC.mount(
            none,
            LibC.Native.string(mountPoint.toString()),
            none,
            options.remountFlags(),
            LibC.Native.string(""));
    if (result != 0) {
      int errno = LibC.Native.errno();
      String reason =
          errno == Errno.EBUSY ? "a file is open for writing" : LibC.Native.message(errno);
      throw new MountException(mountPoint + ": cannot remount: " + reason);
    }
  }
}
