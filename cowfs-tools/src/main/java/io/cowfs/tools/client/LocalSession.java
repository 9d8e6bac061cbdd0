package io.cowfs.tools.client;

import io.cowfs.core.pool.Pool;
import io.cowfs.fuse.kernel.Transport;
import io.cowfs.tools.command.OpenPoolSession;
import io.cowfs.tools.target.CowfsMount;
import java.io.IOException;
import java.util.List;

/** A pool that this process opened for one command; nothing of it is mounted. */
final class LocalSession extends OpenPoolSession {
  LocalSession(Pool pool) {
    super(pool);
  }

  @Override
  public List<CowfsMount> mounts() {
    return List.of();
  }

  @Override
  public Transport transport(CowfsMount mount) {
    throw new IllegalArgumentException(mount.mountPoint() + " is not served here");
  }

  @Override
  public void mount(MountRequest request) throws IOException {
    throw new IOException("only a daemon mounts");
  }

  @Override
  public void unmount(List<CowfsMount> mounts) throws IOException {
    throw new IOException("nothing is mounted");
  }
}
