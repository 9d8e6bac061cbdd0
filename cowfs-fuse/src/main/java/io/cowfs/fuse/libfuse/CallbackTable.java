package io.cowfs.fuse.libfuse;

import java.util.ArrayList;
import java.util.List;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.Struct;
import ru.serce.jnrfuse.struct.FuseOperations;

/**
 * {@code struct fuse_operations}, with callbacks of this package in the places that jnr-fuse knows.
 * The callbacks live as long as the table.
 *
 * <p>Left out on purpose, for the kernel to do by itself: access (default_permissions), locks,
 * flush, poll, bmap, ioctl.
 */
final class CallbackTable {
  /** No paths for what has a handle, also when the file was unlinked; UTIME_OMIT is understood. */
  private static final int NULL_PATH_OK = 1;

  private static final int NO_PATH = 1 << 1;
  private static final int UTIME_OMIT_OK = 1 << 2;

  private final Runtime runtime = Runtime.getSystemRuntime();
  private final FuseOperations places = new FuseOperations(runtime);
  private final Pointer memory;
  private final List<Object> callbacks = new ArrayList<>();
  private final CallGate gate;

  CallbackTable(CallGate gate) {
    this.gate = gate;
    memory = Memory.allocateDirect(runtime, Struct.size(places), true);
    places.useMemory(memory);
    // Bits of the int behind bmap; jnr-fuse has a byte for each, and no way to set it.
    memory.putInt(places.bmap.offset() + Long.BYTES, NULL_PATH_OK | NO_PATH | UTIME_OMIT_OK);
  }

  Pointer memory() {
    return memory;
  }

  long bytes() {
    return Struct.size(places);
  }

  private <T> void put(long offset, Class<T> shape, T callback) {
    callbacks.add(callback);
    memory.putPointer(offset, runtime.getClosureManager().getClosurePointer(shape, callback));
  }

  void addBegin(Callbacks.Begin begin) {
    put(places.init.offset(), Callbacks.Begin.class, begin);
  }

  void addNodes(NodeCallbacks nodes) {
    put(
        places.getattr.offset(),
        Callbacks.PathAndPointer.class,
        (path, stat) -> gate.answer("getattr", () -> nodes.getAttributes(path, stat)));
    put(
        places.chmod.offset(),
        Callbacks.PathAndInt.class,
        (path, mode) -> gate.answer("chmod", () -> nodes.changeMode(path, mode)));
    put(
        places.chown.offset(),
        Callbacks.PathAndTwoInts.class,
        (path, uid, gid) -> gate.answer("chown", () -> nodes.changeOwner(path, uid, gid)));
    put(
        places.truncate.offset(),
        Callbacks.PathAndLong.class,
        (path, size) -> gate.answer("truncate", () -> nodes.truncate(path, size)));
    put(
        places.utimens.offset(),
        Callbacks.PathAndPointer.class,
        (path, times) -> gate.answer("utimens", () -> nodes.setTimes(path, times)));
    put(
        places.readlink.offset(),
        Callbacks.PathAndRoom.class,
        (path, room, bytes) -> gate.answer("readlink", () -> nodes.readSymlink(path, room, bytes)));
    put(
        places.statfs.offset(),
        Callbacks.PathAndPointer.class,
        (path, statvfs) -> gate.answer("statfs", () -> nodes.status(statvfs)));
  }

  void addNames(NameCallbacks names) {
    put(
        places.mknod.offset(),
        Callbacks.PathIntAndLong.class,
        (path, mode, rdev) -> gate.answer("mknod", () -> names.makeNode(path, mode, rdev)));
    put(
        places.mkdir.offset(),
        Callbacks.PathAndInt.class,
        (path, mode) -> gate.answer("mkdir", () -> names.makeDirectory(path, mode)));
    put(
        places.unlink.offset(),
        Callbacks.Path.class,
        path -> gate.answer("unlink", () -> names.unlink(path)));
    put(
        places.rmdir.offset(),
        Callbacks.Path.class,
        path -> gate.answer("rmdir", () -> names.removeDirectory(path)));
    put(
        places.symlink.offset(),
        Callbacks.PathAndPointer.class,
        (target, path) -> gate.answer("symlink", () -> names.makeSymlink(target, path)));
    put(
        places.rename.offset(),
        Callbacks.PathAndPointer.class,
        (path, newPath) -> gate.answer("rename", () -> names.rename(path, newPath)));
    put(
        places.link.offset(),
        Callbacks.PathAndPointer.class,
        (path, newPath) -> gate.answer("link", () -> names.link(path, newPath)));
  }

  void addFiles(FileCallbacks files) {
    put(
        places.open.offset(),
        Callbacks.PathAndPointer.class,
        (path, info) -> gate.answer("open", () -> files.open(path, info)));
    put(
        places.create.offset(),
        Callbacks.PathIntAndFile.class,
        (path, mode, info) -> gate.answer("create", () -> files.create(path, mode, info)));
    put(
        places.fgetattr.offset(),
        Callbacks.PathAndTwoPointers.class,
        (path, stat, info) -> gate.answer("fgetattr", () -> files.getAttributes(stat, info)));
    put(
        places.ftruncate.offset(),
        Callbacks.PathLongAndFile.class,
        (path, size, info) -> gate.answer("ftruncate", () -> files.truncate(size, info)));
    put(
        places.read.offset(),
        Callbacks.Transfer.class,
        (path, room, bytes, offset, info) ->
            gate.answer("read", () -> files.read(room, bytes, offset, info)));
    put(
        places.write.offset(),
        Callbacks.Transfer.class,
        (path, data, bytes, offset, info) ->
            gate.answer("write", () -> files.write(data, bytes, offset, info)));
    put(
        places.release.offset(),
        Callbacks.PathAndPointer.class,
        (path, info) -> gate.answer("release", () -> files.release(info)));
    put(
        places.fsync.offset(),
        Callbacks.PathIntAndFile.class,
        (path, dataOnly, info) -> gate.answer("fsync", () -> files.sync(dataOnly, info)));
    put(
        places.fallocate.offset(),
        Callbacks.Allocate.class,
        (path, mode, offset, length, info) ->
            gate.answer("fallocate", () -> files.allocate(mode, offset, length, info)));
  }

  /** Closing and syncing a directory is what it is for a file. */
  void addDirectories(DirectoryCallbacks directories, FileCallbacks files) {
    put(
        places.opendir.offset(),
        Callbacks.PathAndPointer.class,
        (path, info) -> gate.answer("opendir", () -> directories.open(path, info)));
    put(
        places.readdir.offset(),
        Callbacks.ReadDirectory.class,
        (path, buffer, filler, offset, info) ->
            gate.answer("readdir", () -> directories.read(buffer, filler, offset, info)));
    put(
        places.releasedir.offset(),
        Callbacks.PathAndPointer.class,
        (path, info) -> gate.answer("releasedir", () -> files.release(info)));
    put(
        places.fsyncdir.offset(),
        Callbacks.PathIntAndFile.class,
        (path, dataOnly, info) -> gate.answer("fsyncdir", () -> files.sync(dataOnly, info)));
  }

  void addXattrs(XattrCallbacks xattrs) {
    put(
        places.setxattr.offset(),
        Callbacks.PathNameAndValue.class,
        (path, name, value, bytes, flags) ->
            gate.answer("setxattr", () -> xattrs.set(path, name, value, bytes, flags)));
    put(
        places.getxattr.offset(),
        Callbacks.PathNameAndRoom.class,
        (path, name, room, bytes) ->
            gate.answer("getxattr", () -> xattrs.get(path, name, room, bytes)));
    put(
        places.listxattr.offset(),
        Callbacks.PathAndRoom.class,
        (path, room, bytes) -> gate.answer("listxattr", () -> xattrs.list(path, room, bytes)));
    put(
        places.removexattr.offset(),
        Callbacks.PathAndPointer.class,
        (path, name) -> gate.answer("removexattr", () -> xattrs.remove(path, name)));
  }
}
