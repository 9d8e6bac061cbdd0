package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Brings a dataset back to a snapshot. */
@Command(
    name = "rollback",
    description = {
      "Bring a dataset back to a snapshot, mounted or not. Newer snapshots stay, and what the",
      "dataset was before is kept as a snapshot of its own.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs rollback /mnt/data@before-upgrade",
    })
public final class RollbackCommand extends PoolCommand {
  @Parameters(
      paramLabel = "PATH[/DATASET]@NAME",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  RollbackCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    String dataset = target.datasetOrDefault();
    String kept = session.rollback(dataset, target.requireSnapshot());
    out.println("the state before is kept as " + dataset + "@" + kept);
  }
}
