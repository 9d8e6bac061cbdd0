package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.Attributes;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.util.Arrays;
import jnr.ffi.Pointer;

/**
 * From paths to inodes: each callback looks its path up from the root, name by name, and keeps
 * nothing. The library lets no other request change the path meanwhile. Thread-safe.
 */
final class Paths {
  private final FileSystem fileSystem;
  private final HiddenFiles hidden;
  private final CurrentRequest current;

  Paths(FileSystem fileSystem, HiddenFiles hidden, CurrentRequest current) {
    this.fileSystem = fileSystem;
    this.hidden = hidden;
    this.current = current;
  }

  /** An inode, which is held by one reference until the place is closed. */
  final class Place implements AutoCloseable {
    private final Attributes attributes;
    private final byte[] name;
    private boolean kept;

    private Place(Attributes attributes, byte[] name) {
      this.attributes = attributes;
      this.name = name;
    }

    long inode() {
      return attributes.inode();
    }

    Attributes attributes() {
      return attributes;
    }

    /** Of a parent: the last name of the path. */
    byte[] name() {
      return name;
    }

    /** Leaves the reference to the caller. */
    void keep() {
      kept = true;
    }

    @Override
    public void close() {
      if (!kept) {
        forget(attributes.inode());
      }
    }
  }

  /** Gives back a reference that came with attributes. */
  void forget(long inode) {
    forget(fileSystem, inode);
  }

  static void forget(FileSystem fileSystem, long inode) {
    if (inode != FileSystem.ROOT_INODE) {
      fileSystem.forget(inode, 1);
    }
  }

  /** The bytes of a C string. */
  static byte[] bytes(Pointer string) {
    byte[] bytes = new byte[string.indexOf(0, (byte) 0)];
    string.get(0, bytes, 0, bytes.length);
    return bytes;
  }

  /**
   * What the path leads to.
   *
   * @throws FsException NOT_FOUND when a name is looked up that is not there; STALE when the kernel
   *     holds what the path led to before a rollback
   */
  Place inode(Pointer path) throws FsException {
    byte[] bytes = bytes(path);
    if (current.isLookup()) {
      return new Place(walk(bytes, bytes.length), null);
    }
    Long unlinked = hidden.find(lastName(bytes));
    if (unlinked != null) {
      return new Place(fileSystem.reference(unlinked), null);
    }
    try {
      return new Place(walk(bytes, bytes.length), null);
    } catch (FsException e) {
      boolean stale = e.error() == FsError.NOT_FOUND && !current.removesName();
      throw stale ? new FsException(FsError.STALE) : e;
    }
  }

  /** The directory in which the path's last name is, or would be. */
  Place parent(Pointer path) throws FsException {
    byte[] bytes = bytes(path);
    byte[] name = lastName(bytes);
    if (hidden.find(name) != null) {
      // The library knows the name, and would take the new file for the hidden one.
      throw new FsException(FsError.BUSY);
    }
    requireShort(name);
    return new Place(walk(bytes, bytes.length - name.length), name);
  }

  private static void requireShort(byte[] name) throws FsException {
    if (name.length > FileSystem.NAME_LENGTH_MAX) {
      throw new FsException(FsError.NAME_TOO_LONG);
    }
  }

  static byte[] lastName(byte[] path) {
    int start = path.length;
    while (start > 0 && path[start - 1] != '/') {
      start--;
    }
    return Arrays.copyOfRange(path, start, path.length);
  }

  /** The inode at the end of the first bytes of a path, with one reference. */
  private Attributes walk(byte[] path, int end) throws FsException {
    Attributes at = null;
    int start = 0;
    while (start < end) {
      if (path[start] == '/') {
        start++;
        continue;
      }
      int stop = start;
      while (stop < end && path[stop] != '/') {
        stop++;
      }
      at = step(at, Arrays.copyOfRange(path, start, stop));
      start = stop;
    }
    return at == null ? fileSystem.getAttributes(FileSystem.ROOT_INODE) : at;
  }

  /** Exchanges a reference to a directory, null for the root, for one to what it has. */
  private Attributes step(Attributes directory, byte[] name) throws FsException {
    long parent = directory == null ? FileSystem.ROOT_INODE : directory.inode();
    try {
      requireShort(name);
      return fileSystem.lookup(parent, name);
    } finally {
      forget(parent);
    }
  }
}
