package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.XattrMode;
import io.cowfs.fuse.libfuse.Paths.Place;
import io.cowfs.fuse.operations.XattrNames;
import io.cowfs.fuse.wire.XattrFormat;
import jnr.ffi.Pointer;

/**
 * Extended attributes. There are no access control lists, which this protocol does not let the
 * kernel obey: storing them would promise too much.
 */
final class XattrCallbacks {
  private final FileSystem fileSystem;
  private final Paths paths;
  private final Callers callers;

  XattrCallbacks(FileSystem fileSystem, Paths paths, Callers callers) {
    this.fileSystem = fileSystem;
    this.paths = paths;
    this.callers = callers;
  }

  private static byte[] name(Pointer string) throws FsException {
    byte[] name = Paths.bytes(string);
    XattrNames.require(name, false);
    return name;
  }

  int set(Pointer path, Pointer name, Pointer value, long bytes, int flags) throws FsException {
    XattrMode mode =
        switch (flags) {
          case 0 -> XattrMode.CREATE_OR_REPLACE;
          case XattrFormat.CREATE -> XattrMode.CREATE;
          case XattrFormat.REPLACE -> XattrMode.REPLACE;
          default -> throw new FsException(FsError.INVALID);
        };
    byte[] copy = new byte[Math.toIntExact(bytes)];
    if (copy.length > 0) {
      value.get(0, copy, 0, copy.length);
    }
    try (Place place = paths.inode(path)) {
      fileSystem.setXattr(place.inode(), name(name), copy, mode);
      return 0;
    }
  }

  int get(Pointer path, Pointer name, Pointer room, long bytes) throws FsException {
    try (Place place = paths.inode(path)) {
      return answer(fileSystem.getXattr(place.inode(), name(name)), room, bytes);
    }
  }

  int list(Pointer path, Pointer room, long bytes) throws FsException {
    try (Place place = paths.inode(path)) {
      byte[] names = fileSystem.listXattrs(place.inode());
      return answer(XattrNames.visibleTo(callers.now().uid(), names), room, bytes);
    }
  }

  int remove(Pointer path, Pointer name) throws FsException {
    try (Place place = paths.inode(path)) {
      fileSystem.removeXattr(place.inode(), name(name));
      return 0;
    }
  }

  /** The value, or for a caller that gave no room, only its size. */
  private static int answer(byte[] value, Pointer room, long bytes) throws FsException {
    if (bytes == 0) {
      return value.length;
    }
    if (value.length > bytes) {
      throw new FsException(FsError.RANGE);
    }
    room.put(0, value, 0, value.length);
    return value.length;
  }
}
