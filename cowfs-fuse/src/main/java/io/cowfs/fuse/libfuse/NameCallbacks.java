package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.RenameMode;
import io.cowfs.fuse.libfuse.Paths.Place;
import jnr.ffi.Pointer;

/**
 * Making, moving and removing names.
 *
 * <p>When an open file loses its name, by an unlink or because another is renamed over it, the
 * library first renames it to a hidden name, and at the last close it unlinks that. Here the first
 * is the unlink, or nothing where a rename follows that replaces the name atomically; the second is
 * nothing. In between, the hidden name stands for the file: so whatever can be done to an open file
 * by its path can be done.
 */
final class NameCallbacks {
  private final FileSystem fileSystem;
  private final Paths paths;
  private final OpenFiles files;
  private final HiddenFiles hidden;
  private final CurrentRequest current;
  private final Callers callers;

  NameCallbacks(
      FileSystem fileSystem,
      Paths paths,
      OpenFiles files,
      HiddenFiles hidden,
      CurrentRequest current,
      Callers callers) {
    this.fileSystem = fileSystem;
    this.paths = paths;
    this.files = files;
    this.hidden = hidden;
    this.current = current;
    this.callers = callers;
  }

  int makeNode(Pointer path, int mode, long rdev) throws FsException {
    try (Place parent = paths.parent(path)) {
      paths.forget(
          fileSystem
              .makeNode(callers.now(), parent.inode(), parent.name(), mode, (int) rdev)
              .inode());
      return 0;
    }
  }

  int makeDirectory(Pointer path, int mode) throws FsException {
    try (Place parent = paths.parent(path)) {
      paths.forget(
          fileSystem.makeDirectory(callers.now(), parent.inode(), parent.name(), mode).inode());
      return 0;
    }
  }

  int makeSymlink(Pointer target, Pointer path) throws FsException {
    try (Place parent = paths.parent(path)) {
      byte[] bytes = Paths.bytes(target);
      paths.forget(
          fileSystem.makeSymlink(callers.now(), parent.inode(), parent.name(), bytes).inode());
      return 0;
    }
  }

  int link(Pointer path, Pointer newPath) throws FsException {
    try (Place file = paths.inode(path);
        Place parent = paths.parent(newPath)) {
      paths.forget(fileSystem.link(file.inode(), parent.inode(), parent.name()).inode());
      return 0;
    }
  }

  int removeDirectory(Pointer path) throws FsException {
    try (Place parent = paths.parent(path)) {
      long directory = inodeAt(parent);
      fileSystem.removeDirectory(parent.inode(), parent.name());
      removed(directory);
      return 0;
    }
  }

  int unlink(Pointer path) throws FsException {
    if (!current.isUnlink()) {
      // The last close of a hidden file.
      hidden.remove(Paths.lastName(Paths.bytes(path)));
      return 0;
    }
    try (Place parent = paths.parent(path)) {
      fileSystem.unlink(parent.inode(), parent.name());
      return 0;
    }
  }

  int rename(Pointer path, Pointer newPath) throws FsException {
    byte[] newName = Paths.lastName(Paths.bytes(newPath));
    if (current.isUnlink()) {
      return hide(path, newName, true);
    }
    if (!current.isRenameTo(newName)) {
      return hide(path, newName, false);
    }
    try (Place from = paths.parent(path);
        Place to = paths.parent(newPath)) {
      long replaced = inodeAt(to);
      fileSystem.rename(from.inode(), from.name(), to.inode(), to.name(), RenameMode.REPLACE);
      removed(replaced);
      return 0;
    }
  }

  /** The library has no path any more to the inode, nor to what was hidden in it. */
  private void removed(long inode) {
    hidden.directoryRemoved(inode);
    files.removed(inode);
  }

  /** What has this name, or 0. */
  private long inodeAt(Place place) throws FsException {
    try {
      long inode = fileSystem.lookup(place.inode(), place.name()).inode();
      paths.forget(inode);
      return inode;
    } catch (FsException e) {
      if (e.error() == FsError.NOT_FOUND) {
        return 0;
      }
      throw e;
    }
  }

  private int hide(Pointer path, byte[] hiddenName, boolean unlink) throws FsException {
    try (Place parent = paths.parent(path)) {
      long inode = fileSystem.lookup(parent.inode(), parent.name()).inode();
      hidden.add(hiddenName, inode, parent.inode());
      if (unlink) {
        try {
          fileSystem.unlink(parent.inode(), parent.name());
        } catch (FsException e) {
          hidden.remove(hiddenName);
          throw e;
        }
      }
      return 0;
    }
  }
}
