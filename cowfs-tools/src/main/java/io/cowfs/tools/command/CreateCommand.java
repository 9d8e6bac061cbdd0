package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Creates a dataset. */
@Command(
    name = "create",
    description = {
      "Create an empty dataset in a pool. Datasets nest by their names: one inherits the",
      "properties of the one above it, which has to exist.",
    },
    footer = {
      "",
      "Examples:",
      "  cowfs create /srv/pool/home",
      "  cowfs create -o compression=zstd-3 /srv/pool/home/anna",
    })
public final class CreateCommand extends PoolCommand {
  @Mixin private NewProperties properties = new NewProperties();

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
    session.administration().createDataset(target.requireDataset(), properties.values(this));
  }
}
