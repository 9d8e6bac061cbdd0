package io.cowfs.tools.command;

import io.cowfs.core.pool.PoolAdministration.Scope;
import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Takes a snapshot. */
@Command(
    name = "snapshot",
    description = {
      "Take a snapshot of a dataset: everything written before the command started is in it.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs snapshot /mnt/data@before-upgrade",
      "  cowfs snapshot -r /srv/pool/home@monday",
    })
public final class SnapshotCommand extends PoolCommand {
  @Option(
      names = {"-r", "--recursive"},
      description = {
        "Also of all datasets below it, at one and the same moment. Below 'root' are all datasets",
        "of the pool.",
      })
  private boolean recursive;

  @Parameters(
      paramLabel = "PATH[/DATASET]@NAME",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  SnapshotCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    session
        .administration()
        .snapshot(
            target.datasetOrDefault(),
            target.requireSnapshot(),
            recursive ? Scope.WITH_DESCENDANTS : Scope.ONE);
  }
}
