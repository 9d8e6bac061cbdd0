package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;

/**
 * The handles that the kernel holds, by the numbers given to it. Each has a reference to its inode,
 * by which the file system knows that the kernel has something of it. Thread-safe.
 */
final class OpenFiles {
  private static final long NONE = 0;

  /** An open file or directory. */
  static final class Open {
    private final FileHandle handle;
    private volatile long nodeId;

    /** Of a directory: it was removed, and the library has no path to it any more. */
    private volatile boolean removed;

    private Open(FileHandle handle) {
      this.handle = handle;
    }

    FileHandle handle() {
      return handle;
    }

    long inode() {
      return handle.inode();
    }

    /** The library's number for the file, under which the kernel may have pages of it. */
    void isNode(long libraryNodeId) {
      if (nodeId != libraryNodeId) {
        nodeId = libraryNodeId;
      }
    }
  }

  private final FileSystem fileSystem;
  private final ConcurrentHashMap<Long, Open> open = new ConcurrentHashMap<>();
  private final AtomicLong last = new AtomicLong();

  /** Handles on removed directories: rarely any. */
  private final AtomicInteger removed = new AtomicInteger();

  OpenFiles(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  /** Takes over the handle and a reference to its inode. Returns its number, never 0. */
  long add(FileHandle handle) {
    long number = last.incrementAndGet();
    open.put(number, new Open(handle));
    return number;
  }

  Open get(long number) throws FsException {
    Open found = open.get(number);
    if (found == null) {
      throw new FsException(FsError.BAD_HANDLE);
    }
    return found;
  }

  /** Closes the handle, and returns what it was; null for an unknown number. */
  Open release(long number) {
    Open found = open.remove(number);
    if (found != null) {
      if (found.removed) {
        removed.decrementAndGet();
      }
      fileSystem.release(found.handle);
      Paths.forget(fileSystem, found.inode());
    }
    return found;
  }

  /** The number of a handle on the inode, or 0. */
  long numberOf(long inode) {
    for (Map.Entry<Long, Open> file : open.entrySet()) {
      if (file.getValue().inode() == inode) {
        return file.getKey();
      }
    }
    return NONE;
  }

  /** A directory was removed. Until it is closed, its handles stand for it. */
  void directoryRemoved(long inode) {
    open.forEach(
        (number, file) -> {
          if (file.inode() == inode) {
            open.computeIfPresent(number, (same, there) -> markRemoved(there));
          }
        });
  }

  private Open markRemoved(Open directory) {
    if (!directory.removed) {
      directory.removed = true;
      removed.incrementAndGet();
    }
    return directory;
  }

  /** The number of a handle on the removed directory that is the library's node, or 0. */
  long numberOfRemoved(long nodeId) {
    if (removed.get() == 0) {
      return NONE;
    }
    for (Map.Entry<Long, Open> file : open.entrySet()) {
      if (file.getValue().removed && file.getValue().nodeId == nodeId) {
        return file.getKey();
      }
    }
    return NONE;
  }

  boolean isOpen(long inode) {
    return numberOf(inode) != NONE;
  }

  /** The library's numbers under which the kernel may have pages of the open file. */
  Set<Long> nodesOf(long inode) {
    return open.values().stream()
        .filter(file -> file.inode() == inode && file.nodeId != 0)
        .map(file -> file.nodeId)
        .collect(Collectors.toSet());
  }

  /** Closes all handles: for the end of the mount, when the kernel can no longer do it. */
  void releaseAll() {
    open.keySet().forEach(this::release);
  }
}
