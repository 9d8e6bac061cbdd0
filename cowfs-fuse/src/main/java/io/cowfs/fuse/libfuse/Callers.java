package io.cowfs.fuse.libfuse;

import io.cowfs.core.vfs.Caller;
import ru.serce.jnrfuse.struct.FuseContext;

/** Who asks, as the library tells the thread that serves a request. */
record Callers(LibFuse2 library) {
  Caller now() {
    FuseContext context = library.fuse_get_context();
    return new Caller(
        context.uid.intValue(),
        context.gid.intValue(),
        context.pid.intValue(),
        context.umask.intValue(),
        () -> library.fuse_interrupted() != 0);
  }
}
