package io.cowfs.fuse.kernel;

import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.operations.Call;
import io.cowfs.fuse.operations.OperationTable;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Requests that can be answered only after the kernel has written pages back. One thread, outside
 * the workers, handles them in order: the workers stay free for the writes. At most as many wait
 * here as there are threads that wait for an answer in the kernel.
 *
 * <p>The kernel locks the inode of a request that waits here. So no request may wait behind one
 * whose flush needs that lock: what flushes all files has a thread of its own.
 */
final class DeferredCalls {
  private static final System.Logger LOG = System.getLogger(DeferredCalls.class.getName());
  private static final long IDLE_SECONDS = 10;

  private final OperationTable operations;
  private final Consumer<Request> flush;
  private final ThreadPoolExecutor thread;

  /** Used by the one thread only. */
  private final Request request = new Request(0);

  private final Reply reply = new Reply(0);
  private final Call call;

  /**
   * @param name of the thread
   * @param flush has the pages written back that the request's answer depends on
   */
  DeferredCalls(String name, OperationTable operations, Consumer<Request> flush) {
    this.operations = operations;
    this.flush = flush;
    this.call = operations.newCall(request);
    this.thread =
        new ThreadPoolExecutor(
            1,
            1,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread created = new Thread(task, name);
              created.setDaemon(true);
              return created;
            });
    this.thread.allowCoreThreadTimeOut(true);
  }

  /** Takes over the worker's request and answers it later over the same device. */
  void add(Request workers, FuseDevice device) {
    byte[] message = workers.copy();
    thread.execute(() -> answer(message, device));
  }

  private void answer(byte[] message, FuseDevice device) {
    if (!request.received(message)) {
      throw new IllegalStateException("a copied request is malformed");
    }
    try {
      flush.accept(request);
      operations.run(call, reply);
    } catch (RuntimeException e) {
      LOG.log(System.Logger.Level.ERROR, "the kernel's pages cannot be written back", e);
      reply.begin();
      reply.error(Errno.EIO);
    }
    Worker.send(device, operations, request, reply, LibC.Native.address(reply.buffer()));
  }

  /** Waits for what is under way and ends the thread. */
  void close() {
    thread.shutdown();
    boolean interrupted = false;
    while (true) {
      try {
        if (thread.awaitTermination(1, TimeUnit.DAYS)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
