package io.cowfs.fuse.kernel;

import java.nio.file.Path;

/**
 * A mount whose requests nobody serves yet, and the one descriptor over which the kernel speaks.
 *
 * @param mountPoint without symbolic links
 */
public record Attachment(Path mountPoint, Mounter mounter, FuseDevice device) {
  /**
   * Mounts as this user can: with {@code mount(2)} as root, else through {@code fusermount3}.
   *
   * @param maxRead the most bytes of one READ
   * @throws MountException when it is refused; nothing is mounted then
   */
  public static Attachment make(Path mountPoint, MountOptions options, int maxRead)
      throws MountException {
    return make(mountPoint, options, maxRead, Mounter.forThisUser());
  }

  static Attachment make(Path mountPoint, MountOptions options, int maxRead, Mounter mounter)
      throws MountException {
    Path real = MountPoint.check(mountPoint, options);
    return new Attachment(real, mounter, mounter.mount(real, options, maxRead));
  }

  /** The number of the descriptor. Whoever closes it owns it from then on. */
  public int descriptor() {
    return device.fd();
  }

  /** Closes the descriptor and unmounts. What fails then is noted with the reason for it. */
  public void undo(Throwable reason) {
    // Closing the last descriptor ends the connection, so that unmounting asks nobody.
    device.close();
    try {
      mounter.unmountBusy(mountPoint);
    } catch (MountException unmounting) {
      reason.addSuppressed(unmounting);
    }
  }
}
