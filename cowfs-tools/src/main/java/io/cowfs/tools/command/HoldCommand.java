package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Protects a snapshot. */
@Command(
    name = "hold",
    description = {
      "Put a tag on a snapshot: it cannot be destroyed until each of its tags is released.",
    },
    footer = {
      "",
      "Example:",
      "  cowfs hold /srv/pool/home@monday backup",
    })
public final class HoldCommand extends PoolCommand {
  @Parameters(
      index = "0",
      paramLabel = "PATH[/DATASET]@NAME",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  @Parameters(index = "1", paramLabel = "TAG", description = "Says who needs the snapshot.")
  private String tag;

  HoldCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    session.administration().hold(target.datasetOrDefault(), target.requireSnapshot(), tag);
  }
}
