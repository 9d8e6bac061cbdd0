package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.wire.InitFormat.WRITEBACK_CACHE;

import io.cowfs.core.memory.DirectBuffers;
import io.cowfs.core.vfs.CacheInvalidator;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.fuse.operations.HandleTable;
import io.cowfs.fuse.operations.OperationTable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** A mount that this process serves over {@code /dev/fuse}, without a library. */
public final class KernelMount extends Mount {
  private static final System.Logger LOG = System.getLogger(KernelMount.class.getName());

  private static final int READ_AHEAD_KIB = Handshake.MAX_TRANSFER_BYTES >> 10;

  /** What the kernel may hold back of a mount before it makes writers wait. */
  private static final long DIRTY_BYTES_MAX = 256L << 20;

  private final FileSystem fileSystem;
  private final KernelNotifier notifier;
  private final HandleTable handles;
  private final OperationTable operations;
  private final DeferredCalls afterInode;
  private final DeferredCalls afterAll;
  private final WriteBack writeBack;

  /** Makes all system calls on the mount. */
  private final PrivateTableThread ownMount = new PrivateTableThread("fuse-own-mount");

  private final Optional<ConnectionGuard> guard;
  private final boolean writeback;
  private final List<FuseDevice> devices;
  private final AtomicInteger workersLeft;
  private final ReadyWorkers ready;

  private KernelMount(
      FileSystem fileSystem,
      Attachment attachment,
      MountOptions options,
      List<FuseDevice> devices,
      Handshake.Result agreed)
      throws MountException {
    super(attachment, options);
    this.fileSystem = fileSystem;
    this.devices = devices;
    writeback = (agreed.flags() & WRITEBACK_CACHE) != 0;
    handles = new HandleTable(fileSystem);
    // Workers have a notifier of their own: the others may wait for the workers.
    FuseDevice first = devices.get(0);
    notifier = new KernelNotifier(first);
    operations = new OperationTable(fileSystem, handles, new KernelNotifier(first), agreed.flags());
    obey(options);
    afterInode =
        new DeferredCalls("fuse-seek", operations, request -> notifier.flush(request.nodeId()));
    afterAll = new DeferredCalls("fuse-snapshot", operations, request -> flush());
    Optional<String> device = deviceOf(mountPoint());
    FilesByHandle byHandle = new FilesByHandle(fileSystem, mountPoint(), device, ownMount);
    writeBack = new WriteBack(byHandle, agreed.kernelMinor(), notifier);
    device.ifPresent(KernelMount::tune);
    guard = device.flatMap(this::guard);
    int threads = threads();
    workersLeft = new AtomicInteger(threads);
    fileSystem.setCacheInvalidator(
        new KernelCaches(
            notifier, new Settler(fileSystem, byHandle, operations.settling(), notifier)));
    // What large requests carry goes from here to the pool's device, or comes from there.
    ByteBuffer memory = DirectBuffers.large(threads * Worker.BUFFER_BYTES);
    ByteBuffer polled = ByteBuffer.allocateDirect(FuseDevice.POLL_BYTES);
    ready = new ReadyWorkers(threads, () -> devices.get(0).hasRequest(polled));
    List<Thread> workers = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      FuseDevice own = devices.get(i % devices.size());
      ByteBuffer buffers = memory.slice(i * Worker.BUFFER_BYTES, Worker.BUFFER_BYTES);
      Worker worker =
          new Worker(buffers, own, operations, afterInode, afterAll, ready, this::workerEnded);
      Thread thread = new Thread(worker, "fuse-" + i);
      thread.setDaemon(true);
      workers.add(thread);
    }
    // All memory is there: from here on the mount is live.
    try {
      ready.start();
      workers.forEach(Thread::start);
    } catch (RuntimeException | Error e) {
      ready.end();
      throw e;
    }
  }

  @Override
  protected void obey(MountOptions options) {
    fileSystem.setAccessTimes(options.accessTimesOfFiles(), options.accessTimesOfDirectories());
    operations.setSynchrony(options.synchrony());
  }

  private Optional<ConnectionGuard> guard(String device) {
    try {
      return Optional.of(ConnectionGuard.start(device, mountPoint()));
    } catch (MountException e) {
      LOG.log(
          System.Logger.Level.INFO,
          "{0}: hangs when this process is killed at a bad moment: {1}",
          mountPoint(),
          e.getMessage());
      return Optional.empty();
    }
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
    Attachment attachment =
        Attachment.make(mountPoint, options, Handshake.MAX_TRANSFER_BYTES, mounter);
    FuseDevice device = attachment.device();
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
      return new KernelMount(fileSystem, attachment, options, devices, agreed);
    } catch (MountException | RuntimeException | Error e) {
      devices.subList(1, devices.size()).forEach(FuseDevice::close);
      attachment.undo(e);
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
      ready.awaitEnd();
      notifier.close();
      devices.forEach(FuseDevice::close);
      guard.ifPresent(ConnectionGuard::close);
      ended();
    }
  }

  @Override
  protected synchronized void letGo() {
    operations.close();
    afterInode.close();
    afterAll.close();
    fileSystem.setCacheInvalidator(CacheInvalidator.NONE);
    ownMount.close();
    handles.releaseAll();
  }

  /** True when the kernel collects writes in its cache. */
  public boolean hasWritebackCache() {
    return writeback;
  }

  /** Without the writeback cache, the kernel holds what was written through mappings. */
  @Override
  public void flush() {
    writeBack.flush(handles.inodesWithWriters());
  }
}
