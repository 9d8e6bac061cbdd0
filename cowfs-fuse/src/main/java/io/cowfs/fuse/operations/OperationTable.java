package io.cowfs.fuse.operations;

import io.cowfs.core.vfs.FileSystem;
import io.cowfs.core.vfs.FsException;
import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.wire.AttrFormat;
import io.cowfs.fuse.wire.FileFormat;
import io.cowfs.fuse.wire.InitFormat;
import io.cowfs.fuse.wire.IoctlFormat;
import io.cowfs.fuse.wire.NameFormat;
import io.cowfs.fuse.wire.Opcode;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import io.cowfs.fuse.wire.StatxFormat;
import io.cowfs.fuse.wire.XattrFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/** From opcodes to operations. Thread-safe. */
public final class OperationTable {
  private static final System.Logger LOG = System.getLogger(OperationTable.class.getName());

  private static final long CLOSE_POLL_NANOS = 1_000_000;

  /** An operation and the least bytes of body that its request has. */
  private record Row(int bodyBytesMin, Operation operation) {}

  private final Row[] rows = new Row[Opcode.LIMIT];
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final FileSystem fileSystem;
  private final HandleTable handles;
  private final FileOperations files;
  private final Settling settling = new Settling();

  /** Set once; a call that began before is waited for, one that begins later is refused. */
  private volatile boolean closed;

  /**
   * @param cache used by workers: its {@code attributesChanged} must not wait for other threads
   * @param agreed the features agreed on with the kernel, as in {@link InitFormat}
   * @param noAtime whether reading leaves access times as they are
   */
  public OperationTable(
      FileSystem fileSystem, HandleTable handles, KernelCache cache, long agreed, boolean noAtime) {
    this.fileSystem = fileSystem;
    this.handles = handles;
    boolean writeback = (agreed & InitFormat.WRITEBACK_CACHE) != 0;
    this.files = new FileOperations(fileSystem, handles, cache, writeback, noAtime);
    addNodes(new NodeOperations(fileSystem, handles, settling));
    addNames(new NameOperations(fileSystem));
    addFiles();
    addDirectories(new DirectoryOperations(fileSystem, handles));
    addXattrs(new XattrOperations(fileSystem, agreed));
    add(Opcode.IOCTL, IoctlFormat.IN_BYTES, new IoctlOperations(fileSystem)::run);
    add(Opcode.STATFS, 0, (call, reply) -> reply.status(fileSystem.status()));
    add(Opcode.SYNCFS, 0, (call, reply) -> fileSystem.syncAll());
    add(Opcode.INTERRUPT, NameFormat.INTERRUPT_BYTES, this::interrupt);
    add(Opcode.DESTROY, 0, (call, reply) -> {});
  }

  private void addNodes(NodeOperations nodes) {
    add(Opcode.LOOKUP, 0, nodes::lookup);
    add(Opcode.FORGET, NameFormat.FORGET_BYTES, nodes::forget);
    add(Opcode.BATCH_FORGET, NameFormat.BATCH_BYTES, nodes::batchForget);
    add(Opcode.GETATTR, AttrFormat.GET_BYTES, nodes::getAttributes);
    add(Opcode.STATX, StatxFormat.IN_BYTES, nodes::getExtendedAttributes);
    add(Opcode.SETATTR, AttrFormat.SET_BYTES, nodes::setAttributes);
  }

  private void addNames(NameOperations names) {
    add(Opcode.READLINK, 0, names::readSymlink);
    add(Opcode.SYMLINK, 0, names::makeSymlink);
    add(Opcode.MKNOD, NameFormat.MKNOD_BYTES, names::makeNode);
    add(Opcode.MKDIR, NameFormat.MKDIR_BYTES, names::makeDirectory);
    add(Opcode.UNLINK, 0, names::unlink);
    add(Opcode.RMDIR, 0, names::removeDirectory);
    add(Opcode.RENAME, NameFormat.RENAME_BYTES, names::rename);
    add(Opcode.RENAME2, NameFormat.RENAME2_BYTES, names::rename2);
    add(Opcode.LINK, NameFormat.LINK_BYTES, names::link);
  }

  private void addFiles() {
    add(Opcode.OPEN, FileFormat.OPEN_BYTES, files::open);
    add(Opcode.CREATE, FileFormat.CREATE_BYTES, files::create);
    add(Opcode.TMPFILE, FileFormat.CREATE_BYTES, files::createUnnamed);
    add(Opcode.READ, FileFormat.READ_BYTES, files::read);
    add(Opcode.WRITE, FileFormat.WRITE_BYTES, files::write);
    add(Opcode.RELEASE, FileFormat.RELEASE_BYTES, files::release);
    add(Opcode.FSYNC, FileFormat.FSYNC_BYTES, files::sync);
    add(Opcode.LSEEK, FileFormat.LSEEK_BYTES, files::seek);
    add(Opcode.COPY_FILE_RANGE, FileFormat.COPY_BYTES, files::copy);
    add(Opcode.COPY_FILE_RANGE_64, FileFormat.COPY_BYTES, files::copyLong);
    add(Opcode.FALLOCATE, FileFormat.FALLOCATE_BYTES, files::allocate);
  }

  private void addDirectories(DirectoryOperations directories) {
    add(Opcode.OPENDIR, FileFormat.OPEN_BYTES, directories::open);
    add(Opcode.READDIR, FileFormat.READ_BYTES, directories::read);
    add(Opcode.READDIRPLUS, FileFormat.READ_BYTES, directories::readPlus);
    add(Opcode.RELEASEDIR, FileFormat.RELEASE_BYTES, files::release);
    add(Opcode.FSYNCDIR, FileFormat.FSYNC_BYTES, files::sync);
  }

  private void addXattrs(XattrOperations xattrs) {
    add(Opcode.SETXATTR, XattrFormat.SET_BYTES_SHORT, xattrs::set);
    add(Opcode.GETXATTR, XattrFormat.GET_BYTES, xattrs::get);
    add(Opcode.LISTXATTR, XattrFormat.GET_BYTES, xattrs::list);
    add(Opcode.REMOVEXATTR, 0, xattrs::remove);
  }

  private void add(int opcode, int bodyBytesMin, Operation operation) {
    rows[opcode] = new Row(bodyBytesMin, operation);
  }

  /** Which file is being settled now. */
  public Settling settling() {
    return settling;
  }

  /** The call of a new worker, which interrupts can find. */
  public Call newCall(Request request) {
    Call call = new Call(request);
    calls.add(call);
    return call;
  }

  /**
   * Tells whether the request's answer depends on pages that the kernel may hold dirty: have them
   * written back first, and then run it, both on a thread that is no worker.
   */
  public FlushFirst flushFirst(Request request, Call call) {
    return switch (request.opcode()) {
      case Opcode.LSEEK ->
          request.bodyBytes() >= FileFormat.LSEEK_BYTES && files.needsFlush(call)
              ? FlushFirst.INODE
              : FlushFirst.NOTHING;
      // Marked immutable, a file takes no more of what the kernel holds back.
      case Opcode.IOCTL ->
          request.bodyBytes() >= IoctlFormat.IN_BYTES
                  && IoctlOperations.needsFlush(request)
                  && files.needsFlush(call)
              ? FlushFirst.INODE
              : FlushFirst.NOTHING;
      case Opcode.MKDIR ->
          fileSystem.keepsAllWritten(request.nodeId()) ? FlushFirst.ALL : FlushFirst.NOTHING;
      default -> FlushFirst.NOTHING;
    };
  }

  /** Answers the call's request: afterwards the reply is complete, whatever happened. */
  public void run(Call call, Reply reply) {
    Request request = call.request();
    reply.begin();
    int opcode = request.opcode();
    Row row = opcode >= 0 && opcode < rows.length ? rows[opcode] : null;
    if (row == null) {
      reply.error(Errno.ENOSYS);
      return;
    }
    if (request.bodyBytes() < row.bodyBytesMin()) {
      reply.error(Errno.EINVAL);
      return;
    }
    call.begin();
    try {
      if (closed) {
        reply.error(Errno.ENOTCONN);
      } else {
        row.operation().run(call, reply);
      }
    } catch (FsException e) {
      takeBack(reply);
      reply.error(Errno.of(e.error()));
    } catch (Throwable e) {
      LOG.log(
          System.Logger.Level.ERROR, "a request of the kernel (opcode " + opcode + ") failed", e);
      takeBack(reply);
      reply.error(Errno.EIO);
    } finally {
      call.end();
    }
  }

  /** Refuses all further requests, and returns when none is under way any more. */
  public void close() {
    closed = true;
    for (Call call : calls) {
      while (call.isRunning()) {
        LockSupport.parkNanos(CLOSE_POLL_NANOS);
      }
    }
  }

  /** Undoes what the reply gave to the kernel: it was not sent, or not taken. */
  public void takeBack(Reply reply) {
    for (long inode : reply.references()) {
      if (inode != FileSystem.ROOT_INODE) {
        fileSystem.forget(inode, 1);
      }
    }
    if (reply.openedHandle() != 0) {
      handles.release(reply.openedHandle());
    }
  }

  /**
   * Finds the request that runs and tells it. One that has just been answered is not found, and one
   * that has only just been read neither: it then runs to its end.
   */
  private void interrupt(Call call, Reply reply) {
    reply.none();
    long unique = call.request().longAt(NameFormat.INTERRUPT_UNIQUE);
    for (Call other : calls) {
      if (other.interrupt(unique)) {
        return;
      }
    }
  }
}
