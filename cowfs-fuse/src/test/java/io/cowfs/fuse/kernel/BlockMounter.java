package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Mounts with the type {@code fuseblk}, as file systems on block devices are (NTFS-3G): what stands
 * on such a mount takes it for one of the host's own. The device itself is not used. As root; for
 * one mount.
 */
final class BlockMounter implements Mounter {
  private final Path backing;
  private final SystemCallMounter unmounter = new SystemCallMounter();
  private String loop;

  /**
   * @param backing a file of 512 bytes or more, which becomes the block device
   */
  BlockMounter(Path backing) {
    this.backing = backing;
  }

  @Override
  public FuseDevice mount(Path mountPoint, MountOptions options, int maxRead)
      throws MountException {
    loop = run("losetup", "--find", "--show", backing.toString());
    FuseDevice device = FuseDevice.open();
    String data =
        "fd=%d,rootmode=40000,user_id=0,group_id=0,default_permissions,max_read=%d"
            .formatted(device.fd(), maxRead);
    int result =
        LIBC.mount(
            LibC.Native.string(loop),
            LibC.Native.string(mountPoint.toString()),
            LibC.Native.string("fuseblk"),
            options.kernelFlags(),
            LibC.Native.string(data));
    if (result != 0) {
      String reason = LibC.Native.message(LibC.Native.errno());
      device.close();
      run("losetup", "--detach", loop);
      throw new MountException(mountPoint + ": cannot mount: " + reason);
    }
    return device;
  }

  @Override
  public void unmount(Path mountPoint) throws MountException {
    unmounter.unmount(mountPoint);
    run("losetup", "--detach", loop);
  }

  @Override
  public void unmountBusy(Path mountPoint) throws MountException {
    unmounter.unmountBusy(mountPoint);
    run("losetup", "--detach", loop);
  }

  private static String run(String... command) throws MountException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new MountException(output.strip());
      }
      return output.strip();
    } catch (IOException e) {
      throw new MountException(e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MountException("interrupted");
    }
  }
}
