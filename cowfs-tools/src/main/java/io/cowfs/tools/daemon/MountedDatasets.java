package io.cowfs.tools.daemon;

import io.cowfs.core.dataset.DatasetException;
import io.cowfs.core.fs.SnapshotRights;
import io.cowfs.core.pool.MemoryUse;
import io.cowfs.core.pool.Pool;
import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.core.vfs.FileSystem;
import io.cowfs.fuse.kernel.KernelMount;
import io.cowfs.fuse.kernel.Mount;
import io.cowfs.fuse.kernel.MountException;
import io.cowfs.fuse.kernel.MountOptions;
import io.cowfs.fuse.kernel.Transport;
import io.cowfs.fuse.libfuse.LibfuseMount;
import io.cowfs.tools.command.PoolSession.IfMissing;
import io.cowfs.tools.command.PoolSession.MountRequest;
import io.cowfs.tools.command.PoolSession.RemountStep;
import io.cowfs.tools.control.DaemonClosingException;
import io.cowfs.tools.target.CowfsMount;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The live mounts of the pool, by dataset. Each has a thread that waits for its end, however that
 * comes about. Once the last one is gone it stays so: {@link #awaitNone} returns and every further
 * mount is refused. Thread-safe; the state is owned by this object's monitor, which is not held
 * while mounting and unmounting.
 */
final class MountedDatasets {
  private static final Logger LOG = Logger.getLogger(MountedDatasets.class.getName());

  private record Live(CowfsMount mount, Transport transport, Mount served, CountDownLatch gone) {}

  private final Pool pool;
  private final Path directory;
  private final MemoryUse memory;
  private final Map<String, Live> mounts = new LinkedHashMap<>();

  /** Mounts under way, by dataset. */
  private final Map<String, Path> pending = new LinkedHashMap<>();

  private boolean ended;

  MountedDatasets(Pool pool, Path directory, MemoryUse memory) {
    this.pool = pool;
    this.directory = directory;
    this.memory = memory;
  }

  synchronized List<CowfsMount> list() {
    return mounts.values().stream().map(Live::mount).toList();
  }

  Transport transport(CowfsMount mount) {
    Live live;
    synchronized (this) {
      live = mounts.get(mount.dataset());
    }
    if (live == null) {
      throw new IllegalArgumentException(mount.mountPoint() + " is not mounted");
    }
    return live.transport();
  }

  /** Mounts a dataset; returns when the mount is live. */
  void mount(MountRequest request) throws IOException {
    String dataset = request.dataset();
    begin(request);
    Live live = null;
    try {
      live = mountOrCreate(request);
    } finally {
      finish(dataset, live);
    }
    Thread watcher = new Thread(watch(live), "mount-" + dataset);
    watcher.setDaemon(true);
    watcher.start();
    LOG.log(
        Level.INFO,
        "mounted {0} at {1} ({2})",
        new Object[] {dataset, request.mountPoint(), request.transport()});
  }

  /**
   * The daemon's part of a remount.
   *
   * @return whether the mount has become read-only
   */
  boolean remount(String dataset, List<String> options, RemountStep step) throws IOException {
    Live live;
    synchronized (this) {
      live = mounts.get(dataset);
    }
    if (live == null) {
      throw new IOException(CowfsMount.source(directory, dataset) + " is not mounted");
    }
    if (step == RemountStep.CHECK) {
      if (!MountOptions.parse(options).has(MountOptions.Flag.READ_ONLY)) {
        requireWritable();
      }
      live.served().checkRemount(options);
      return false;
    }
    boolean readOnly = live.served().remounted(options);
    LOG.log(
        Level.INFO,
        "remounted {0} with {1}",
        new Object[] {live.mount().mountPoint(), String.join(",", options)});
    return readOnly;
  }

  private synchronized void begin(MountRequest request) throws IOException {
    String dataset = request.dataset();
    if (ended) {
      throw new DaemonClosingException();
    }
    Live live = mounts.get(dataset);
    Path at = live == null ? pending.get(dataset) : live.mount().mountPoint();
    if (at != null) {
      throw new IOException(
          CowfsMount.source(directory, dataset) + " is mounted already, at " + at);
    }
    pending.put(dataset, request.mountPoint());
  }

  private synchronized void finish(String dataset, Live live) {
    pending.remove(dataset);
    if (live != null) {
      mounts.put(dataset, live);
    }
    endIfNoneIsLeft();
  }

  private Live mountOrCreate(MountRequest request) throws IOException {
    MountOptions options =
        MountOptions.parse(request.options())
            .withSource(CowfsMount.source(directory, request.dataset()));
    if (options.smallMemory() && memory != MemoryUse.SMALL) {
      throw new IOException(
          directory + ": is mounted already without memory=small: unmount its file systems first");
    }
    if (!options.has(MountOptions.Flag.READ_ONLY)) {
      requireWritable();
    }
    boolean created = request.ifMissing() == IfMissing.CREATE && create(request.dataset());
    try {
      return mountNow(request, options);
    } catch (IOException | RuntimeException e) {
      if (created) {
        pool.administration().destroyDataset(request.dataset(), Scope.ONE, Mode.EXECUTE);
      }
      throw e;
    }
  }

  private void requireWritable() throws IOException {
    try {
      pool.requireWritable();
    } catch (IOException unknown) {
      throw new IOException(unknown.getMessage() + ": mount it with -o ro", unknown);
    }
  }

  /** Creates a dataset; answers whether it was not there. */
  private boolean create(String dataset) throws IOException {
    try {
      pool.administration().createDataset(dataset, Map.of());
      return true;
    } catch (DatasetException e) {
      if (e.reason() == DatasetException.Reason.EXISTS) {
        return false;
      }
      throw e;
    }
  }

  private Live mountNow(MountRequest request, MountOptions options) throws IOException {
    String dataset = request.dataset();
    SnapshotRights rights =
        options.userSnapshots() ? SnapshotRights.EVERYONE : SnapshotRights.OWNER;
    FileSystem fileSystem = pool.browsableFileSystem(dataset, rights);
    try {
      Path mountPoint = request.mountPoint();
      Mount served =
          switch (request.transport()) {
            case KERNEL -> KernelMount.mount(fileSystem, mountPoint, options);
            case LIBFUSE -> LibfuseMount.mount(fileSystem, mountPoint, options);
          };
      return new Live(
          new CowfsMount(mountPoint, directory, dataset),
          request.transport(),
          served,
          new CountDownLatch(1));
    } catch (IOException | RuntimeException e) {
      pool.closeFileSystem(dataset);
      throw e;
    }
  }

  private Runnable watch(Live live) {
    return () -> {
      try {
        live.served().awaitUnmounted();
        pool.closeFileSystem(live.mount().dataset());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (IOException | RuntimeException e) {
        LOG.log(Level.SEVERE, "closing " + live.mount().dataset(), e);
      } finally {
        LOG.log(Level.INFO, "unmounted {0}", live.mount().mountPoint());
        remove(live);
      }
    };
  }

  private synchronized void remove(Live live) {
    mounts.remove(live.mount().dataset(), live);
    live.gone().countDown();
    endIfNoneIsLeft();
  }

  private void endIfNoneIsLeft() {
    if (mounts.isEmpty() && pending.isEmpty()) {
      ended = true;
      notifyAll();
    }
  }

  /**
   * Unmounts a dataset and waits until the last of the kernel's writes has arrived and its file
   * system is closed.
   *
   * @return whether the daemon ends because of it
   * @throws IOException when it is busy, and stays mounted
   */
  boolean unmount(CowfsMount mount) throws IOException, InterruptedException {
    Live live;
    synchronized (this) {
      live = mounts.get(mount.dataset());
    }
    if (live == null) {
      throw new IOException(mount.mountPoint() + " is not mounted");
    }
    live.served().unmount();
    live.gone().await();
    synchronized (this) {
      return ended;
    }
  }

  /** Has the kernel write back what users wrote to all mounts. No worker of a mount may call it. */
  void flush() {
    List<Live> all;
    synchronized (this) {
      all = List.copyOf(mounts.values());
    }
    all.forEach(live -> live.served().flush());
  }

  /** Waits until nothing is mounted any more. */
  synchronized void awaitNone() throws InterruptedException {
    while (!ended) {
      wait();
    }
  }

  /**
   * Unmounts everything because the process must end. Who still uses a mount gets errors from then
   * on; what was written to it before arrives.
   */
  void unmountAll() {
    List<Live> all = new ArrayList<>();
    synchronized (this) {
      all.addAll(mounts.values());
    }
    all.sort(Comparator.comparing(Live::mount, CowfsMount.INNER_FIRST));
    for (Live live : all) {
      try {
        live.served().unmountBusy();
      } catch (MountException e) {
        LOG.log(Level.WARNING, "ending without it: {0}", e.getMessage());
        remove(live);
      }
    }
  }
}
