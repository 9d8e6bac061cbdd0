package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Takes a snapshot. */
@Command(
    name = "snapshot",
    description = {
      "Take a snapshot of a dataset: everything written before the command started is in it.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs snapshot /mnt/data@before-upgrade",
    })
public final class SnapshotCommand extends PoolCommand {
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
    session.snapshot(target.datasetOrDefault(), target.requireSnapshot());
  }
}
