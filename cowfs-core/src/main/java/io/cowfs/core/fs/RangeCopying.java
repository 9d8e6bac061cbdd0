package io.cowfs.core.fs;

import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem.Copy;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * copy_file_range(2). Thread-safe.
 *
 * <p>A long range is cloned, where the offsets lie equally in their sectors: the sectors that it
 * has only in part, at its ends, are copied. What is not written yet can only be cloned after a
 * commit, so a short range of that is copied as a whole: it is in memory sooner.
 */
final class RangeCopying {
  private static final int SECTOR = PageArena.PAGE_BYTES;

  /** What is worth the bookkeeping. */
  private static final long CLONED_BYTES_MIN = 64 << 10;

  /** What is worth a commit, without which nothing can be cloned that is in memory only. */
  private static final long CLONED_DIRTY_BYTES_MIN = 1 << 20;

  private static final int BUFFER_BYTES = 256 << 10;

  private final VolumeState volume;
  private final FileWrites writes;
  private final RangeCloning cloning;
  private final Reader reader;

  /** Reads from an open file, as {@link io.cowfs.core.vfs.FileSystem#read}. */
  @FunctionalInterface
  interface Reader {
    int read(FileHandle handle, long offset, int length, ByteBuffer destination) throws FsException;
  }

  RangeCopying(VolumeState volume, FileWrites writes, RangeCloning cloning, Reader reader) {
    this.volume = volume;
    this.writes = writes;
    this.cloning = cloning;
    this.reader = reader;
  }

  /** One call in progress: how far it is. */
  private static final class Progress {
    final Caller caller;
    final Copy copy;
    final long length;
    final boolean killPrivileges;
    long done;

    Progress(Caller caller, Copy copy, long length, boolean killPrivileges) {
      this.caller = caller;
      this.copy = copy;
      this.length = length;
      this.killPrivileges = killPrivileges;
    }

    long from() {
      return copy.fromOffset() + done;
    }

    long to() {
      return copy.toOffset() + done;
    }

    long left() {
      return length - done;
    }
  }

  /**
   * Copies as much as there is.
   *
   * @return the bytes copied: 0 only when the source ends before the range
   */
  long copy(Caller caller, Copy copy, boolean killPrivileges) throws FsException, IOException {
    if (copy.fromOffset() < 0 || copy.toOffset() < 0 || copy.length() < 0) {
      throw new FsException(FsError.INVALID);
    }
    volume.checkWritable();
    Seen source = look(copy.source());
    long length = Math.min(copy.length(), source.size - copy.fromOffset());
    if (length <= 0) {
      return 0;
    }
    if (copy.toOffset() > FileWrites.FILE_BYTES_MAX - length) {
      throw new FsException(FsError.FILE_TOO_LARGE);
    }
    checkTarget(((Handle) copy.target()).target());
    if (copy.source().inode() == copy.target().inode()
        && Math.abs(copy.fromOffset() - copy.toOffset()) < length) {
      throw new FsException(FsError.INVALID);
    }
    Progress progress = new Progress(caller, copy, length, killPrivileges);
    try {
      run(progress, source.dirty ? CLONED_DIRTY_BYTES_MIN : CLONED_BYTES_MIN);
    } catch (FsException refused) {
      // What was copied is there; whoever goes on gets the error then.
      if (progress.done == 0) {
        throw refused;
      }
    }
    return progress.done;
  }

  private record Seen(long size, boolean dirty) {}

  private Seen look(FileHandle handle) throws FsException {
    Inode inode = ((Handle) handle).target();
    volume.gate().lock();
    try {
      volume.inodes().load(inode);
      inode.readLock().lock();
      try {
        ((Handle) handle).check();
        boolean dirty = inode.dirty != null || inode.syncing != null || inode.clonedTxg != 0;
        return new Seen(inode.size, dirty);
      } finally {
        inode.readLock().unlock();
      }
    } finally {
      volume.gate().unlock();
    }
  }

  private void checkTarget(Inode inode) throws FsException {
    inode.readLock().lock();
    try {
      InodeFlags.checkContent(inode);
    } finally {
      inode.readLock().unlock();
    }
  }

  private void run(Progress p, long clonedMin) throws FsException, IOException {
    boolean alike = (p.from() - p.to()) % SECTOR == 0;
    if (!alike || p.length < clonedMin) {
      copyBytes(p, p.length);
      return;
    }
    long edge = (SECTOR - p.from() % SECTOR) % SECTOR;
    copyBytes(p, edge);
    if (p.done < edge) {
      return;
    }
    // The last sector can be shared in part only where it is the last one of both files.
    if (!cloned(p, p.left()) && !cloned(p, p.left() / SECTOR * SECTOR)) {
      copyBytes(p, p.left());
    } else if (p.left() < SECTOR) {
      copyBytes(p, p.left());
    }
  }

  /** Clones from where it is, as much as one call does. False where this range cannot be cloned. */
  private boolean cloned(Progress p, long length) throws FsException, IOException {
    try {
      p.done +=
          cloning.clone(
              volume,
              (Handle) p.copy.source(),
              (Handle) p.copy.target(),
              new RangeCloning.Range(p.from(), p.to(), length),
              p.killPrivileges);
      return true;
    } catch (FsException refused) {
      if (refused.error() == FsError.INVALID) {
        return false;
      }
      throw refused;
    }
  }

  private void copyBytes(Progress p, long length) throws FsException, IOException {
    long end = p.done + length;
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(BUFFER_BYTES, length));
    while (p.done < end && !(p.done > 0 && p.caller.interrupted().getAsBoolean())) {
      int part = (int) Math.min(buffer.capacity(), end - p.done);
      int read = reader.read(p.copy.source(), p.from(), part, buffer.clear());
      if (read == 0) {
        return;
      }
      writes.write(p.caller, (Handle) p.copy.target(), p.to(), buffer.flip(), p.killPrivileges);
      p.done += read;
    }
  }
}
