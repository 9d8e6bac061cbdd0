package io.cowfs.core.block;

import io.cowfs.core.codec.Compression;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Has extents compressed on all processors: by the thread that writes them, and by helpers, which
 * all pools share. Keeps the buffers. For one writer at a time.
 */
final class Packer {
  private static final int BUFFER_BYTES =
      Arrays.stream(Compression.values())
          .mapToInt(each -> each.maxCompressedBytes(DataExtent.LOGICAL_BYTES_MAX))
          .max()
          .orElseThrow();

  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

  /** Enough for each processor to have one while another waits for it. */
  private static final int AHEAD_MAX = Math.min(2 * PROCESSORS, 16);

  private static final int IDLE_SECONDS = 30;

  private static final ThreadPoolExecutor HELPERS = newHelpers();

  /** Handed in and not written yet, in the order of writing; of the writer's thread. */
  private final Deque<PreparedExtent> ahead = new ArrayDeque<>();

  private final Deque<ByteBuffer> free = new ArrayDeque<>();

  private static ThreadPoolExecutor newHelpers() {
    int threads = Math.max(1, PROCESSORS - 1);
    ThreadPoolExecutor helpers =
        new ThreadPoolExecutor(
            threads,
            threads,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(AHEAD_MAX),
            task -> {
              Thread thread = new Thread(task, "cowfs-compress");
              thread.setDaemon(true);
              return thread;
            });
    helpers.allowCoreThreadTimeOut(true);
    return helpers;
  }

  /** How many extents may be handed in and not written. */
  static int aheadMax() {
    return PROCESSORS == 1 ? 1 : AHEAD_MAX;
  }

  /** Hands in an extent; those handed in before are written first. The first is for the writer. */
  void begin(PreparedExtent extent) {
    ahead.add(extent);
    if (ahead.size() == 1) {
      return;
    }
    try {
      HELPERS.execute(extent::work);
    } catch (RejectedExecutionException | OutOfMemoryError none) {
      // No helper has time, or can be started: the writer does it.
    }
  }

  /**
   * Waits until an extent is compressed, and compresses this one and others meanwhile.
   *
   * @return null where that does not save enough
   */
  PreparedExtent.Packed finish(PreparedExtent extent) {
    extent.work();
    for (PreparedExtent next : ahead) {
      if (extent.isPacked()) {
        break;
      }
      next.work();
    }
    ahead.remove(extent);
    return extent.packed();
  }

  /** What was handed in will not be written. */
  void forget() {
    ahead.clear();
  }

  /** A direct buffer with room for what any extent is, or gives. */
  ByteBuffer take() {
    synchronized (free) {
      ByteBuffer buffer = free.poll();
      return buffer != null ? buffer : ByteBuffer.allocateDirect(BUFFER_BYTES);
    }
  }

  void release(ByteBuffer buffer) {
    synchronized (free) {
      free.push(buffer.clear());
    }
  }
}
