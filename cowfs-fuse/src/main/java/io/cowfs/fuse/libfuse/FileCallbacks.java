package io.cowfs.fuse.libfuse;

import com.kenai.jffi.MemoryIO;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystem.Created;
import io.cowfs.core.vfs.FsException;
import io.cowfs.fuse.libfuse.OpenFiles.Open;
import io.cowfs.fuse.libfuse.Paths.Place;
import io.cowfs.fuse.operations.FileFlags;
import java.nio.ByteBuffer;
import jnr.ffi.Pointer;

/**
 * Open files, by handle alone: the paths of these calls are never computed.
 *
 * <p>The kernel takes each name of a file for a file of its own, with a size and pages of its own.
 * A write at the end, of which it chose the offset, may therefore be meant for another place: with
 * O_APPEND, data goes to where the file ends now.
 */
final class FileCallbacks {
  private static final int O_APPEND = 02000;

  /** Appending to different files rarely waits for one another. */
  private static final int APPEND_LOCKS = 64;

  private final FileSystem fileSystem;
  private final NodeCallbacks nodes;
  private final Paths paths;
  private final OpenFiles files;
  private final HiddenFiles hidden;
  private final CurrentRequest current;
  private final Callers callers;
  private final Object[] appendLocks = new Object[APPEND_LOCKS];

  FileCallbacks(
      FileSystem fileSystem,
      NodeCallbacks nodes,
      Paths paths,
      OpenFiles files,
      HiddenFiles hidden,
      CurrentRequest current,
      Callers callers) {
    this.fileSystem = fileSystem;
    this.nodes = nodes;
    this.paths = paths;
    this.files = files;
    this.hidden = hidden;
    this.current = current;
    this.callers = callers;
    for (int i = 0; i < APPEND_LOCKS; i++) {
      appendLocks[i] = new Object();
    }
  }

  int open(Pointer path, Pointer info) throws FsException {
    int flags = info.getInt(FileInfoFormat.FLAGS);
    try (Place place = paths.inode(path)) {
      long number = files.add(fileSystem.open(place.inode(), FileFlags.ofOpen(flags)));
      files.get(number).isNode(current.nodeId());
      place.keep();
      info.putLong(FileInfoFormat.HANDLE, number);
      return 0;
    }
  }

  int create(Pointer path, int mode, Pointer info) throws FsException {
    int flags = info.getInt(FileInfoFormat.FLAGS);
    try (Place parent = paths.parent(path)) {
      Created created =
          fileSystem.create(
              callers.now(), parent.inode(), parent.name(), mode, FileFlags.ofOpen(flags));
      info.putLong(FileInfoFormat.HANDLE, files.add(created.handle()));
      return 0;
    }
  }

  private Open file(Pointer info) throws FsException {
    return files.get(info.getLong(FileInfoFormat.HANDLE));
  }

  int getAttributes(Pointer stat, Pointer info) throws FsException {
    boolean any = info.getLong(FileInfoFormat.HANDLE) == CurrentRequest.ANY_HANDLE;
    long inode = any ? current.inodeOfAnyHandle(files, hidden) : file(info).inode();
    nodes.show(stat, fileSystem.getAttributes(inode));
    return 0;
  }

  int truncate(long size, Pointer info) throws FsException {
    Open file = file(info);
    Caller caller = callers.now();
    fileSystem.setAttributes(
        caller, file.inode(), file.handle(), NodeCallbacks.sizeChange(caller, size));
    return 0;
  }

  private static ByteBuffer view(Pointer data, long bytes) {
    return MemoryIO.getInstance().newDirectByteBuffer(data.address(), Math.toIntExact(bytes));
  }

  int read(Pointer room, long bytes, long offset, Pointer info) throws FsException {
    Open file = file(info);
    file.isNode(current.nodeId());
    return fileSystem.read(file.handle(), offset, Math.toIntExact(bytes), view(room, bytes));
  }

  int write(Pointer data, long bytes, long offset, Pointer info) throws FsException {
    Open file = file(info);
    file.isNode(current.nodeId());
    ByteBuffer source = view(data, bytes);
    if (info.getInt(FileInfoFormat.WRITE_PAGE) != 0) {
      // Written through a mapping some time ago, by whomever.
      fileSystem.write(callers.now(), file.handle(), offset, source, false);
    } else if ((info.getInt(FileInfoFormat.FLAGS) & O_APPEND) != 0) {
      synchronized (appendLocks[Long.hashCode(file.inode()) & (APPEND_LOCKS - 1)]) {
        write(file, fileSystem.getAttributes(file.inode()).size(), source);
      }
    } else {
      write(file, offset, source);
    }
    return Math.toIntExact(bytes);
  }

  private void write(Open file, long offset, ByteBuffer source) throws FsException {
    Caller caller = callers.now();
    fileSystem.write(caller, file.handle(), offset, source, NodeCallbacks.mayNotKeep(caller));
  }

  int release(Pointer info) {
    Open file = files.release(info.getLong(FileInfoFormat.HANDLE));
    if (file != null && !hidden.isEmpty() && !files.isOpen(file.inode())) {
      // Where its directory is gone, the library does not find the hidden name to unlink it.
      hidden.removeAll(file.inode());
    }
    return 0;
  }

  /** Of files and of directories. */
  int sync(int dataOnly, Pointer info) throws FsException {
    fileSystem.sync(callers.now(), file(info).inode(), dataOnly != 0);
    return 0;
  }

  int allocate(int mode, long offset, long length, Pointer info) throws FsException {
    fileSystem.allocate(file(info).handle(), FileFlags.ofAllocate(mode), offset, length);
    return 0;
  }
}
