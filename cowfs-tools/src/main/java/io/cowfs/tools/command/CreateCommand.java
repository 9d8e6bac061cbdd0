package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import io.cowfs.tools.target.TargetException;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Creates a dataset. */
@Command(
    name = "create",
    description = "Create an empty dataset in a pool.",
    footer = {
      "",
      "Example:",
      "  cowfs create /srv/pool/home",
    })
public final class CreateCommand extends PoolCommand {
  @Parameters(paramLabel = "PATH/DATASET", description = "Where PATH is a pool or a mount point.")
  private String target;

  CreateCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    target.refuseSnapshot("create");
    session.createDataset(
        target
            .dataset()
            .orElseThrow(() -> new TargetException("no dataset named: write POOL/DATASET")));
  }
}
