package io.cowfs.fuse.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A mounted file system, over whichever transport. All methods are thread-safe, and none may be
 * called by the file system itself while it serves a request.
 *
 * <p>The file system stays the caller's: it is closed after {@link #awaitUnmounted} has returned,
 * when all that the kernel held has arrived and all handles are released. References that the
 * kernel did not give back with its last requests are the file system's to forget.
 */
public abstract class Mount {
  private static final System.Logger LOG = System.getLogger(Mount.class.getName());

  private static final int THREADS_MIN = 8;
  private static final int THREADS_MAX = 32;
  private static final int THREADS_PER_CORE = 4;

  private static final long END_TIMEOUT_SECONDS = 5;

  private final Path mountPoint;
  private final Mounter mounter;
  private final CountDownLatch ended = new CountDownLatch(1);

  /** Nothing is served before the transport's own constructor has begun to. */
  protected Mount(Attachment attachment) {
    this.mountPoint = attachment.mountPoint();
    this.mounter = attachment.mounter();
  }

  /** How many threads serve a mount. */
  protected static int threads() {
    int wanted = Runtime.getRuntime().availableProcessors() * THREADS_PER_CORE;
    return Math.max(THREADS_MIN, Math.min(THREADS_MAX, wanted));
  }

  /**
   * Has the kernel write back all data that it holds: afterwards the file system has seen whatever
   * was written to the mount before the call.
   */
  public abstract void flush();

  /**
   * Lets go of the file system: refuses further requests, waits for those under way, releases all
   * handles. The second time, there is nothing left to do.
   */
  protected abstract void letGo();

  /** The transport calls it when the connection has ended and the file system was let go. */
  protected final void ended() {
    ended.countDown();
  }

  /** Where it is mounted, without symbolic links. */
  public final Path mountPoint() {
    return mountPoint;
  }

  /** True until the mount has ended. */
  public final boolean isLive() {
    return ended.getCount() > 0;
  }

  /** Waits until the mount has ended, by whomever it was unmounted. */
  public final void awaitUnmounted() throws InterruptedException {
    ended.await();
  }

  /**
   * Unmounts, and returns when everything has arrived in the file system. Does nothing when the
   * mount has ended.
   *
   * @throws MountException when the mount is in use; it then goes on
   */
  public final void unmount() throws MountException {
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
  public final void unmountBusy() throws MountException {
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
        ended();
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
