package io.cowfs.fuse.kernel;

import static io.cowfs.fuse.kernel.LibC.Native.LIBC;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;

/**
 * A thread with a table of file descriptors of its own, which has neither {@code /dev/fuse} nor the
 * files of the pool.
 *
 * <p>A system call on this process's own mount waits for locks and pages of the kernel that are
 * held by requests which this process has yet to answer, and no signal ends that wait. When the
 * process is killed, its answers never come, and the kernel gives the requests up only when nobody
 * has {@code /dev/fuse} open any more. A waiting thread that shares the table of the process keeps
 * it open, and so waits for itself, for ever. One with a table of its own does not: the others are
 * gone, the device with them, and the wait ends.
 *
 * <p>Descriptors that others open from now on are not in this table, and those opened here are not
 * in theirs; {@code /proc/self/fd} shows theirs, {@code /proc/thread-self/fd} these. So the work is
 * made of native calls only, on descriptors which it opens and closes itself: it reads no file of
 * the pool, writes no log, and starts no thread. Archives of classes that were open when this
 * thread began remain readable.
 *
 * <p>Thread-safe; one piece of work at a time.
 */
final class PrivateTableThread implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(PrivateTableThread.class.getName());

  private static final Path OWN_TABLE = Path.of("/proc/thread-self/fd");
  private static final int STDERR = 2;

  private final LinkedBlockingQueue<FutureTask<?>> work = new LinkedBlockingQueue<>();
  private final Thread thread;

  /** Guarded by this. */
  private boolean closed;

  /**
   * Starts the thread, and returns when its table is its own.
   *
   * @throws MountException when the table could not be emptied, because it is full
   */
  PrivateTableThread(String name) throws MountException {
    thread = new Thread(this::run, name);
    thread.setDaemon(true);
    FutureTask<Boolean> leaving = new FutureTask<>(PrivateTableThread::leaveSharedTable);
    work.add(leaving);
    thread.start();
    boolean own = false;
    try {
      own = await(leaving);
    } catch (IllegalStateException e) {
      close();
      throw new MountException("no thread with its own descriptors: " + e.getCause(), e);
    }
    if (!own) {
      LOG.log(
          System.Logger.Level.INFO,
          "thread {0} shares the descriptors of the process: killed at a bad moment, it hangs",
          name);
    }
  }

  private void run() {
    try {
      while (!isClosed() || !work.isEmpty()) {
        work.take().run();
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts this thread", e);
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  /** False where that is not possible: nothing has changed then. */
  private static boolean leaveSharedTable() throws IOException {
    if (!Files.isDirectory(OWN_TABLE) || LIBC.unshare(LibC.Native.CLONE_FILES) != 0) {
      return false;
    }
    List<Path> copied = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(OWN_TABLE)) {
      all.forEach(copied::add);
    }
    // Record locks belong to a table: closing these copies gives up none.
    for (Path descriptor : copied) {
      int number = Integer.parseInt(descriptor.getFileName().toString());
      if (number > STDERR && !hasClasses(descriptor)) {
        LIBC.close(number);
      }
    }
    return true;
  }

  private static boolean hasClasses(Path descriptor) {
    try {
      Path file = Files.readSymbolicLink(descriptor);
      return file.toString().endsWith(".jar") || file.startsWith(System.getProperty("java.home"));
    } catch (IOException e) {
      // That of the listing itself, which is closed already.
      return false;
    }
  }

  /**
   * Has the work done, and waits for it; interrupts are kept for later.
   *
   * @param whenClosed the result after the close
   */
  <T> T call(Supplier<T> task, T whenClosed) {
    FutureTask<T> future = new FutureTask<>(task::get);
    synchronized (this) {
      if (closed) {
        return whenClosed;
      }
      work.add(future);
    }
    return await(future);
  }

  private static <T> T await(FutureTask<T> task) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Does what was asked for before, and ends the thread. Does not wait for that. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      // Wakes the thread.
      work.add(new FutureTask<>(() -> true));
    }
  }
}
