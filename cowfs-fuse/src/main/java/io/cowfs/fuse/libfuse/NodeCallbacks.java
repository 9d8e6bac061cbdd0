package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.Timestamp;
import io.cowfs.fuse.libfuse.Paths.Place;
import jnr.ffi.Pointer;
import jnr.ffi.Struct;
import ru.serce.jnrfuse.struct.Timespec;

/**
 * Attributes by path. One change of the kernel's (a chown that takes suid away) comes as several
 * calls, of which each is made at once and all or nothing.
 */
final class NodeCallbacks {
  /* Instead of nanoseconds: the time of the change, and the time as it is. */
  private static final long UTIME_NOW = (1L << 30) - 1;
  private static final long UTIME_OMIT = (1L << 30) - 2;

  /** An owner or group that stays. */
  private static final int UNCHANGED = -1;

  private final FileSystem fileSystem;
  private final Paths paths;
  private final HiddenFiles hidden;
  private final CurrentRequest current;
  private final Callers callers;

  NodeCallbacks(
      FileSystem fileSystem,
      Paths paths,
      HiddenFiles hidden,
      CurrentRequest current,
      Callers callers) {
    this.fileSystem = fileSystem;
    this.paths = paths;
    this.hidden = hidden;
    this.current = current;
    this.callers = callers;
  }

  int getAttributes(Pointer path, Pointer stat) throws FsException {
    try (Place place = paths.inode(path)) {
      show(stat, place.attributes());
      return 0;
    }
  }

  /** Fills what the library turns into an answer. */
  void show(Pointer stat, Attributes attributes) {
    StatBuffer.fill(stat, attributes);
    if (attributes.nlink() > 0 && current.isGetAttributes() && hidden.isNode(current.nodeId())) {
      // The library subtracts one for the name by which it hides the file.
      StatBuffer.setLinks(stat, attributes.nlink() + 1);
    }
  }

  int changeMode(Pointer path, int mode) throws FsException {
    return change(
        path, new AttributeChange(mode & 07777, null, null, null, null, null, null, false));
  }

  int changeOwner(Pointer path, int uid, int gid) throws FsException {
    Integer newUid = uid == UNCHANGED ? null : uid;
    Integer newGid = gid == UNCHANGED ? null : gid;
    return change(path, new AttributeChange(null, newUid, newGid, null, null, null, null, false));
  }

  int truncate(Pointer path, long size) throws FsException {
    return change(path, sizeChange(callers.now(), size));
  }

  static AttributeChange sizeChange(Caller caller, long size) {
    return new AttributeChange(null, null, null, size, null, null, null, mayNotKeep(caller));
  }

  /**
   * Whether suid and sgid end where this caller changes the content. The kernel asks for most of
   * that by itself; of this protocol, it leaves out sgid where the group may not execute.
   */
  static boolean mayNotKeep(Caller caller) {
    return caller.uid() != 0;
  }

  int setTimes(Pointer path, Pointer times) throws FsException {
    Timespec access = Timespec.of(times);
    Timespec modification = Timespec.of(times.slice(Struct.size(access)));
    return change(
        path,
        new AttributeChange(null, null, null, null, time(access), time(modification), null, false));
  }

  private static Timestamp time(Timespec timespec) {
    long nanos = timespec.tv_nsec.longValue();
    if (nanos == UTIME_OMIT) {
      return null;
    }
    return nanos == UTIME_NOW
        ? AttributeChange.NOW
        : new Timestamp(timespec.tv_sec.get(), (int) nanos);
  }

  private int change(Pointer path, AttributeChange change) throws FsException {
    try (Place place = paths.inode(path)) {
      fileSystem.setAttributes(callers.now(), place.inode(), null, change);
      return 0;
    }
  }

  /** As a C string, cut off where the room ends. */
  int readSymlink(Pointer path, Pointer room, long bytes) throws FsException {
    try (Place place = paths.inode(path)) {
      byte[] target = fileSystem.readSymlink(place.inode());
      int length = (int) Math.min(target.length, bytes - 1);
      room.put(0, target, 0, length);
      room.putByte(length, (byte) 0);
      return 0;
    }
  }

  int status(Pointer statvfs) throws FsException {
    StatBuffer.fill(statvfs, fileSystem.status());
    return 0;
  }
}
