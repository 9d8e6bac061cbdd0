package io.cowfs.fuse.libfuse;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.Type;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.core.vfs.OpenFlags;
import io.cowfs.fuse.libfuse.Paths.Place;
import io.cowfs.fuse.operations.FileFlags;
import java.util.Arrays;
import java.util.Set;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.Struct;
import ru.serce.jnrfuse.struct.FileStat;

/**
 * Open directories. The cookies of the file system are the offsets that programs see, so the
 * library keeps nothing of a directory.
 */
final class DirectoryCallbacks {
  /** {@code fuse_fill_dir_t}: buffer, name, stat, offset; not 0 when the buffer is full. */
  private static final CallContext FILLER =
      CallContext.getCallContext(
          Type.SINT32,
          new Type[] {Type.POINTER, Type.POINTER, Type.POINTER, Type.SINT64},
          CallingConvention.DEFAULT,
          false);

  private final FileSystem fileSystem;
  private final Paths paths;
  private final OpenFiles files;
  private final CurrentRequest current;
  private final Pointer endlessName;

  DirectoryCallbacks(FileSystem fileSystem, Paths paths, OpenFiles files, CurrentRequest current) {
    this.fileSystem = fileSystem;
    this.paths = paths;
    this.files = files;
    this.current = current;
    byte[] name = new byte[LibfuseMount.MAX_TRANSFER_BYTES + 1];
    Arrays.fill(name, 0, name.length - 1, (byte) 'x');
    this.endlessName = Memory.allocateDirect(Runtime.getSystemRuntime(), name.length);
    endlessName.put(0, name, 0, name.length);
  }

  int open(Pointer path, Pointer info) throws FsException {
    try (Place place = paths.inode(path)) {
      Set<OpenFlags> flags = FileFlags.ofOpen(info.getInt(FileInfoFormat.FLAGS));
      long number = files.add(fileSystem.openDirectory(place.inode(), flags));
      files.get(number).isNode(current.nodeId());
      place.keep();
      info.putLong(FileInfoFormat.HANDLE, number);
      return 0;
    }
  }

  int read(Pointer buffer, Pointer filler, long offset, Pointer info) throws FsException {
    Page page = new Page(buffer, filler);
    fileSystem.readDirectory(
        files.get(info.getLong(FileInfoFormat.HANDLE)).handle(),
        offset,
        (name, inode, type, cookie) -> page.add(name, inode, type.format(), cookie));
    if (page.count == 0) {
      // The library takes a page without entries for the end of all pages, also of those before,
      // to which a program may go back. One entry that has no room keeps it from that.
      page.fill(endlessName, Long.MAX_VALUE);
    }
    return 0;
  }

  /** One answer. */
  private static final class Page {
    private final long buffer;
    private final long filler;
    private final Pointer name;
    private final FileStat stat = new FileStat(Runtime.getSystemRuntime());
    private int count;

    private Page(Pointer buffer, Pointer filler) {
      this.buffer = buffer.address();
      this.filler = filler.address();
      this.name = Memory.allocateDirect(Runtime.getSystemRuntime(), FileSystem.NAME_LENGTH_MAX + 1);
      stat.useMemory(Memory.allocateDirect(Runtime.getSystemRuntime(), Struct.size(stat), true));
    }

    private boolean add(byte[] entry, long inode, int format, long cookie) {
      name.put(0, entry, 0, entry.length);
      name.putByte(entry.length, (byte) 0);
      stat.st_ino.set(inode);
      stat.st_mode.set(format);
      if (fill(name, cookie)) {
        count++;
        return true;
      }
      return false;
    }

    private boolean fill(Pointer string, long offset) {
      return Invoker.getInstance()
              .invokeN4(
                  FILLER,
                  filler,
                  buffer,
                  string.address(),
                  Struct.getMemory(stat).address(),
                  offset)
          == 0;
    }
  }
}
