package io.cowfs.fuse.kernel;

import io.cowfs.fuse.errno.Errno;
import io.cowfs.fuse.operations.Call;
import io.cowfs.fuse.operations.FlushFirst;
import io.cowfs.fuse.operations.OperationTable;
import io.cowfs.fuse.wire.Reply;
import io.cowfs.fuse.wire.Request;
import java.nio.ByteBuffer;

/** One thread's loop: read a request, run it, send the reply. Ends when the mount is gone. */
final class Worker implements Runnable {
  private static final System.Logger LOG = System.getLogger(Worker.class.getName());

  private static final int MESSAGE_BYTES = Reply.bufferBytes(Handshake.MAX_TRANSFER_BYTES);

  /** Of a request and a reply. */
  static final int BUFFER_BYTES = 2 * MESSAGE_BYTES;

  private final FuseDevice device;
  private final OperationTable operations;
  private final DeferredCalls afterInode;
  private final DeferredCalls afterAll;
  private final ReadyWorkers ready;
  private final Runnable atEnd;
  private final Request request;
  private final Reply reply;
  private final Call call;

  /**
   * @param memory direct, on a page, of {@link #BUFFER_BYTES}; for this worker alone
   * @param device the descriptor over which this worker alone reads, unless it could not be cloned
   * @param afterInode answers what waits for the pages of its inode
   * @param afterAll answers what waits for the pages of all files
   * @param ready the workers of the mount
   * @param atEnd run once, on this thread, when it ends
   */
  Worker(
      ByteBuffer memory,
      FuseDevice device,
      OperationTable operations,
      DeferredCalls afterInode,
      DeferredCalls afterAll,
      ReadyWorkers ready,
      Runnable atEnd) {
    this.request = new Request(memory.slice(0, MESSAGE_BYTES));
    this.reply = new Reply(memory.slice(MESSAGE_BYTES, MESSAGE_BYTES));
    this.device = device;
    this.operations = operations;
    this.afterInode = afterInode;
    this.afterAll = afterAll;
    this.ready = ready;
    this.atEnd = atEnd;
    this.call = operations.newCall(request);
  }

  @Override
  public void run() {
    try {
      long address = LibC.Native.address(request.buffer());
      serve(
          new RequestReader(device, request, address, ready, System::nanoTime),
          LibC.Native.address(reply.buffer()));
    } finally {
      try {
        ready.end();
      } finally {
        atEnd.run();
      }
    }
  }

  private void serve(RequestReader reader, long replyAddress) {
    while (true) {
      ready.beforeRequest();
      long bytes = reader.read();
      ready.afterRequest();
      if (bytes < 0) {
        int errno = (int) -bytes;
        // ENOENT: the request was interrupted before it was read.
        if (errno != Errno.EINTR && errno != Errno.EAGAIN && errno != Errno.ENOENT) {
          if (errno != Errno.ENODEV) {
            LOG.log(
                System.Logger.Level.ERROR,
                "reading from /dev/fuse failed: " + LibC.Native.message(errno));
          }
          return;
        }
        ready.beforeReply();
      } else if (!request.received(bytes)) {
        LOG.log(System.Logger.Level.ERROR, "the kernel sent a malformed request");
        ready.beforeReply();
      } else {
        serve(replyAddress);
      }
    }
  }

  private void serve(long replyAddress) {
    FlushFirst flush = operations.flushFirst(request, call);
    if (flush == FlushFirst.NOTHING) {
      operations.run(call, reply);
    }
    ready.beforeReply();
    switch (flush) {
      case NOTHING -> send(device, operations, request, reply, replyAddress);
      case INODE -> afterInode.add(request, device);
      case ALL -> afterAll.add(request, device);
    }
  }

  /** Sends a reply; what it gave is taken back when the kernel does not take it. */
  static void send(
      FuseDevice device, OperationTable operations, Request request, Reply reply, long address) {
    int bytes = reply.finish(request.unique());
    if (bytes == 0) {
      return;
    }
    int errno = device.send(address, bytes);
    if (errno == 0) {
      return;
    }
    operations.takeBack(reply);
    // ENOENT: the request was aborted meanwhile. ENODEV: the mount is gone.
    if (errno != Errno.ENOENT && errno != Errno.ENODEV) {
      LOG.log(
          System.Logger.Level.ERROR,
          "the kernel refused a reply (opcode {0}): {1}",
          request.opcode(),
          LibC.Native.message(errno));
    }
  }
}
