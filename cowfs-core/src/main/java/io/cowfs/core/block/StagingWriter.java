package io.cowfs.core.block;

import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DeviceLayout;
import io.cowfs.core.memory.DirectBuffers;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A bounded set of long runs of sectors and the few threads that write them. Thread-safe. What does
 * not stay where it is goes into direct buffers, which are made when first needed and used again.
 */
final class StagingWriter implements Closeable {
  private static final System.Logger LOG = System.getLogger(StagingWriter.class.getName());

  /** The most that is written at once. */
  private static final int STAGING_BYTES_MAX = 2 << 20;

  private static final int BUFFER_BYTES = 256 << 10;

  /** Enough for small commits; whoever needs more writes much. */
  private static final int FIRST_BUFFERS = 4;

  /**
   * A device that has been given so much is asked to make it durable while more comes, so that the
   * commit finds little left to wait for: most have a cache that they empty only when asked.
   */
  private static final int EARLY_SYNC_BYTES = 16 << 20;

  private static final int STAGINGS_MAX = 8;

  /** Two that write, while one may wait for the device. */
  private static final int THREADS = 3;

  private static final long IDLE_SECONDS = 30;

  /** A run of sectors on its way to the device. Owned by one writer until it is submitted. */
  final class Staging {
    private final long firstSector;
    private final List<ByteBuffer> pieces = new ArrayList<>();
    private final List<BlockKey> blocks = new ArrayList<>();
    private int bytes;

    /** What is in the last of them from here on is no piece yet. */
    private int unsealed;

    private final List<ByteBuffer> buffers = new ArrayList<>();

    private Staging(long firstSector) {
      this.firstSector = firstSector;
    }

    /** Whether these sectors directly follow what is in here, and fit. */
    boolean accepts(long sector, int more) {
      return STAGING_BYTES_MAX - bytes >= more
          && sector * DeviceLayout.SECTOR_BYTES == firstSector * DeviceLayout.SECTOR_BYTES + bytes;
    }

    /**
     * Where to put the next bytes.
     *
     * @param more whole sectors
     * @return a view that is to be filled
     */
    ByteBuffer append(int more) {
      if (more > BUFFER_BYTES) {
        // A block of the index, seldom.
        ByteBuffer own = DirectBuffers.aligned(more);
        refer(own);
        return own.slice();
      }
      ByteBuffer buffer = buffers.isEmpty() ? null : buffers.get(buffers.size() - 1);
      if (buffer == null || buffer.remaining() < more) {
        seal();
        buffer = takeBuffer();
        buffers.add(buffer);
        unsealed = 0;
      }
      ByteBuffer view = buffer.slice(buffer.position(), more);
      buffer.position(buffer.position() + more);
      bytes += more;
      return view;
    }

    /**
     * Appends whole sectors without a copy.
     *
     * @param piece its remaining bytes, which stay as they are until this is written
     */
    void refer(ByteBuffer piece) {
      seal();
      pieces.add(piece);
      bytes += piece.remaining();
    }

    private void seal() {
      if (buffers.isEmpty()) {
        return;
      }
      ByteBuffer buffer = buffers.get(buffers.size() - 1);
      if (unsealed < buffer.position()) {
        pieces.add(buffer.slice(unsealed, buffer.position() - unsealed));
        unsealed = buffer.position();
      }
    }

    void addBlock(BlockKey key) {
      blocks.add(key);
    }

    List<BlockKey> blocks() {
      return blocks;
    }
  }

  /** Told about each staging when it is on the device, or could not be written. */
  interface Completion {
    void completed(IOException failureOrNull);
  }

  private final BlockDevice device;
  private final Consumer<BlockKey> onWritten;
  private final ExecutorService threads;
  private final ArrayDeque<ByteBuffer> free = new ArrayDeque<>();
  private boolean hasBuffers;
  private int inUse;

  /** Written since the device was last synced from here. */
  private final AtomicInteger unsyncedBytes = new AtomicInteger();

  private final AtomicBoolean syncing = new AtomicBoolean();

  /**
   * @param threads that write; ended by {@link #close}
   */
  StagingWriter(BlockDevice device, Consumer<BlockKey> onWritten, ExecutorService threads) {
    this.device = device;
    this.onWritten = onWritten;
    this.threads = threads;
  }

  /** A few threads, which are started when there is something to write, and end when idle. */
  static ExecutorService newThreads() {
    AtomicInteger number = new AtomicInteger();
    ThreadPoolExecutor threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(STAGINGS_MAX),
            task -> {
              Thread thread = new Thread(task, "cowfs-write-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  /** An empty staging for a run that starts here; waits where there are too many. */
  synchronized Staging acquire(long firstSector) {
    boolean interrupted = false;
    while (inUse == STAGINGS_MAX) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    inUse++;
    return new Staging(firstSector);
  }

  private synchronized ByteBuffer takeBuffer() {
    if (free.isEmpty()) {
      ByteBuffer memory =
          hasBuffers
              ? DirectBuffers.large(DirectBuffers.LARGE_PAGE_BYTES)
              : DirectBuffers.aligned(FIRST_BUFFERS * BUFFER_BYTES);
      hasBuffers = true;
      for (int at = 0; at < memory.capacity(); at += BUFFER_BYTES) {
        free.push(memory.slice(at, BUFFER_BYTES));
      }
    }
    return free.pop().clear();
  }

  /** Gives back what it holds, unwritten or written. */
  synchronized void release(Staging staging) {
    staging.buffers.forEach(free::push);
    inUse--;
    notifyAll();
  }

  /** Has it written; the staging is no longer the caller's. */
  void submit(Staging staging, Completion completion) {
    try {
      threads.execute(() -> write(staging, completion));
    } catch (RejectedExecutionException | OutOfMemoryError none) {
      // No thread has time, or can be started: this one does it.
      write(staging, completion);
    }
  }

  private void write(Staging staging, Completion completion) {
    IOException failure = null;
    try {
      staging.seal();
      device.write(
          staging.pieces.toArray(ByteBuffer[]::new),
          staging.firstSector * DeviceLayout.SECTOR_BYTES);
      staging.blocks.forEach(onWritten);
    } catch (IOException e) {
      failure = e;
    } catch (RuntimeException | Error e) {
      failure = new IOException("writing failed: " + e, e);
    }
    release(staging);
    completion.completed(failure);
    if (failure == null) {
      syncEarly(staging.bytes);
    }
  }

  /** What fails here, the sync of the commit, and whatever is written before it, tells. */
  private void syncEarly(int bytes) {
    if (unsyncedBytes.addAndGet(bytes) < EARLY_SYNC_BYTES || !syncing.compareAndSet(false, true)) {
      return;
    }
    unsyncedBytes.set(0);
    try {
      device.sync();
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      LOG.log(System.Logger.Level.WARNING, "an early sync failed", e);
    } finally {
      syncing.set(false);
    }
  }

  @Override
  public void close() {
    threads.shutdown();
    boolean interrupted = false;
    while (!threads.isTerminated()) {
      try {
        threads.awaitTermination(1, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
