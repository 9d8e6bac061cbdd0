package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.fuse.kernel.Attachment;
import io.cowfs.fuse.kernel.Mount;
import io.cowfs.fuse.kernel.MountException;
import io.cowfs.fuse.kernel.MountOptions;
import io.cowfs.fuse.operations.Synchrony;
import io.cowfs.fuse.wire.Request;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import jnr.ffi.Pointer;

/** A mount that libfuse 2 serves, by callbacks with paths. */
public final class LibfuseMount extends Mount {
  /** The most data of a READ or WRITE. */
  static final int MAX_TRANSFER_BYTES = 128 << 10;

  private static final long BEGIN_TIMEOUT_SECONDS = 10;

  /** Frames of the library, of the virtual machine and of the file system lie on one stack. */
  private static final long STACK_BYTES = 1 << 20;

  private final FileSystem fileSystem;
  private final OpenFiles files;
  private final HiddenFiles hidden;
  private final CurrentRequest current = new CurrentRequest();
  private final CallGate gate = new CallGate();
  private final CallbackTable callbacks = new CallbackTable(gate);
  private final Session session;
  private final CountDownLatch begun = new CountDownLatch(1);
  private final AtomicInteger threadsLeft = new AtomicInteger(threads());

  private LibfuseMount(
      FileSystem fileSystem, Attachment attachment, MountOptions options, LibFuse2.Native library)
      throws MountException {
    super(attachment, options);
    this.fileSystem = fileSystem;
    files = new OpenFiles(fileSystem);
    hidden = new HiddenFiles(fileSystem);
    Paths paths = new Paths(fileSystem, hidden, current);
    Callers callers = new Callers(library.functions());
    NodeCallbacks nodes = new NodeCallbacks(fileSystem, paths, hidden, current, callers);
    FileCallbacks fileCallbacks =
        new FileCallbacks(fileSystem, nodes, paths, files, hidden, current, callers);
    callbacks.addBegin(this::begin);
    callbacks.addNodes(nodes);
    callbacks.addNames(new NameCallbacks(fileSystem, paths, files, hidden, current, callers));
    callbacks.addFiles(fileCallbacks);
    callbacks.addDirectories(
        new DirectoryCallbacks(fileSystem, paths, files, current), fileCallbacks);
    callbacks.addXattrs(new XattrCallbacks(fileSystem, paths, callers));
    session = Session.over(attachment.descriptor(), library, callbacks);
    requirePossible(options);
    obey(options);
  }

  /**
   * Mounts, and returns when the mount is live.
   *
   * @throws MountException when it is refused, or libfuse 2 is not installed; nothing is mounted
   *     then
   */
  public static LibfuseMount mount(FileSystem fileSystem, Path mountPoint, MountOptions options)
      throws MountException {
    LibFuse2.Native library = LibFuse2.Native.load();
    Attachment attachment = Attachment.make(mountPoint, options, MAX_TRANSFER_BYTES);
    LibfuseMount mount;
    try {
      mount = new LibfuseMount(fileSystem, attachment, options, library);
    } catch (MountException | RuntimeException | Error e) {
      attachment.undo(e);
      throw e;
    }
    mount.start();
    return mount;
  }

  private void start() throws MountException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < threadsLeft.get(); i++) {
      Thread thread = new Thread(null, this::serve, "libfuse-" + i, STACK_BYTES);
      thread.setDaemon(true);
      threads.add(thread);
    }
    fileSystem.setCacheInvalidator(new OpenPages(fileSystem, files, session));
    threads.forEach(Thread::start);
    boolean live = false;
    try {
      live = begun.await(BEGIN_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (!live) {
      unmountBusy();
      throw new MountException(mountPoint() + ": the kernel and libfuse.so.2 do not agree");
    }
  }

  /**
   * The first request: which of the kernel's features are taken. Not ATOMIC_O_TRUNC: the kernel
   * then forgets to take suid away.
   */
  private Pointer begin(Pointer connection) {
    int wanted = ConnectionFormat.BIG_WRITES | ConnectionFormat.DONT_MASK;
    int taken = connection.getInt(ConnectionFormat.CAPABLE) & wanted;
    connection.putInt(ConnectionFormat.WANT, connection.getInt(ConnectionFormat.WANT) | taken);
    begun.countDown();
    return null;
  }

  private void serve() {
    try {
      Request request = new Request(MAX_TRANSFER_BYTES);
      current.set(request);
      session.serve(request, next -> CurrentRequest.complete(next, files, hidden));
    } finally {
      if (threadsLeft.decrementAndGet() == 0) {
        letGo();
        session.destroy();
        ended();
      }
    }
  }

  @Override
  protected void obey(MountOptions options) {
    fileSystem.setAccessTimes(options.accessTimesOfFiles(), options.accessTimesOfDirectories());
  }

  @Override
  protected void requirePossible(MountOptions wanted) throws MountException {
    if (wanted.synchrony() != Synchrony.NONE) {
      throw new MountException("the mount options sync and dirsync need --transport=kernel");
    }
  }

  @Override
  protected synchronized void letGo() {
    gate.close();
    fileSystem.setCacheInvalidator(CacheInvalidator.NONE);
    files.releaseAll();
    hidden.clear();
  }

  /** The kernel holds nothing back: each write is answered here before it returns. */
  @Override
  public void flush() {}
}
