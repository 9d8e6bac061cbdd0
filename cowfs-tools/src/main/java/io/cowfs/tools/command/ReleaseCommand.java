package io.cowfs.tools.command;

import io.cowfs.tools.target.Target;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Takes back what {@link HoldCommand} did. */
@Command(
    name = "release",
    description = "Take a tag off a snapshot that 'cowfs hold' put on it.",
    footer = {
      "",
      "Example:",
      "  cowfs release /srv/pool/home@monday backup",
    })
public final class ReleaseCommand extends PoolCommand {
  @Parameters(
      index = "0",
      paramLabel = "PATH[/DATASET]@NAME",
      description = "Where PATH is a pool or a mount point.")
  private String target;

  @Parameters(index = "1", paramLabel = "TAG", description = "The tag, as 'cowfs holds' lists it.")
  private String tag;

  ReleaseCommand(CommandRunner runner) {
    super(runner);
  }

  @Override
  public String target() {
    return target;
  }

  @Override
  public void execute(PoolSession session, Target target, PrintWriter out) throws IOException {
    session.administration().release(target.datasetOrDefault(), target.requireSnapshot(), tag);
  }
}
