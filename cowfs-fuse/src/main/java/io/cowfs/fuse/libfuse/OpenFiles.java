package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
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
  /** An open file or directory. */
  static final class Open {
    private final FileHandle handle;
    private volatile long nodeId;

    /**
     * A name of it was removed or given to another: the library may have no path to it any more.
     */
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

  /** Handles on what was removed: rarely any. */
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

  /** The inode lost a name. Until they are closed, its handles stand for it. */
  void removed(long inode) {
    open.forEach(
        (number, file) -> {
          if (file.inode() == inode) {
            open.computeIfPresent(number, (same, there) -> markRemoved(there));
          }
        });
  }

  private Open markRemoved(Open file) {
    if (!file.removed) {
      file.removed = true;
      removed.incrementAndGet();
    }
    return file;
  }

  /** The inode that was removed and is open as this node of the library, or null. */
  Long inodeOfRemoved(long nodeId) {
    if (removed.get() == 0) {
      return null;
    }
    for (Open file : open.values()) {
      if (file.removed && file.nodeId == nodeId) {
        return file.inode();
      }
    }
    return null;
  }

  boolean isOpen(long inode) {
    for (Open file : open.values()) {
      if (file.inode() == inode) {
        return true;
      }
    }
    return false;
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
