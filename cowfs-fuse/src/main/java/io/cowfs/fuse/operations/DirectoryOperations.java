package io.cowfs.fuse.operations;

import static io.cowfs.fuse.wire.FileFormat.*;

import io.cowfs.core.vfs.FileHandle;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.fuse.wire.Lifetime;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.util.Arrays;

/**
 * Open directories. The kernel may cache what it reads, because all changes come through it; but
 * not where the file system says otherwise.
 */
final class DirectoryOperations {
  private static final System.Logger LOG = System.getLogger(DirectoryOperations.class.getName());

  private final FileSystem fileSystem;
  private final HandleTable handles;
  private final Lifetimes lifetimes;

  DirectoryOperations(FileSystem fileSystem, HandleTable handles) {
    this.fileSystem = fileSystem;
    this.handles = handles;
    this.lifetimes = new Lifetimes(fileSystem);
  }

  void open(Call call, Reply reply) throws FsException {
    Request request = call.request();
    long inode = request.nodeId();
    FileHandle handle =
        fileSystem.openDirectory(inode, FileFlags.ofOpen(request.intAt(OPEN_FLAGS)));
    int caching =
        lifetimes.of(inode) == Lifetime.NONE ? 0 : OPENED_KEEP_CACHE | OPENED_CACHE_DIRECTORY;
    reply.opened(handles.add(handle, false), caching);
  }

  void read(Call call, Reply reply) throws FsException {
    Request request = call.request();
    FileHandle handle = handles.get(request.longAt(READ_HANDLE));
    int size = sizeMax(request, reply);
    fileSystem.readDirectory(
        handle,
        request.longAt(READ_OFFSET),
        (name, inode, type, cookie) -> reply.directoryEntry(size, name, inode, type, cookie));
  }

  /**
   * Entries with their attributes. References are taken after the scan, and only for entries that
   * are in the reply. An entry without attributes (node id 0) is looked up by the kernel when it is
   * needed: so are {@code .} and {@code ..}, what was removed meanwhile, and names that it may not
   * keep.
   */
  void readPlus(Call call, Reply reply) throws FsException {
    Request request = call.request();
    FileHandle handle = handles.get(request.longAt(READ_HANDLE));
    PlusEntries entries = new PlusEntries();
    int size = sizeMax(request, reply);
    fileSystem.readDirectory(
        handle,
        request.longAt(READ_OFFSET),
        (name, inode, type, cookie) -> {
          int at = reply.directoryEntryPlus(size, name, inode, type, cookie);
          if (at >= 0 && !isDotOrDotDot(name)) {
            entries.add(at, inode);
          }
          return at >= 0;
        });
    Lifetime ofNames = lifetimes.of(handle.inode());
    for (int i = 0; i < entries.count && ofNames != Lifetime.NONE; i++) {
      complete(reply, entries.at[i], entries.inode[i], ofNames);
    }
  }

  private void complete(Reply reply, int at, long inode, Lifetime ofName) {
    try {
      reply.completePlus(at, fileSystem.reference(inode), ofName, lifetimes.of(inode));
    } catch (FsException e) {
      // Left without attributes: the kernel looks the name up and gets the error from there.
      LOG.log(System.Logger.Level.TRACE, "no attributes for inode {0}", inode);
    }
  }

  private static int sizeMax(Request request, Reply reply) {
    return Math.max(0, Math.min(request.intAt(READ_SIZE), reply.capacity()));
  }

  private static boolean isDotOrDotDot(byte[] name) {
    return name[0] == '.' && (name.length == 1 || (name.length == 2 && name[1] == '.'));
  }

  /** Where in the reply entries wait for their attributes. */
  private static final class PlusEntries {
    private int[] at = new int[64];
    private long[] inode = new long[64];
    private int count;

    private void add(int entryAt, long entryInode) {
      if (count == at.length) {
        at = Arrays.copyOf(at, 2 * count);
        inode = Arrays.copyOf(inode, 2 * count);
      }
      at[count] = entryAt;
      inode[count++] = entryInode;
    }
  }
}
