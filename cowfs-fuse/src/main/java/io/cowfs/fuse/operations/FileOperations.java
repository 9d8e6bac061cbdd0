package io.cowfs.fuse.operations;

import static io.cowfs.fuse.wire.FileFormat.*;

import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FileSystem.AllocationMode;
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
 * after each write to such a file, whether it went through its cache or not, it sends FSYNC. The
 * file system therefore sees neither flag.
 *
 * <p>When a write or truncation may have taken suid or sgid away, the kernel is told that its
 * attributes are out of date: it would go on with the old mode otherwise, also in execve(2).
 */
final class FileOperations {
  /* Flags of open(2), equal on all architectures of asm-generic/fcntl.h. */
  private static final int O_ACCESS_MODE = 03;
  private static final int O_WRONLY = 01;
  private static final int O_RDWR = 02;
  private static final int O_EXCL = 0200;
  private static final int O_TRUNC = 01000;
  private static final int O_NOATIME = 01000000;

  /* Bits of st_mode. */
  private static final int S_ISUID = 04000;
  private static final int S_ISGID = 02000;

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

  void create(Call call, Reply reply) throws FsException {
    Request request = call.request();
    int flags = request.intAt(CREATE_FLAGS);
    Created created =
        fileSystem.create(
            call.caller(request.intAt(CREATE_UMASK)),
            request.nodeId(),
            request.nameAt(CREATE_BYTES),
            request.intAt(CREATE_MODE),
            openFlags(flags, request.intAt(CREATE_OPEN_FLAGS)));
    reply.entry(created.attributes(), Lifetime.LONG, Lifetime.LONG);
    opened(reply, created.handle(), flags);
  }

  private void opened(Reply reply, FileHandle handle, int flags) {
    boolean writable = (flags & O_ACCESS_MODE) != 0;
    reply.opened(handles.add(handle, writable), OPENED_KEEP_CACHE);
  }

  private Set<OpenFlags> openFlags(int flags, int openFlags) {
    EnumSet<OpenFlags> set = EnumSet.noneOf(OpenFlags.class);
    int access = flags & O_ACCESS_MODE;
    // To write part of a page, the writeback cache reads the page first, over any handle.
    if (access != O_WRONLY || writeback) {
      set.add(OpenFlags.READ);
    }
    if (access == O_WRONLY || access == O_RDWR) {
      set.add(OpenFlags.WRITE);
    }
    if ((flags & O_TRUNC) != 0) {
      set.add(OpenFlags.TRUNCATE);
    }
    if ((flags & O_EXCL) != 0) {
      set.add(OpenFlags.EXCLUSIVE);
    }
    if ((flags & O_NOATIME) != 0) {
      set.add(OpenFlags.NO_ATIME);
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
    boolean kill = (request.intAt(WRITE_WRITE_FLAGS) & WRITE_KILL_SUIDGID) != 0;
    boolean kills = kill && hasPrivileges(handle.inode());
    ByteBuffer data = request.dataAt(WRITE_BYTES, size);
    fileSystem.write(call.caller(), handle, request.longAt(WRITE_OFFSET), data, kill);
    if (kills) {
      cache.attributesChanged(handle.inode());
    }
    reply.putInt(reply.append(WRITTEN_BYTES) + WRITTEN_SIZE, size);
  }

  void release(Call call, Reply reply) {
    handles.release(call.request().longAt(RELEASE_HANDLE));
  }

  /** Of files and of directories. */
  void sync(Call call, Reply reply) throws FsException {
    Request request = call.request();
    boolean dataOnly = (request.intAt(FSYNC_FLAGS) & FSYNC_DATA_ONLY) != 0;
    fileSystem.sync(call.caller(), request.nodeId(), dataOnly);
  }

  /** True when the answer depends on data that only the kernel may have. */
  boolean needsFlush(Call call) {
    return writeback && handles.hasWriters(call.request().nodeId());
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
    AllocationMode mode =
        switch (request.intAt(FALLOCATE_MODE)) {
          case 0 -> AllocationMode.RESERVE;
          case FALLOC_KEEP_SIZE -> AllocationMode.RESERVE_KEEP_SIZE;
          case FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE -> AllocationMode.PUNCH_HOLE;
          case FALLOC_ZERO_RANGE -> AllocationMode.ZERO_RANGE;
          case FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE -> AllocationMode.ZERO_RANGE_KEEP_SIZE;
          default -> throw new FsException(FsError.NOT_SUPPORTED);
        };
    fileSystem.allocate(
        handles.get(request.longAt(FALLOCATE_HANDLE)),
        mode,
        request.longAt(FALLOCATE_OFFSET),
        request.longAt(FALLOCATE_LENGTH));
  }
}
