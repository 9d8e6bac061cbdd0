package io.cowfs.tools.command;

import io.cowfs.core.pool.PoolAdministration.Mode;
import io.cowfs.core.pool.Pruning;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Carries schedules out. */
@Command(
    name = "prune",
    description = {
      "Carry out the snapshot.schedule of every dataset of a pool: take the snapshots that are",
      "due, and destroy those taken so that are no longer to be kept. Never touches a snapshot",
      "that is held or that a person named. What is mounted does this by itself.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs prune /srv/pool",
      "  cowfs prune -n /mnt/data",
    })
public final class PruneCommand extends PoolCommand {
  @Option(
      names = {"-n", "--dry-run"},
      description = "Only print what would be taken and destroyed.")
  private boolean dryRun;

  @Parameters(paramLabel = "PATH", description = "A pool or a mount point.")
  private String target;

  PruneCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    target.refuseSnapshot(PoolVerb.PRUNE.text());
    Pruning pruning = session.administration().prune(dryRun ? Mode.DRY_RUN : Mode.EXECUTE);
    for (String name : pruning.taken()) {
      out.println((dryRun ? "would take " : "took ") + name);
    }
    for (String name : pruning.destroyed()) {
      out.println((dryRun ? "would destroy " : "destroyed ") + name);
    }
  }
}
