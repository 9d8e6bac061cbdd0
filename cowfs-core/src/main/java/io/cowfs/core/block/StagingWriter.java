package io.cowfs.core.block;

import io.cowfs.core.device.BlockDevice;
import io.cowfs.core.device.DeviceLayout;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A bounded set of large direct buffers and the few threads that write them. Thread-safe. The
 * buffers are made when first needed and used again; whoever finds none free waits.
 */
final class StagingWriter implements Closeable {
  static final int BUFFER_BYTES = 2 << 20;

  private static final int BUFFERS_MAX = 8;
  private static final int THREADS = 2;
  private static final long IDLE_SECONDS = 30;

  /** A run of sectors on its way to the device. Owned by one writer until it is submitted. */
  static final class Staging {
    private final ByteBuffer buffer;
    private final List<BlockKey> blocks = new ArrayList<>();
    private long firstSector;

    private Staging(ByteBuffer buffer) {
      this.buffer = buffer;
    }

    /** Whether these sectors directly follow what is in here, and fit. */
    boolean accepts(long sector, int bytes) {
      return buffer.remaining() >= bytes
          && sector * DeviceLayout.SECTOR_BYTES
              == firstSector * DeviceLayout.SECTOR_BYTES + buffer.position();
    }

    /** Where to put the next bytes, whole sectors; a view that is to be filled. */
    ByteBuffer append(int bytes) {
      ByteBuffer view = buffer.slice(buffer.position(), bytes);
      buffer.position(buffer.position() + bytes);
      return view;
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
  private int made;

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
            new LinkedBlockingQueue<>(BUFFERS_MAX),
            task -> {
              Thread thread = new Thread(task, "cowfs-write-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    threads.allowCoreThreadTimeOut(true);
    return threads;
  }

  /** An empty staging for a run that starts here; waits for a free buffer. */
  Staging acquire(long firstSector) {
    Staging staging = new Staging(takeBuffer().clear());
    staging.firstSector = firstSector;
    return staging;
  }

  private synchronized ByteBuffer takeBuffer() {
    boolean interrupted = false;
    while (free.isEmpty() && made == BUFFERS_MAX) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (free.isEmpty()) {
      made++;
      return ByteBuffer.allocateDirect(BUFFER_BYTES + DeviceLayout.SECTOR_BYTES)
          .alignedSlice(DeviceLayout.SECTOR_BYTES)
          .limit(BUFFER_BYTES)
          .slice();
    }
    return free.pop();
  }

  /** Gives the buffer back, unwritten or written. */
  synchronized void release(Staging staging) {
    free.push(staging.buffer);
    notifyAll();
  }

  /** Has it written; the staging is no longer the caller's. */
  void submit(Staging staging, Completion completion) {
    threads.execute(() -> write(staging, completion));
  }

  private void write(Staging staging, Completion completion) {
    IOException failure = null;
    try {
      device.write(staging.buffer.flip(), staging.firstSector * DeviceLayout.SECTOR_BYTES);
      staging.blocks.forEach(onWritten);
    } catch (IOException e) {
      failure = e;
    } catch (RuntimeException | Error e) {
      failure = new IOException("writing failed: " + e, e);
    }
    release(staging);
    completion.completed(failure);
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
