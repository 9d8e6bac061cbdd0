package io.cowfs.core.fs;

import io.cowfs.core.alloc.ReserveTier;
import io.cowfs.core.dataset.DatasetSettings;
import io.cowfs.core.vfs.AccessTimes;
import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.InodeFlag;
import io.cowfs.core.vfs.Timestamp;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.Set;

/** chmod, chown, utimensat, truncate and chattr. Thread-safe. */
final class AttributeChanges {
  /** A stored access time older than this, in seconds, is renewed by a read (relatime). */
  private static final long RELATIME_SECONDS = 24 * 60 * 60;

  private static final Logger LOG = System.getLogger(AttributeChanges.class.getName());

  private final VolumeState volume;
  private final FileWrites writes;
  private final AccessControl accessControl;

  /* What the mount says; it may change at any time. */
  private volatile AccessTimes accessOfFiles = AccessTimes.CONFIGURED;
  private volatile AccessTimes accessOfDirectories = AccessTimes.CONFIGURED;

  AttributeChanges(VolumeState volume, FileWrites writes, AccessControl accessControl) {
    this.volume = volume;
    this.writes = writes;
    this.accessControl = accessControl;
  }

  /**
   * Changes attributes.
   *
   * @param handle over which it was asked, or null
   */
  Attributes set(Caller caller, long number, FileHandle handle, AttributeChange wanted)
      throws FsException, IOException {
    requireTimes(wanted);
    if (wanted.size() != null) {
      return setWithSize(caller, number, wanted);
    }
    try (Mutation change = Mutation.begin(volume, caller, ReserveTier.DELETE)) {
      Inode inode = change.use(number);
      change.lock(inode);
      if (volume.inodes().isUnsettled(inode)) {
        return inode.attributes();
      }
      InodeFlags.checkChange(inode, wanted, handle != null);
      AccessControl.Stored acl = wanted.mode() == null ? null : accessControl.storedAccess(inode);
      change.join();
      apply(caller, inode, wanted, change.now());
      if (acl != null) {
        accessControl.follow(change, inode, acl);
      }
      change.store(inode);
      return inode.attributes();
    }
  }

  /** What is no time cannot be read back. */
  private static void requireTimes(AttributeChange wanted) throws FsException {
    for (Timestamp time : new Timestamp[] {wanted.atime(), wanted.mtime(), wanted.ctime()}) {
      if (time != null && !time.equals(AttributeChange.NOW) && !time.isValid()) {
        throw new FsException(FsError.INVALID);
      }
    }
  }

  private Attributes setWithSize(Caller caller, long number, AttributeChange wanted)
      throws FsException, IOException {
    try (DataMutation change =
        DataMutation.begin(
            volume,
            caller,
            new DataMutation.Target(number, wanted.size(), Long.MAX_VALUE, 1),
            ReserveTier.DELETE)) {
      if (volume.inodes().isUnsettled(change.inode())) {
        return change.inode().attributes();
      }
      InodeFlags.checkChange(change.inode(), wanted, true);
      writes.truncate(
          change,
          wanted.size(),
          () -> {
            apply(caller, change.inode(), wanted, change.now());
            return null;
          });
      return change.inode().attributes();
    }
  }

  void setFlags(long number, Set<InodeFlag> flags) throws FsException, IOException {
    try (Mutation change = Mutation.begin(volume, Caller.ROOT, ReserveTier.DELETE)) {
      Inode inode = change.use(number);
      change.lock(inode);
      if (!inode.isRegular() && !inode.isDirectory()) {
        throw new FsException(FsError.NOT_SUPPORTED);
      }
      if (volume.inodes().isUnsettled(inode)) {
        return;
      }
      change.join();
      inode.flags = InodeFlags.bits(flags);
      inode.ctime = change.now();
      change.store(inode);
    }
  }

  private static void apply(Caller caller, Inode inode, AttributeChange wanted, Timestamp now) {
    if (wanted.killPrivileges()) {
      inode.killPrivileges(caller);
    }
    if (wanted.mode() != null) {
      inode.mode = (inode.mode & ~Inode.PERMISSIONS) | (wanted.mode() & Inode.PERMISSIONS);
    }
    if (wanted.uid() != null) {
      inode.uid = wanted.uid();
    }
    if (wanted.gid() != null) {
      inode.gid = wanted.gid();
    }
    if (wanted.atime() != null) {
      inode.atime = timeOr(wanted.atime(), now);
    }
    if (wanted.mtime() != null) {
      inode.mtime = timeOr(wanted.mtime(), now);
    }
    inode.ctime = wanted.ctime() == null ? now : timeOr(wanted.ctime(), now);
  }

  private static Timestamp timeOr(Timestamp wanted, Timestamp now) {
    return wanted.equals(AttributeChange.NOW) ? now : wanted;
  }

  void setAccessTimes(AccessTimes ofFiles, AccessTimes ofDirectories) {
    accessOfFiles = ofFiles;
    accessOfDirectories = ofDirectories;
  }

  /**
   * Renews the access time of what was read, where the mount or the dataset's setting asks for it.
   * The inode is not locked.
   */
  void accessed(Inode inode) throws FsException, IOException {
    if (!accessTimeIsOld(inode)) {
      return;
    }
    // A full, busy, suspended or damaged pool still lets files be read; their access times stay.
    try (Mutation change = Mutation.beginAtOnce(volume)) {
      if (change == null) {
        return;
      }
      Inode read = change.use(inode.number);
      change.lock(read);
      if (!volume.inodes().isUnsettled(read) && accessTimeIsOld(read)) {
        change.join();
        read.atime = change.now();
        change.store(read);
      }
    } catch (IOException suspendedOrDamaged) {
      LOG.log(Level.DEBUG, "an access time stays as it was", suspendedOrDamaged);
    }
  }

  private boolean accessTimeIsOld(Inode inode) {
    if (InodeFlags.has(inode, InodeFlag.NO_ATIME)) {
      return false;
    }
    AccessTimes mounted = inode.isDirectory() ? accessOfDirectories : accessOfFiles;
    if (mounted != AccessTimes.CONFIGURED) {
      return mounted == AccessTimes.ALWAYS;
    }
    DatasetSettings.AccessTime policy = volume.head().settings().atime();
    if (policy != DatasetSettings.AccessTime.RELATIME) {
      return policy == DatasetSettings.AccessTime.ON;
    }
    Timestamp atime = inode.atime;
    return atime.compareTo(inode.mtime) <= 0
        || atime.compareTo(inode.ctime) <= 0
        || volume.now().seconds() - atime.seconds() >= RELATIME_SECONDS;
  }
}
