package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Takes back what {@link SetCommand} did. */
@Command(
    name = "inherit",
    description = {
      "Forget the value that was set for a property: the one of the dataset above, or else the",
      "default, is in force again.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs inherit /srv/pool/home compression",
    })
public final class InheritCommand extends PoolCommand {
  @Parameters(
      index = "0",
      paramLabel = "PATH[/DATASET][@NAME]",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  @Parameters(index = "1", paramLabel = "PROPERTY", description = "As 'cowfs get' lists it.")
  private String property;

  InheritCommand(CommandRunner runner) {
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
        .inheritProperty(target.datasetOrDefault(), target.snapshot().orElse(null), property);
  }
}
