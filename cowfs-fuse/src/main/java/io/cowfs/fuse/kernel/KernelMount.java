package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.wire.InitFormat.WRITEBACK_CACHE;

import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.fuse.operations.HandleTable;
import io.cowfs.fuse.operations.OperationTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A mounted file system. All methods are thread-safe, and none may be called by the file system
 * itself while it serves a request.
 *
 * <p>The file system stays the caller's: it is closed after {@link #awaitUnmounted} has returned,
 * when all that the kernel held has arrived and all handles are released. References that the
 * kernel did not give back with its last requests are the file system's to forget.
 */
public final class KernelMount {
  private static final System.Logger LOG = System.getLogger(KernelMount.class.getName());

  private static final int THREADS_MIN = 8;
  private static final int THREADS_MAX = 32;
  private static final int THREADS_PER_CORE = 4;

  private static final int READ_AHEAD_KIB = Handshake.MAX_TRANSFER_BYTES >> 10;

  /** What the kernel may hold back of a mount before it makes writers wait. */
  private static final long DIRTY_BYTES_MAX = 256L << 20;

  private static final long END_TIMEOUT_SECONDS = 5;

  private final FileSystem fileSystem;
  private final Path mountPoint;
  private final Mounter mounter;
  private final KernelNotifier notifier;
  private final HandleTable handles;
  private final OperationTable operations;
  private final DeferredCalls afterInode;
  private final DeferredCalls afterAll;
  private final WriteBack writeBack;
  private final boolean writeback;
  private final List<FuseDevice> devices;
  private final AtomicInteger workersLeft;
  private volatile MountOptions options;
  private final CountDownLatch ended = new CountDownLatch(1);

  private KernelMount(
      FileSystem fileSystem,
      Path mountPoint,
      MountOptions options,
      Mounter mounter,
      List<FuseDevice> devices,
      Handshake.Result agreed) {
    this.fileSystem = fileSystem;
    this.mountPoint = mountPoint;
    this.mounter = mounter;
    this.devices = devices;
    writeback = (agreed.flags() & WRITEBACK_CACHE) != 0;
    handles = new HandleTable(fileSystem);
    // Workers have a notifier of their own: the others may wait for the workers.
    FuseDevice first = devices.get(0);
    notifier = new KernelNotifier(first);
    operations = new OperationTable(fileSystem, handles, new KernelNotifier(first), writeback);
    adopt(options);
    afterInode =
        new DeferredCalls("fuse-seek", operations, request -> notifier.flush(request.nodeId()));
    afterAll = new DeferredCalls("fuse-snapshot", operations, request -> flush());
    Optional<String> device = deviceOf(mountPoint);
    FilesByHandle byHandle = new FilesByHandle(fileSystem, mountPoint, device);
    writeBack = new WriteBack(byHandle, agreed.kernelMinor(), notifier);
    device.ifPresent(KernelMount::tune);
    int threads = threads();
    workersLeft = new AtomicInteger(threads);
    fileSystem.setCacheInvalidator(
        new KernelCaches(
            notifier, new Settler(fileSystem, byHandle, operations.settling(), notifier)));
    List<Thread> workers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      FuseDevice own = devices.get(i % devices.size());
      Worker worker = new Worker(own, operations, afterInode, afterAll, this::workerEnded);
      Thread thread = new Thread(worker, "fuse-" + i);
      thread.setDaemon(true);
      workers.add(thread);
    }
    // All memory is there: from here on the mount is live.
    workers.forEach(Thread::start);
  }

  /** From here on the options hold, as far as they are not the kernel's own affair. */
  private void adopt(MountOptions newOptions) {
    options = newOptions;
    fileSystem.setAccessTimes(
        newOptions.accessTimesOfFiles(), newOptions.accessTimesOfDirectories());
    operations.setSynchrony(newOptions.synchrony());
  }

  private static int threads() {
    int wanted = Runtime.getRuntime().availableProcessors() * THREADS_PER_CORE;
    return Math.max(THREADS_MIN, Math.min(THREADS_MAX, wanted));
  }

  /**
   * Mounts, and returns when the mount is live.
   *
   * @throws MountException when it is refused; nothing is mounted then
   */
  public static KernelMount mount(FileSystem fileSystem, Path mountPoint, MountOptions options)
      throws MountException {
    return mount(fileSystem, mountPoint, options, Mounter.forThisUser());
  }

  static KernelMount mount(
      FileSystem fileSystem, Path mountPoint, MountOptions options, Mounter mounter)
      throws MountException {
    Path real = MountPoint.check(mountPoint, options);
    FuseDevice device = mounter.mount(real, options, Handshake.MAX_TRANSFER_BYTES);
    List<FuseDevice> devices = new ArrayList<>(List.of(device));
    try {
      Handshake.Result agreed = Handshake.run(device, options.writeback());
      for (int i = 1; i < threads(); i++) {
        FuseDevice clone = device.cloned();
        if (clone == null) {
          break;
        }
        devices.add(clone);
      }
      return new KernelMount(fileSystem, real, options, mounter, devices, agreed);
    } catch (MountException | RuntimeException | Error e) {
      // Closing the last descriptor ends the connection, so that unmounting asks nobody.
      devices.forEach(FuseDevice::close);
      try {
        mounter.unmountBusy(real);
      } catch (MountException unmounting) {
        e.addSuppressed(unmounting);
      }
      throw e;
    }
  }

  private static Optional<String> deviceOf(Path real) {
    try {
      return MountTable.deviceOf(real);
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "the table of mounts cannot be read", e);
      return Optional.empty();
    }
  }

  /**
   * Reads ahead as much as one request carries, and lets the kernel collect some dirty pages. It
   * gives each new mount 128 KiB and one per cent of what may be dirty at all, and lets the
   * protocol only lower them; root raises them here, others keep what they got.
   */
  private static void tune(String device) {
    try {
      Path settings = Path.of("/sys/class/bdi", device);
      Files.writeString(settings.resolve("read_ahead_kb"), Integer.toString(READ_AHEAD_KIB));
      // Since Linux 6.2.
      if (Files.exists(settings.resolve("max_bytes"))) {
        Files.writeString(settings.resolve("max_bytes"), Long.toString(DIRTY_BYTES_MAX));
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "the caches of the mount stay as they are", e);
    }
  }

  /** The last worker cleans up: no request is under way any more. */
  private void workerEnded() {
    if (workersLeft.decrementAndGet() == 0) {
      letGo();
      notifier.close();
      devices.forEach(FuseDevice::close);
      ended.countDown();
    }
  }

  /** Lets go of the file system; the second time, there is nothing left to do. */
  private synchronized void letGo() {
    operations.close();
    afterInode.close();
    afterAll.close();
    fileSystem.setCacheInvalidator(CacheInvalidator.NONE);
    handles.releaseAll();
  }

  /** Where it is mounted, without symbolic links. */
  public Path mountPoint() {
    return mountPoint;
  }

  /** True when the kernel collects writes in its cache. */
  public boolean hasWritebackCache() {
    return writeback;
  }

  /** True until the mount has ended. */
  public boolean isLive() {
    return ended.getCount() > 0;
  }

  /**
   * Has the kernel write back all data that it holds: afterwards the file system has seen whatever
   * was written to the mount before the call.
   */
  public void flush() {
    if (writeback) {
      writeBack.flush(handles.inodesWithWriters());
    }
  }

  /**
   * Checks what a remount is to change, before the kernel is asked to.
   *
   * @param arguments of {@code -o}
   * @throws MountException naming what cannot be
   */
  public void checkRemount(List<String> arguments) throws MountException {
    options.remounted(arguments);
  }

  /**
   * Takes over the options of a remount that the kernel has made ({@link Remount}).
   *
   * @return whether the mount is read-only now
   */
  public boolean remounted(List<String> arguments) throws MountException {
    MountOptions changed = options.remounted(arguments);
    adopt(changed);
    return changed.has(MountOptions.Flag.READ_ONLY);
  }

  /** Waits until the mount has ended, by whomever it was unmounted. */
  public void awaitUnmounted() throws InterruptedException {
    ended.await();
  }

  /**
   * Unmounts, and returns when everything has arrived in the file system. Does nothing when the
   * mount has ended.
   *
   * @throws MountException when the mount is in use; it then goes on
   */
  public void unmount() throws MountException {
    if (!isLive()) {
      return;
    }
    try {
      mounter.unmount(mountPoint);
    } catch (MountException e) {
      // Someone else may have unmounted it at the same time.
      if (isMounted() || !awaitEnd()) {
        throw e;
      }
    }
    if (!awaitEnd()) {
      throw new MountException(mountPoint + ": unmounted here, but not in another name space");
    }
  }

  /**
   * Unmounts even when the mount is in use: what was written up to now arrives, and whoever uses
   * the mount gets errors from then on. For the end of the process. Afterwards the file system is
   * left alone in any case.
   */
  public void unmountBusy() throws MountException {
    try {
      unmount();
      return;
    } catch (MountException busy) {
      LOG.log(System.Logger.Level.INFO, "{0}; ending it for its users", busy.getMessage());
    }
    flush();
    try {
      if (isMounted()) {
        mounter.unmountBusy(mountPoint);
      }
    } finally {
      if (!awaitEnd()) {
        // The kernel keeps the connection for those who use it; they get errors.
        letGo();
        ended.countDown();
      }
    }
  }

  private boolean isMounted() {
    try {
      return MountTable.deviceOf(mountPoint).isPresent();
    } catch (IOException e) {
      return true;
    }
  }

  private boolean awaitEnd() {
    try {
      return ended.await(END_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
