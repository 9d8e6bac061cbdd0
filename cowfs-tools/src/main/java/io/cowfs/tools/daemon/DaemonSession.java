package io.cowfs.tools.daemon;

import io.cowfs.core.pool.Pool;
import io.cowfs.fuse.kernel.Transport;
import io.cowfs.tools.command.OpenPoolSession;
import io.cowfs.tools.target.CowfsMount;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;

/** The pool that the daemon has open. Thread-safe. */
final class DaemonSession extends OpenPoolSession {
  private final MountedDatasets mounts;
  private final CompletableFuture<Void> poolClosed;

  /**
   * @param poolClosed completes when the pool is closed, exceptionally if its last commit failed
   */
  DaemonSession(Pool pool, MountedDatasets mounts, CompletableFuture<Void> poolClosed) {
    super(pool);
    this.mounts = mounts;
    this.poolClosed = poolClosed;
  }

  @Override
  public List<CowfsMount> mounts() {
    return mounts.list();
  }

  @Override
  public Transport transport(CowfsMount mount) {
    return mounts.transport(mount);
  }

  @Override
  public void mount(MountRequest request) throws IOException {
    mounts.mount(request);
  }

  @Override
  public void remount(String dataset, List<String> options, RemountStep step) throws IOException {
    if (mounts.remount(dataset, options, step)) {
      sync();
    }
  }

  @Override
  public void unmount(List<CowfsMount> chosen) throws IOException {
    try {
      boolean last = false;
      for (int i = 0; i < chosen.size(); i++) {
        try {
          last = mounts.unmount(chosen.get(i));
        } catch (IOException e) {
          throw chosen.size() == 1 ? e : halfway(e, chosen, i);
        }
      }
      if (last) {
        poolClosed.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while unmounting");
    } catch (ExecutionException e) {
      throw new IOException("unmounted, but: " + e.getCause().getMessage(), e.getCause());
    }
  }

  /** Says also what became of the other mounts. */
  private static IOException halfway(IOException cause, List<CowfsMount> chosen, int done) {
    return new IOException(
        "%s; unmounted: %s; still mounted: %s"
            .formatted(
                cause.getMessage(),
                done == 0 ? "nothing" : directories(chosen.subList(0, done)),
                directories(chosen.subList(done, chosen.size()))),
        cause);
  }

  private static String directories(List<CowfsMount> mounts) {
    return mounts.stream()
        .map(mount -> mount.mountPoint().toString())
        .collect(Collectors.joining(", "));
  }
}
