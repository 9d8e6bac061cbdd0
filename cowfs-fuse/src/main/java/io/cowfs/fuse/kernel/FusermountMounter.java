package io.cowfs.fuse.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Mounts through the setuid helper {@code fusermount3}, which opens the device, mounts, and sends
 * the descriptor back over a socket.
 */
final class FusermountMounter implements Mounter {
  private static final System.Logger LOG = System.getLogger(FusermountMounter.class.getName());

  private static final String HELPER = "fusermount3";

  @Override
  public FuseDevice mount(Path mountPoint, MountOptions options, int maxRead)
      throws MountException {
    List<String> values = new ArrayList<>(options.flagOptions());
    values.add("default_permissions");
    if (options.allowOther()) {
      values.add("allow_other");
    }
    values.add("max_read=" + maxRead);
    values.add("subtype=cowfs");
    values.add("fsname=" + options.source().replace("\\", "\\\\").replace(",", "\\,"));
    try (DescriptorSocket socket = DescriptorSocket.open()) {
      HelperProcess helper =
          HelperProcess.start(
              HELPER,
              List.of("-o", String.join(",", values), "--", mountPoint.toString()),
              socket.childFd());
      socket.closeChildSide();
      int fd = socket.receive();
      helper.await(mountPoint + ": cannot mount");
      if (fd < 0) {
        throw new MountException(mountPoint + ": " + HELPER + " sent no descriptor");
      }
      return new FuseDevice(fd);
    }
  }

  @Override
  public void unmount(Path mountPoint) throws MountException {
    run(mountPoint, List.of("-u", "--", mountPoint.toString()));
  }

  /**
   * Users may not force; but they may abort the connection of their own mount, where the control
   * file system is mounted. Elsewhere it ends with this process, or when nobody uses it any more.
   */
  @Override
  public void unmountBusy(Path mountPoint) throws MountException {
    Optional<String> device = deviceOf(mountPoint);
    run(mountPoint, List.of("-u", "-z", "--", mountPoint.toString()));
    if (device.isPresent()) {
      try {
        Files.writeString(ControlFileSystem.abortFile(device.get()), "1");
      } catch (IOException e) {
        LOG.log(System.Logger.Level.DEBUG, "the connection of the mount cannot be aborted", e);
      }
    }
  }

  private static Optional<String> deviceOf(Path mountPoint) throws MountException {
    try {
      return MountTable.deviceOf(mountPoint);
    } catch (IOException e) {
      throw new MountException(mountPoint + ": cannot unmount: " + e.getMessage(), e);
    }
  }

  private static void run(Path mountPoint, List<String> arguments) throws MountException {
    HelperProcess.start(HELPER, arguments, -1).await(mountPoint + ": cannot unmount");
  }
}
