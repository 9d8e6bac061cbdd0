package io.cowfs.tools.client;

import io.cowfs.core.pool.Pool;
import io.cowfs.tools.command.PoolCommand;
import io.cowfs.tools.target.Target;
import java.io.IOException;

/** Opens a pool for one command. Apart, so that a daemon's client loads nothing of the core. */
final class LocalPool {
  private LocalPool() {}

  static int run(PoolCommand command, Target target) throws IOException {
    try (Pool pool = Pool.open(target.pool())) {
      command.execute(new LocalSession(pool), target, command.out());
    }
    return 0;
  }
}
