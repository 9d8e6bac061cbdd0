package io.cowfs.fuse.operations;

import io.cowfs.core.vfs.FsException;
import io.cowfs.fuse.wire.Reply;

/** Answers one kind of request. Thread-safe: many workers run it at a time. */
@FunctionalInterface
interface Operation {
  /**
   * Runs the call's request.
   *
   * @param reply success without payload at first; on an exception its payload is dropped
   * @throws FsException becomes the reply's errno
   */
  void run(Call call, Reply reply) throws FsException;
}
