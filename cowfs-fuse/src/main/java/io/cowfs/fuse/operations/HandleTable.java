package io.cowfs.fuse.operations;

import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** The handles that the kernel holds, by the numbers given to it. Thread-safe. */
public final class HandleTable {
  /** An open file or directory. */
  private record Open(FileHandle handle, boolean writable) {}

  private final FileSystem fileSystem;
  private final ConcurrentHashMap<Long, Open> open = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<Long, Integer> writers = new ConcurrentHashMap<>();
  private final AtomicLong last = new AtomicLong();

  public HandleTable(FileSystem fileSystem) {
    this.fileSystem = fileSystem;
  }

  /** Takes ownership of the handle and returns its number, never 0. */
  long add(FileHandle handle, boolean writable) {
    long number = last.incrementAndGet();
    if (writable) {
      writers.merge(handle.inode(), 1, Integer::sum);
    }
    open.put(number, new Open(handle, writable));
    return number;
  }

  FileHandle get(long number) throws FsException {
    Open found = open.get(number);
    if (found == null) {
      throw new FsException(FsError.BAD_HANDLE);
    }
    return found.handle();
  }

  /** Closes the handle. An unknown number is ignored. */
  void release(long number) {
    Open found = open.remove(number);
    if (found == null) {
      return;
    }
    if (found.writable()) {
      writers.computeIfPresent(
          found.handle().inode(), (inode, count) -> count == 1 ? null : count - 1);
    }
    fileSystem.release(found.handle());
  }

  /** True while a handle of the inode is open for writing. */
  boolean hasWriters(long inode) {
    return writers.containsKey(inode);
  }

  /** The inodes that are open for writing now. */
  public long[] inodesWithWriters() {
    return writers.keySet().stream().mapToLong(Long::longValue).toArray();
  }

  /** How many handles are open. */
  public int size() {
    return open.size();
  }

  /** Closes all handles: for the end of the mount, when the kernel can no longer do it. */
  public void releaseAll() {
    for (Long number : open.keySet()) {
      release(number);
    }
  }
}
