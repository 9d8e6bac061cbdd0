package io.cowfs.fuse.operations;

import static io.cowfs.fuse.wire.FileFormat.*;

import io.cowfs.core.vfs.AttributeChange;
import io.cowfs.core.vfs.Caller;
import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystem.Copy;
import io.cowfs.core.vfs.FileSystem.Created;
import io.cowfs.core.vfs.FileSystem.SeekTarget;
import io.cowfs.core.vfs.FsError;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.fuse.wire.Lifetime;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;

/**
 * Open files.
 *
 * <p>Appending is the kernel's part (it knows the size and gives the offset), and so is O_SYNC:
 * after each write to such a file, whether it went through its cache or not, it sends FSYNC. Of the
 * first, the file system sees the flag, because a file may be marked to be opened in no other way.
 *
 * <p>When a write or truncation may have taken suid or sgid away, the kernel is told that its
 * attributes are out of date: it would go on with the old mode otherwise, also in execve(2).
 */
final class FileOperations {
  /** The most that COPY_FILE_RANGE can answer, in whole sectors. */
  private static final long COPIED_MAX_OLD = (1L << 32) - 4096;

  /* Bits of st_mode. */
  private static final int S_ISUID = 04000;
  private static final int S_ISGID = 02000;

  private static final AttributeChange KILL_PRIVILEGES =
      new AttributeChange(null, null, null, null, null, null, null, true);

  private final FileSystem fileSystem;
  private final HandleTable handles;
  private final KernelCache cache;
  private final boolean writeback;

  FileOperations(FileSystem fileSystem, HandleTable handles, KernelCache cache, boolean writeback) {
    this.fileSystem = fileSystem;
    this.handles = handles;
    this.cache = cache;
    this.writeback = writeback;
  }

  void open(Call call, Reply reply) throws FsException {
    Request request = call.request();
    int flags = request.intAt(OPEN_FLAGS);
    Set<OpenFlags> openFlags = openFlags(flags, request.intAt(OPEN_OPEN_FLAGS));
    boolean kills =
        openFlags.contains(OpenFlags.KILL_PRIVILEGES) && hasPrivileges(request.nodeId());
    opened(reply, fileSystem.open(request.nodeId(), openFlags), flags);
    if (kills) {
      cache.attributesChanged(request.nodeId());
    }
  }

  private boolean hasPrivileges(long inode) throws FsException {
    return (fileSystem.getAttributes(inode).mode() & (S_ISUID | S_ISGID)) != 0;
  }

  /**
   * While a rollback tells the kernel, this may be a name that the kernel takes for free and that
   * is not. Where the program does not mind, ESTALE has the kernel look it up and open it: it does
   * not check who may open what was created just now.
   */
  void create(Call call, Reply reply) throws FsException {
    Request request = call.request();
    int flags = request.intAt(CREATE_FLAGS);
    Created created;
    try {
      created =
          fileSystem.create(
              call.caller(request.intAt(CREATE_UMASK)),
              request.nodeId(),
              request.nameAt(CREATE_BYTES),
              request.intAt(CREATE_MODE),
              openFlags(flags, request.intAt(CREATE_OPEN_FLAGS)));
    } catch (FsException e) {
      boolean taken = e.error() == FsError.EXISTS && !FileFlags.isExclusive(flags);
      throw taken ? new FsException(FsError.STALE) : e;
    }
    reply.entry(created.attributes(), Lifetime.LONG, Lifetime.LONG);
    opened(reply, created.handle(), flags);
  }

  /**
   * The request is that of CREATE; its name means nothing. Whether the file may ever be linked
   * (O_EXCL) is the kernel's affair.
   */
  void createUnnamed(Call call, Reply reply) throws FsException {
    Request request = call.request();
    int flags = request.intAt(CREATE_FLAGS);
    Created created =
        fileSystem.createUnnamed(
            call.caller(request.intAt(CREATE_UMASK)),
            request.nodeId(),
            request.intAt(CREATE_MODE),
            openFlags(flags, request.intAt(CREATE_OPEN_FLAGS)));
    reply.entry(created.attributes(), Lifetime.LONG, Lifetime.LONG);
    opened(reply, created.handle(), flags);
  }

  private void opened(Reply reply, FileHandle handle, int flags) {
    reply.opened(handles.add(handle, FileFlags.mayWrite(flags)), OPENED_KEEP_CACHE);
  }

  private Set<OpenFlags> openFlags(int flags, int openFlags) {
    EnumSet<OpenFlags> set = FileFlags.ofOpen(flags);
    if (writeback) {
      // To write part of a page, the kernel's cache reads the page first, over any handle.
      set.add(OpenFlags.READ);
    }
    if ((openFlags & OPEN_KILL_SUIDGID) != 0) {
      set.add(OpenFlags.KILL_PRIVILEGES);
    }
    return set;
  }

  void read(Call call, Reply reply) throws FsException {
    Request request = call.request();
    FileHandle handle = handles.get(request.longAt(READ_HANDLE));
    int size = request.intAt(READ_SIZE);
    if (size < 0 || size > reply.capacity()) {
      throw new FsException(FsError.INVALID);
    }
    reply.filled(fileSystem.read(handle, request.longAt(READ_OFFSET), size, reply.data(size)));
  }

  void write(Call call, Reply reply) throws FsException {
    Request request = call.request();
    FileHandle handle = handles.get(request.longAt(WRITE_HANDLE));
    int size = request.intAt(WRITE_SIZE);
    int flags = request.intAt(WRITE_WRITE_FLAGS);
    boolean kill = (flags & WRITE_KILL_SUIDGID) != 0;
    boolean kills = kill && hasPrivileges(handle.inode());
    ByteBuffer data = request.dataAt(WRITE_BYTES, size);
    try {
      fileSystem.write(call.caller(), handle, request.longAt(WRITE_OFFSET), data, kill);
    } catch (FsException e) {
      throw (flags & WRITE_CACHE) == 0 ? e : asCacheError(e);
    }
    if (kills) {
      cache.attributesChanged(handle.inode());
    }
    reply.putInt(reply.append(WRITTEN_BYTES) + WRITTEN_SIZE, size);
  }

  /**
   * The kernel keeps two errors for those who close a file after its cache could not be written: no
   * space, and EIO for all others. A quota is not a broken disk.
   */
  private static FsException asCacheError(FsException e) {
    return e.error() == FsError.QUOTA_EXCEEDED ? new FsException(FsError.NO_SPACE) : e;
  }

  /** The answer has 32 bits for the number of bytes; whoever wants more asks again. */
  void copy(Call call, Reply reply) throws FsException {
    long copied = copy(call, COPIED_MAX_OLD);
    reply.putInt(reply.append(WRITTEN_BYTES) + WRITTEN_SIZE, (int) copied);
  }

  /** The same with 64 bits. */
  void copyLong(Call call, Reply reply) throws FsException {
    long copied = copy(call, Long.MAX_VALUE);
    reply.putLong(reply.append(COPIED_BYTES) + COPIED_SIZE, copied);
  }

  /** The kernel has checked the range, and has written back what it holds of both ranges. */
  private long copy(Call call, long lengthMax) throws FsException {
    Request request = call.request();
    if (request.longAt(COPY_FLAGS) != 0) {
      throw new FsException(FsError.INVALID);
    }
    FileHandle target = handles.get(request.longAt(COPY_TARGET_HANDLE));
    Copy copy =
        new Copy(
            handles.get(request.longAt(COPY_SOURCE_HANDLE)),
            request.longAt(COPY_SOURCE_OFFSET),
            target,
            request.longAt(COPY_TARGET_OFFSET),
            Math.min(request.longAt(COPY_LENGTH), lengthMax));
    // The request does not tell whether privileges end with it, as WRITE does.
    boolean kills = request.uid() != 0 && hasPrivileges(target.inode());
    long copied = fileSystem.copyRange(call.caller(), copy, kills);
    if (kills) {
      cache.attributesChanged(target.inode());
    }
    return copied;
  }

  void release(Call call, Reply reply) {
    handles.release(call.request().longAt(RELEASE_HANDLE));
  }

  /** Of files and of directories. */
  void sync(Call call, Reply reply) throws FsException {
    Request request = call.request();
    boolean dataOnly = (request.intAt(FSYNC_FLAGS) & FSYNC_DATA_ONLY) != 0;
    long inode = request.nodeId();
    long allocatedBefore = fileSystem.getAttributes(inode).allocatedBytes();
    fileSystem.sync(call.caller(), inode, dataOnly);
    // What data takes shows when it is written out, and the kernel may have asked before.
    if (fileSystem.getAttributes(inode).allocatedBytes() != allocatedBefore) {
      cache.attributesChanged(inode);
    }
  }

  /**
   * True when the answer depends on data that only the kernel may have: also without the writeback
   * cache, it holds what was written through a mapping.
   */
  boolean needsFlush(Call call) {
    return handles.hasWriters(call.request().nodeId());
  }

  void seek(Call call, Reply reply) throws FsException {
    Request request = call.request();
    SeekTarget target =
        switch (request.intAt(LSEEK_WHENCE)) {
          case SEEK_DATA -> SeekTarget.DATA;
          case SEEK_HOLE -> SeekTarget.HOLE;
          default -> throw new FsException(FsError.INVALID);
        };
    FileHandle handle = handles.get(request.longAt(LSEEK_HANDLE));
    long found = fileSystem.seek(handle, request.longAt(LSEEK_OFFSET), target);
    reply.putLong(reply.append(SOUGHT_BYTES) + SOUGHT_OFFSET, found);
  }

  void allocate(Call call, Reply reply) throws FsException {
    Request request = call.request();
    FileHandle handle = handles.get(request.longAt(FALLOCATE_HANDLE));
    fileSystem.allocate(
        handle,
        FileFlags.ofAllocate(request.intAt(FALLOCATE_MODE)),
        request.longAt(FALLOCATE_OFFSET),
        request.longAt(FALLOCATE_LENGTH));
    Caller caller = call.caller();
    // A content that others changed runs with nobody's rights; the request has no flag for it.
    if (caller.uid() != 0 && hasPrivileges(handle.inode())) {
      fileSystem.setAttributes(caller, handle.inode(), handle, KILL_PRIVILEGES);
      cache.attributesChanged(handle.inode());
    }
  }
}
