package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import io.cowfs.fuse.errno.Errno;
import java.nio.file.Path;

/** Mounts with {@code mount(2)}, as root. */
final class SystemCallMounter implements Mounter {
  private static final int MNT_FORCE = 1;
  private static final int MNT_DETACH = 2;
  private static final int UMOUNT_NOFOLLOW = 8;

  @Override
  public FuseDevice mount(Path mountPoint, MountOptions options, int maxRead)
      throws MountException {
    FuseDevice device = FuseDevice.open();
    StringBuilder data = new StringBuilder();
    data.append("fd=").append(device.fd());
    data.append(",rootmode=40000");
    data.append(",user_id=").append(LIBC.geteuid());
    data.append(",group_id=").append(LIBC.getegid());
    data.append(",default_permissions");
    if (options.allowOther()) {
      data.append(",allow_other");
    }
    data.append(",max_read=").append(maxRead);
    int result =
        LIBC.mount(
            LibC.Native.string(options.source()),
            LibC.Native.string(mountPoint.toString()),
            LibC.Native.string("fuse.cowfs"),
            options.kernelFlags(),
            LibC.Native.string(data.toString()));
    if (result != 0) {
      int errno = LibC.Native.errno();
      device.close();
      throw new MountException(mountPoint + ": cannot mount: " + LibC.Native.message(errno));
    }
    return device;
  }

  @Override
  public void unmount(Path mountPoint) throws MountException {
    unmount(mountPoint, UMOUNT_NOFOLLOW);
  }

  @Override
  public void unmountBusy(Path mountPoint) throws MountException {
    unmount(mountPoint, UMOUNT_NOFOLLOW | MNT_FORCE | MNT_DETACH);
  }

  private static void unmount(Path mountPoint, int flags) throws MountException {
    if (LIBC.umount2(LibC.Native.string(mountPoint.toString()), flags) != 0) {
      int errno = LibC.Native.errno();
      String reason = errno == Errno.EINVAL ? "not mounted" : LibC.Native.message(errno);
      throw new MountException(mountPoint + ": cannot unmount: " + reason);
    }
  }
}
