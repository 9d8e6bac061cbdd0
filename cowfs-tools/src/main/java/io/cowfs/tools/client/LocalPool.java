package io.cowfs.tools.client;

import io.cowfs.core.pool.Pool;
import io.cowfs.tools.command.MountPointsCommand;
import io.cowfs.tools.command.PoolCommand;
import io.cowfs.tools.command.PoolVerb;
import io.cowfs.tools.target.CowfsMount;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Opens a pool for one command. Apart, so that a daemon's client loads nothing of the core. */
final class LocalPool {
  private LocalPool() {}

  static int run(PoolCommand command, Target target) throws IOException {
    command.beforeOpening(target);
    try (Pool pool = open(command.verb(), target.pool())) {
      command.execute(new LocalSession(pool), target, command.out());
    }
    return 0;
  }

  private static Pool open(PoolVerb verb, Path directory) throws IOException {
    return verb == PoolVerb.CHECK ? Pool.openToCheck(directory) : Pool.open(directory);
  }

  /** What {@link MountPointsCommand#wanted} says of a pool that nobody has open. */
  static List<CowfsMount> mountPoints(Path directory) throws IOException {
    try (Pool pool = Pool.open(directory)) {
      return MountPointsCommand.wanted(new LocalSession(pool), directory);
    }
  }
}
