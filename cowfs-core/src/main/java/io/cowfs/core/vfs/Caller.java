package io.cowfs.core.vfs;

/**
 * Who asks. Permission checks are the kernel's (default_permissions); the file system uses this for
 * the ownership of new inodes, and for the rules that depend on privilege.
 *
 * @param umask applied by the file system to the mode of new inodes
 * @param interrupted true once the caller no longer waits for the answer (a signal arrived); long
 *     waits poll it and end with {@link FsError#INTERRUPTED}
 */
public record Caller(
    int uid, int gid, int pid, int umask, java.util.function.BooleanSupplier interrupted) {

  /** Root, not interruptible: for work that the file system does on its own account. */
  public static final Caller ROOT = new Caller(0, 0, 0, 0, () -> false);
}
