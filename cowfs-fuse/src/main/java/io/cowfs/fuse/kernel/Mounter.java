package io.cowfs.fuse.kernel;

import java.nio.file.Path;

/** A way to make and to remove mounts. */
public interface Mounter {
  /** How root and other users do it here. */
  static Mounter forThisUser() {
    return LibC.Native.LIBC.geteuid() == 0 ? new SystemCallMounter() : new FusermountMounter();
  }

  /**
   * Mounts.
   *
   * @param mountPoint checked, without symbolic links
   * @param maxRead the most bytes of one READ
   * @return the descriptor over which the kernel speaks
   */
  FuseDevice mount(Path mountPoint, MountOptions options, int maxRead) throws MountException;

  /**
   * Unmounts and returns when the kernel has written everything back.
   *
   * @throws MountException when the mount is in use or not there
   */
  void unmount(Path mountPoint) throws MountException;

  /** Unmounts also what is in use; whoever uses it gets errors from now on. */
  void unmountBusy(Path mountPoint) throws MountException;
}
