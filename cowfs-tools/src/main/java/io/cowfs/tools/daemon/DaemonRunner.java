package io.cowfs.tools.daemon;

import io.cowfs.tools.command.CommandRunner;
import io.cowfs.tools.command.InitCommand;
import io.cowfs.tools.command.MountCommand;
import io.cowfs.tools.command.MountHelperCommand;
import io.cowfs.tools.command.PoolCommand;
import io.cowfs.tools.command.PoolSession;
import io.cowfs.tools.command.RewindCommand;
import io.cowfs.tools.command.UmountCommand;
import io.cowfs.tools.target.Target;
import java.io.IOException;

/**
 * Runs a client's command on the open pool, with the target that the client resolved. Used once, by
 * one thread.
 */
final class DaemonRunner implements CommandRunner {
  private final PoolSession session;
  private final Target target;
  private long poolNanos;

  DaemonRunner(PoolSession session, Target target) {
    this.session = session;
    this.target = target;
  }

  @Override
  public int run(PoolCommand command) throws IOException {
    long start = System.nanoTime();
    try {
      command.execute(session, target, command.out());
    } finally {
      poolNanos = System.nanoTime() - start;
    }
    return 0;
  }

  /** How long the command was at work, without the time it took to read its command line. */
  long poolNanos() {
    return poolNanos;
  }

  @Override
  public int mount(MountCommand command) throws IOException {
    return run(command);
  }

  @Override
  public int mountForSystem(MountHelperCommand helper) throws IOException {
    throw new IOException("a daemon does not help mount(8)");
  }

  @Override
  public int unmount(UmountCommand command) throws IOException {
    return run(command);
  }

  @Override
  public int init(InitCommand command) throws IOException {
    throw new IOException("a daemon creates no pools");
  }

  @Override
  public int rewind(RewindCommand command) throws IOException {
    throw new IOException("a daemon does not rewind the pool that it has open");
  }
}
